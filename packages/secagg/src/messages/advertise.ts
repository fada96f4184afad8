/**
 * Round 0: one member's signed advertisement, and the roster that the coordinator freezes from them.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { ByteReader, ByteWriter } from '@sotto/core/encoding';
import { SottoError } from '@sotto/core/errors';
import { merkleRoot } from '../merkle.ts';
import { sign, verify } from '../primitives.ts';
import {
  ascending,
  beginMessage,
  CERTIFICATE_BYTES,
  fixed,
  HASH_BYTES,
  KEM_KEY_BYTES,
  KEY_BYTES,
  openMessage,
  readId,
  SIGNATURE_BYTES,
} from './wire.ts';
import type { WireLimits } from './wire.ts';

/** What a member says of itself. All keys are fresh for this advertisement. */
export interface Advert {
  readonly id: string;
  /** Identity certificate (wire form) that carries the key of `signature`. */
  readonly certificate: Uint8Array;
  /** X25519 key (32) for the share channel; its secret is never shared. */
  readonly channelKey: Uint8Array;
  /** X25519 key (32) for the pairwise masks; its secret derives from r. */
  readonly maskKey: Uint8Array;
  /** Hybrid suite: the two ML-KEM-768 encapsulation keys (1184 each), channel then mask. Else empty. */
  readonly kemKeys: readonly Uint8Array[];
  /** H("commit", ctx, id, b). */
  readonly commitment: Uint8Array;
  /** Sig("advert", ctx, all of the above). */
  readonly signature: Uint8Array;
}

function writeBody(writer: ByteWriter, advert: Omit<Advert, 'signature'>): ByteWriter {
  return writer
    .text(advert.id)
    .bytes(advert.certificate)
    .bytes(advert.channelKey)
    .bytes(advert.maskKey)
    .list(advert.kemKeys, (w, key) => w.bytes(key))
    .bytes(advert.commitment);
}

/** Signs an advertisement. */
export function signAdvert(
  crypto: CryptoProvider,
  signingSeed: Uint8Array,
  ctx: Uint8Array,
  advert: Omit<Advert, 'signature'>,
): Advert {
  return { ...advert, signature: sign(crypto, signingSeed, 'advert', (w) => writeBody(w.bytes(ctx), advert)) };
}

/** Whether the signature is by `signingKey` over this advertisement in this context. */
export function verifyAdvert(crypto: CryptoProvider, signingKey: Uint8Array, ctx: Uint8Array, advert: Advert): boolean {
  return verify(crypto, signingKey, advert.signature, 'advert', (w) => writeBody(w.bytes(ctx), advert));
}

/** The roster leaf: the signed advertisement. */
export function advertLeaf(advert: Advert): Uint8Array {
  return writeBody(new ByteWriter(), advert).bytes(advert.signature).finish();
}

/** RFC 6962 root over the signed advertisements, sorted by id. */
export function rosterRoot(crypto: CryptoProvider, roster: readonly Advert[]): Uint8Array {
  return merkleRoot(crypto, roster.map(advertLeaf));
}

function readAdvert(reader: ByteReader, limits: WireLimits): Advert {
  const kemCount = limits.suite === 'x25519' ? 0 : 2;
  const advert: Advert = {
    id: readId(reader),
    certificate: reader.bytes(CERTIFICATE_BYTES),
    channelKey: fixed(reader, KEY_BYTES),
    maskKey: fixed(reader, KEY_BYTES),
    kemKeys: reader.list((r) => fixed(r, KEM_KEY_BYTES), { maxCount: kemCount, minItemBytes: KEM_KEY_BYTES }),
    commitment: fixed(reader, HASH_BYTES),
    signature: fixed(reader, SIGNATURE_BYTES),
  };
  if (advert.kemKeys.length !== kemCount) {
    throw new SottoError(
      'invalid-encoding',
      `an advert has ${advert.kemKeys.length} encapsulation keys; the suite has ${kemCount}`,
    );
  }
  return advert;
}

export function encodeAdvert(ctx: Uint8Array, advert: Advert): Uint8Array {
  return beginMessage('advert', ctx).raw(advertLeaf(advert)).finish();
}

export function decodeAdvert(ctx: Uint8Array, limits: WireLimits, data: Uint8Array): Advert {
  const reader = openMessage('advert', data, ctx);
  const advert = readAdvert(reader, limits);
  reader.end();
  return advert;
}

export function encodeRoster(ctx: Uint8Array, roster: readonly Advert[]): Uint8Array {
  return beginMessage('roster', ctx)
    .list(roster, (w, advert) => w.bytes(advertLeaf(advert)))
    .finish();
}

export function decodeRoster(ctx: Uint8Array, limits: WireLimits, data: Uint8Array): readonly Advert[] {
  const reader = openMessage('roster', data, ctx);
  const roster = reader.list(
    (r) => {
      const leaf = new ByteReader(r.bytes(), 'advert in a roster');
      const advert = readAdvert(leaf, limits);
      leaf.end();
      return advert;
    },
    { maxCount: limits.nMax, minItemBytes: 256 },
  );
  reader.end();
  return ascending('roster', roster, (advert) => advert.id);
}
