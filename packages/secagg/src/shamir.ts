/**
 * Shamir's secret sharing over GF(2^8) or GF(2^16), byte string by byte string: t shares open a secret, t − 1 say nothing
 * about it. Evaluation points are 1, 2, …, m.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { RandomSource } from '@sotto/core/random';
import { Slices } from './bit-slices.ts';
import { addMultiple, fieldFor, invert, multiply, toBytes, toWords } from './field.ts';
import type { Field } from './field.ts';

/**
 * Splits `secret` (length a multiple of 4) into m shares of the same length; share k belongs to the point k + 1. The
 * t − 1 further coefficients of each element are fresh and uniform, zero included.
 */
export function splitSecret(secret: Uint8Array, t: number, m: number, random: RandomSource): Uint8Array[] {
  check.integer('m', m, 1, 0xffff);
  check.integer('t', t, 1, m);
  if (secret.length === 0 || secret.length % 4 !== 0) {
    throw new SottoError('invalid-argument', `a secret has ${secret.length} bytes; it must have a multiple of 4`);
  }
  const slices = new Slices(fieldFor(m), secret.length);
  // Uniform bits are uniform coefficients in whatever order they lie, so only the secret is cut into planes.
  const higher = slices.randomCoefficients(t - 1, random);
  const constant = slices.fromBytes(secret);
  const value = slices.zero();
  const scratch = slices.zero();
  const shares: Uint8Array[] = [];
  for (let x = 1; x <= m; x++) {
    value.fill(0);
    for (let k = t - 2; k >= 0; k--) slices.hornerStep(value, x, higher, k * value.length, scratch);
    slices.hornerStep(value, x, constant, 0, scratch);
    shares.push(slices.toBytes(value));
  }
  for (const words of [higher, constant, value, scratch]) words.fill(0);
  return shares;
}

/** Lagrange coefficients at zero for distinct public points. */
export function lagrangeAtZero(field: Field, points: readonly number[]): number[] {
  return points.map((x, i) => {
    let numerator = 1;
    let denominator = 1;
    for (const [j, other] of points.entries()) {
      if (j === i) continue;
      numerator = multiply(field, numerator, other);
      denominator = multiply(field, denominator, x ^ other);
    }
    if (denominator === 0) throw new SottoError('invalid-argument', `the evaluation point ${x} is there twice`);
    return multiply(field, numerator, invert(field, denominator));
  });
}

/** Σ factor_i · share_i: with Lagrange coefficients, the secret. */
export function combineShares(field: Field, shares: readonly Uint8Array[], factors: readonly number[]): Uint8Array {
  const sum = new Uint32Array(shares[0]!.length / 4);
  for (const [i, share] of shares.entries()) addMultiple(field, sum, toWords(share), factors[i]!);
  return toBytes(sum);
}
