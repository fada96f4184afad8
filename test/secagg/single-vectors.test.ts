/** The recorded values of `vectors/single-values.json`: what the code gives today, and what docs/secagg-wire.md says, written out by hand. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../packages/core/src/bytes.ts';
import { contextHash } from '../../packages/secagg/src/context.ts';
import type { RoundContext } from '../../packages/secagg/src/context.ts';
import { gf65536 } from '../../packages/secagg/src/field.ts';
import {
  decodeComplaint,
  encodeComplaint,
  signComplaint,
  verifyComplaint,
} from '../../packages/secagg/src/messages/complaint.ts';
import { combineShares, lagrangeAtZero } from '../../packages/secagg/src/shamir.ts';
import { crypto } from './network.ts';
import recorded from './vectors/single-values.json' with { type: 'json' };

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
const real = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
};
const framed = (value: Buffer | string): Buffer => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);

describe('the complaint', () => {
  const { id, about, sid, signingSeed, message } = recorded.complaint;

  it('is what the code gives and takes', () => {
    const made = signComplaint(crypto, fromHex(signingSeed), fromHex(sid), id, about);
    expect(toHex(encodeComplaint(fromHex(sid), made))).toBe(message);
    const read = decodeComplaint(fromHex(sid), fromHex(message));
    expect(verifyComplaint(crypto, crypto.ed25519PublicKey(fromHex(signingSeed)), fromHex(sid), read)).toBe(true);
  });

  it('is what the page says', () => {
    const key = createPrivateKey({ key: hex(`302e020100300506032b657004220420${signingSeed}`), format: 'der', type: 'pkcs8' });
    const fields = [framed(id), framed(about)];
    const signed = Buffer.concat([framed('sotto-secagg/1 sig complaint'), framed(hex(sid)), ...fields]);
    const signature = sign(null, signed, key);
    expect(verify(null, signed, createPublicKey(key), signature)).toBe(true);
    expect(Buffer.concat([Buffer.of(1, 11), framed(hex(sid)), ...fields, framed(signature)]).toString('hex')).toBe(message);
  });
});

/** A context as JSON has it: bytes in hexadecimal. */
type Recorded = (typeof recorded.contexts)[number]['context'];

function contextOf(json: Recorded): RoundContext {
  const bytes = {
    modelHash: fromHex(json.modelHash),
    planHash: fromHex(json.planHash),
    coordinatorKey: fromHex(json.coordinatorKey),
  };
  return { ...(json as unknown as RoundContext), ...bytes };
}

describe.each(recorded.contexts)('the context of a round, $context.noise.mechanism, $context.graph.kind', ({ context, ctx }) => {
  it('has the recorded hash', () => {
    expect(toHex(contextHash(crypto, contextOf(context)))).toBe(ctx);
  });

  it('has the hash that the page says', () => {
    const { vectors, quantiser, noise, cohort, graph } = contextOf(context);
    const parts = [
      framed('sotto-secagg/1 ctx'),
      ...[context.suite, context.mode, context.runId].map(framed),
      u64(context.round),
      u32(context.attempt),
      framed(hex(context.modelHash)),
      framed(hex(context.planHash)),
      u32(vectors.length),
      ...vectors.flatMap(({ name, length, bits }) => [framed(name), u32(length), u32(bits)]),
      ...[real(quantiser.clip), real(quantiser.scale), u32(quantiser.bits)],
      ...[framed(noise.mechanism), real(noise.localVariance), u32(noise.honestMinimum)],
      ...(noise.vector === undefined ? [] : [framed(noise.vector)]),
      ...[cohort.gammaNumerator, cohort.gammaDenominator, cohort.cMin, cohort.nMin, cohort.nMax, cohort.hMin].map(u32),
      framed(graph.kind),
      ...(graph.kind === 'harary' ? [u32(graph.dropoutNumerator), u32(graph.dropoutDenominator)] : []),
      u64(context.deadlineMs),
      framed(hex(context.coordinatorKey)),
    ];
    expect(createHash('sha256').update(Buffer.concat(parts)).digest('hex')).toBe(ctx);
  });
});

/** Multiplication modulo x^16 + x^12 + x^3 + x + 1, bit by bit. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 15; bit >= 0; bit--) {
    product <<= 1;
    if (product & 0x10000) product ^= 0x1100b;
    if ((b >>> bit) & 1) product ^= a;
  }
  return product;
}

describe('shares over GF(2^16)', () => {
  const { secret, threshold, shares } = recorded.shares;

  it('give the secret, by the code and by the page', () => {
    for (const left of shares) {
      const some = shares.filter((share) => share !== left);
      expect(some.length).toBe(threshold);
      const points = some.map(({ x }) => x);
      const bytes = some.map(({ share }) => fromHex(share));
      expect(toHex(combineShares(gf65536, bytes, lagrangeAtZero(gf65536, points)))).toBe(secret);
      // Lagrange at zero: Π x_j / (x_j − x_i), the inverse being the power 2^16 − 2.
      const inverse = (a: number): number => {
        let square = a;
        let power = 1;
        for (let bit = 1; bit < 16; bit++) {
          square = times(square, square);
          power = times(power, square);
        }
        return power;
      };
      const words = Array.from({ length: 16 }, (_, e) =>
        some.reduce((sum, { x, share }) => {
          let factor = 1;
          for (const other of points) if (other !== x) factor = times(factor, times(other, inverse(other ^ x)));
          return sum ^ times(factor, hex(share).readUInt16BE(2 * e));
        }, 0),
      );
      expect(words.map((word) => word.toString(16).padStart(4, '0')).join('')).toBe(secret);
    }
  });
});
