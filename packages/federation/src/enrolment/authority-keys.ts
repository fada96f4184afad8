/**
 * The authority's two secrets and what follows from them: the identity root and the CA of TLS certificates.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fromHex, toHex } from '@sotto/core/bytes';
import type { TrustBundle } from '@sotto/core/identity';
import { trustFingerprint } from '@sotto/core/identity';
import { randomBytes } from '@sotto/core/random';
import { checkSecretFile, makePrivateDirectory, writeFileAtomic, writeSecretFile } from '../service/files.ts';
import type { World } from '../service/world.ts';
import { certificateDer, certificatePem, newCaCertificate, newTlsKey } from './x509.ts';

/** What only the authority's process has. */
export interface AuthorityKeys {
  readonly rootSeed: Uint8Array;
  readonly caKeyPem: string;
  readonly bundle: TrustBundle;
  readonly fingerprint: string;
}

/** Loads a secret file, or makes it with `create`. */
export function loadOrCreateSecret(file: string, create: () => string): string {
  if (!existsSync(file)) writeSecretFile(file, create());
  checkSecretFile(file);
  return readFileSync(file, 'utf8');
}

/** An Ed25519 seed in a secret file. */
export function loadOrCreateSeed(file: string, random: World['random']): Uint8Array {
  return seedOf(loadOrCreateSecret(file, () => newSeedText(random)));
}

/** A fresh seed as the text of its file. */
export function newSeedText(random: World['random']): string {
  return `${toHex(randomBytes(random, 32))}\n`;
}

/** The seed in the text of its file. */
export function seedOf(text: string): Uint8Array {
  return fromHex(text.trim());
}

/** Loads the authority's keys from its folder, or makes them. */
export async function loadAuthorityKeys(directory: string, trustDomain: string, world: World): Promise<AuthorityKeys> {
  makePrivateDirectory(directory);
  const rootSeed = loadOrCreateSeed(path.join(directory, 'identity-root.key'), world.random);
  const caKeyPem = loadOrCreateSecret(path.join(directory, 'ca.key'), newTlsKey);
  const caFile = path.join(directory, 'ca.crt');
  if (!existsSync(caFile)) writeFileAtomic(caFile, certificatePem(await newCaCertificate(caKeyPem, trustDomain, world.nowMs())));
  const bundle: TrustBundle = {
    trustDomain,
    rootKey: world.crypto.ed25519PublicKey(rootSeed),
    tlsCaCertificate: certificateDer(readFileSync(caFile, 'utf8')),
  };
  return { rootSeed, caKeyPem, bundle, fingerprint: trustFingerprint(world.crypto, bundle) };
}
