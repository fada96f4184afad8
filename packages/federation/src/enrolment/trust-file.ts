/**
 * The trust bundle as a file: what an auditor compares by its fingerprint and gives to `sotto verify --trust`.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { fromBase64, toBase64 } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { type TrustBundle, decodeTrustBundle, encodeTrustBundle, trustFingerprint } from '@sotto/core/identity';
import { ConfigReader } from '../config/config-reader.ts';

/** The file's text: `{"version":1,"trustDomain":…,"fingerprint":…,"bundle":<base64>}`. */
export function encodeTrustFile(crypto: Pick<CryptoProvider, 'sha256'>, bundle: TrustBundle): string {
  const { trustDomain } = bundle;
  const file = {
    version: 1,
    trustDomain,
    fingerprint: trustFingerprint(crypto, bundle),
    bundle: toBase64(encodeTrustBundle(bundle)),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Reads such a file and checks that its parts agree. */
export function readTrustFile(crypto: Pick<CryptoProvider, 'sha256'>, file: string): TrustBundle {
  const reader = new ConfigReader(parseJson(file), file);
  reader.value('version');
  const trustDomain = reader.text('trustDomain');
  const fingerprint = reader.text('fingerprint');
  const bundle = decodeTrustBundle(fromBase64(reader.text('bundle')));
  reader.end();
  if (bundle.trustDomain !== trustDomain || trustFingerprint(crypto, bundle) !== fingerprint) {
    throw new SottoError('integrity', `${file}: the bundle does not have the fingerprint that stands beside it`);
  }
  return bundle;
}

/** Parses a JSON file; throws `not-found` or `invalid-encoding`. */
export function parseJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SottoError('not-found', `${file} cannot be read; check the path and its permissions`, { cause });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new SottoError('invalid-encoding', `${file} is not JSON`, { cause });
  }
}
