/**
 * What makes an advertisement acceptable, and a set of them a roster. The coordinator applies it to each arrival, so that
 * one bad member costs nobody a round; every client applies it to the whole roster, since it trusts no coordinator.
 *
 * @module
 */
import { toHex } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { verifyCertificate } from '@sotto/core/identity';
import type { TrustBundle } from '@sotto/core/identity';
import { RoundAbort } from './abort.ts';
import type { Suite } from './context.ts';
import { isGoodKemKey, isGoodX25519Key } from './keys.ts';
import { verifyAdvert } from './messages/advertise.ts';
import type { Advert } from './messages/advertise.ts';

/** What a verifier of advertisements knows. */
export interface RosterTrust {
  readonly crypto: CryptoProvider;
  readonly trust: TrustBundle;
  readonly revokedSerials?: readonly Uint8Array[];
}

/** Checks keys, certificate (at `nowMs`, or at any time) and signature of one advertisement; returns its certificate's signing key (32 bytes). */
export function checkAdvert(
  setup: RosterTrust,
  ctx: Uint8Array,
  suite: Suite,
  advert: Advert,
  nowMs: number | undefined,
): Uint8Array {
  checkPublicKeys(suite, advert);
  const certificate = verifyCertificate(setup.crypto, advert.certificate, {
    bundle: setup.trust,
    nowMs,
    role: 'client',
    id: advert.id,
    ...(setup.revokedSerials === undefined ? {} : { revokedSerials: setup.revokedSerials }),
  });
  if (!verifyAdvert(setup.crypto, certificate.signingKey, ctx, advert)) {
    throw new RoundAbort('bad-signature', `the advertisement of ${advert.id} is not signed by its certificate's key`, [
      advert.id,
    ]);
  }
  return certificate.signingKey;
}

function checkPublicKeys(suite: Suite, advert: Advert): void {
  if (!isGoodX25519Key(advert.channelKey) || !isGoodX25519Key(advert.maskKey)) {
    throw new RoundAbort('bad-key', `${advert.id} advertises an X25519 key that is not canonical or of low order`, [advert.id]);
  }
  if (suite === 'x25519-mlkem768' && !advert.kemKeys.every(isGoodKemKey)) {
    throw new RoundAbort('bad-key', `${advert.id} advertises an ML-KEM key that fails the modulus check`, [advert.id]);
  }
}

/** Collects the keys of a roster and refuses one that is there twice: channel and mask keys together, identity keys apart. */
export class DistinctKeys {
  readonly #agreement = new Set<string>();
  readonly #identity = new Set<string>();

  /** Adds a member's keys, all or none. */
  add(advert: Advert, signingKey: Uint8Array): void {
    const agreement = [advert.channelKey, advert.maskKey, ...advert.kemKeys].map(toHex);
    const identity = toHex(signingKey);
    if (new Set(agreement).size !== agreement.length || agreement.some((key) => this.#agreement.has(key))) {
      throw new RoundAbort('duplicate-key', `${advert.id} advertises a key that is in the roster already`, [advert.id]);
    }
    if (this.#identity.has(identity)) {
      throw new RoundAbort('duplicate-key', `${advert.id} has the identity key of another member`, [advert.id]);
    }
    for (const key of agreement) this.#agreement.add(key);
    this.#identity.add(identity);
  }
}
