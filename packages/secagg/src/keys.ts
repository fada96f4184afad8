/**
 * Every key of the protocol, and the checks of public keys. What the coordinator needs when a member drops out derives
 * from that member's r; what must stay closed (the channel) does not.
 *
 * @module
 */
import { concat, fromHex, toHex, wipe } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { expand, hash, kdf, labelled } from './primitives.ts';

/** Secret of the X25519 mask key. */
export function maskSecret(crypto: CryptoProvider, r: Uint8Array): Uint8Array {
  return expand(crypto, r, 32, 'mask x25519');
}

/** Seed d ‖ z (64 bytes) of the ML-KEM-768 mask key. */
export function maskKemSeed(crypto: CryptoProvider, r: Uint8Array): Uint8Array {
  return expand(crypto, r, 64, 'mask mlkem');
}

/** Coins with which the lower id encapsulates to the mask key of `peer`. */
export function maskCoins(crypto: CryptoProvider, r: Uint8Array, sid: Uint8Array, peer: string): Uint8Array {
  return expand(crypto, r, 32, 'mask coins', (w) => w.bytes(sid).text(peer));
}

/** H("commit", ctx, id, b). */
export function commitment(crypto: CryptoProvider, ctx: Uint8Array, id: string, b: Uint8Array): Uint8Array {
  // b goes to the hash by itself: a writer would keep copies of it that nobody could wipe.
  return crypto.sha256(
    labelled('commit', (w) => w.bytes(ctx).text(id).u32(b.length)),
    b,
  );
}

/** The key of a box from one member to another; `kemSecret` is the channel's ML-KEM secret in the hybrid suite. */
export function channelKey(
  crypto: CryptoProvider,
  sid: Uint8Array,
  agreed: Uint8Array,
  kemSecret: Uint8Array | undefined,
  from: string,
  to: string,
): Uint8Array {
  const input = kemSecret === undefined ? agreed : concat(agreed, kemSecret);
  const key = kdf(crypto, input, sid, 'chan', (w) => w.text(from).text(to));
  if (kemSecret !== undefined) wipe(input);
  return key;
}

/** The mask key of a pair; `low` is the lower id. In the hybrid suite `kem` has the mask's ML-KEM secret and ciphertext. */
export function pairKey(
  crypto: CryptoProvider,
  sid: Uint8Array,
  agreed: Uint8Array,
  low: string,
  high: string,
  kem?: { readonly secret: Uint8Array; readonly ciphertext: Uint8Array },
): Uint8Array {
  if (kem === undefined) return kdf(crypto, agreed, sid, 'pair', (w) => w.text(low).text(high));
  const input = concat(agreed, kem.secret);
  const digest = hash(crypto, 'mask ciphertext', (w) => w.bytes(kem.ciphertext));
  const key = kdf(crypto, input, sid, 'pair', (w) => w.text(low).text(high).bytes(digest));
  wipe(input);
  return key;
}

/** What the lower id of a pair puts into its box, so that the higher one knows that both have the same mask key. */
export function pairConfirmation(crypto: CryptoProvider, pair: Uint8Array): Uint8Array {
  return expand(crypto, pair, 32, 'confirm');
}

/** The key of a member's self mask. */
export function selfKey(crypto: CryptoProvider, sid: Uint8Array, b: Uint8Array, id: string): Uint8Array {
  return kdf(crypto, b, sid, 'self', (w) => w.text(id));
}

/** Canonical u-coordinates of small order on Curve25519 and its twist: 0, 1, p − 1 and the two of order 8. */
const LOW_ORDER_KEYS: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
]);

/** Almost no key begins like one of them; the rest need no look at the text. */
const LOW_ORDER_FIRST_BYTES: ReadonlySet<number> = new Set(Array.from(LOW_ORDER_KEYS, (text) => fromHex(text)[0]!));

const P25519 = fromHex(`ed${'ff'.repeat(30)}7f`);

/** Whether an X25519 key is canonical (u < 2^255 − 19) and not of low order. Keys are public. */
export function isGoodX25519Key(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  let below = false;
  for (let i = 31; i >= 0 && !below; i--) {
    if (key[i]! > P25519[i]!) return false;
    below = key[i]! < P25519[i]!;
  }
  return below && !(LOW_ORDER_FIRST_BYTES.has(key[0]!) && LOW_ORDER_KEYS.has(toHex(key)));
}

/** The modulus check of FIPS 203 §7.2: all 768 coefficients of the encapsulation key are below 3329. */
export function isGoodKemKey(key: Uint8Array): boolean {
  if (key.length !== 1184) return false;
  for (let i = 0; i < 1152; i += 3) {
    const first = key[i]! | ((key[i + 1]! & 15) << 8);
    const second = (key[i + 1]! >>> 4) | (key[i + 2]! << 4);
    if (first >= 3329 || second >= 3329) return false;
  }
  return true;
}
