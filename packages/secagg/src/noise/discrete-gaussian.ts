/**
 * Exact samples of the discrete Gaussian (Canonne, Kamath and Steinke 2020, Algorithms 1 to 3): every decision is a comparison
 * of a uniform real, given bit by bit, with exp(−a/b) for integers a and b. Floating point only speeds it up: where a 53-bit
 * comparison is not beyond doubt, the same decision is taken in integers.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import type { RandomSource } from '@sotto/core/random';

/** A uniform closer than this to the threshold is compared in integers; the error of the double is below 2^−50. */
const DOUBT = 2 ** -46;

/** Uniform bits from a source, drawn in blocks. */
export class UniformBits {
  readonly #random: RandomSource;
  readonly #pool: Uint32Array = new Uint32Array(1024);
  #used: number = this.#pool.length;

  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** 32 uniform bits. */
  word(): number {
    if (this.#used === this.#pool.length) {
      this.#random.fill(new Uint8Array(this.#pool.buffer));
      this.#used = 0;
    }
    const word = this.#pool[this.#used]!;
    this.#pool[this.#used++] = 0;
    return word;
  }

  /** 53 uniform bits as an integer. */
  integer53(): number {
    return (this.word() >>> 5) * 67108864 + (this.word() >>> 6);
  }

  /** Uniform among 0 … bound − 1, bound ≤ 2^32, without bias. */
  below(bound: number): number {
    const limit = 4294967296 - (4294967296 % bound);
    let word = this.word();
    while (word >= limit) word = this.word();
    return word % bound;
  }
}

/** One bit that is 1 with probability exp(−numerator/denominator), exactly; both are non-negative safe integers or bigints. */
export function bernoulliExp(bits: UniformBits, numerator: number | bigint, denominator: number | bigint): boolean {
  const threshold = Math.exp(-Number(numerator) / Number(denominator));
  const first = bits.integer53();
  const uniform = first * 2 ** -53; // the real lies in [uniform, uniform + 2^−53)
  if (uniform > threshold + DOUBT) return false;
  if (uniform < threshold - DOUBT) return true;
  return compareExactly(bits, BigInt(first), BigInt(numerator), BigInt(denominator));
}

/** Whether the uniform real that begins with 53 given bits is below exp(−a/b): more bits of both until they part. */
function compareExactly(bits: UniformBits, first: bigint, a: bigint, b: bigint): boolean {
  let uniform = first;
  let length = 53n;
  for (;;) {
    uniform = (uniform << 32n) | BigInt(bits.word());
    length += 32n;
    const { low, high } = expInterval(a, b, length);
    if (uniform + 1n <= low) return true;
    if (uniform >= high) return false;
  }
}

/** Integers around 2^length·exp(−a/b). */
function expInterval(a: bigint, b: bigint, length: bigint): { readonly low: bigint; readonly high: bigint } {
  // exp(−a/b) = exp(−a/(b·2^k))^(2^k), with the inner exponent at most 1; guard bits take up the errors of the squarings.
  let k = 0n;
  while (a > b << k) k++;
  const guard = length + 2n * k + 64n;
  const one = 1n << guard;
  let term = one;
  let sum = one;
  for (let n = 1n; term !== 0n; n++) {
    term = (term * a) / ((b << k) * n);
    sum += n % 2n === 1n ? -term : term;
  }
  let value = sum;
  for (let i = 0n; i < k; i++) value = (value * value) >> guard;
  const scaled = value >> (guard - length);
  // Each of the terms and squarings is off by at most one unit of 2^−guard, doubled at each squaring: far below one unit here.
  return { low: scaled - 1n, high: scaled + 2n };
}

/** One sample of the discrete Laplace distribution of integer scale t: P(x) ∝ exp(−|x|/t). */
function discreteLaplace(bits: UniformBits, t: number): number {
  for (;;) {
    const remainder = bits.below(t);
    if (!bernoulliExp(bits, remainder, t)) continue;
    let quotient = 0;
    while (bernoulliExp(bits, 1, 1)) quotient++;
    const magnitude = remainder + t * quotient;
    const negative = (bits.word() & 1) === 1;
    if (negative && magnitude === 0) continue;
    return negative ? -magnitude : magnitude;
  }
}

/**
 * Independent samples of N_Z(0, variance): P(x) ∝ exp(−x²/(2·variance)). `variance` is an integer from 1 to 2^40, so
 * that no rounding enters.
 */
export function discreteGaussian(random: RandomSource, variance: number, length: number): Float64Array {
  check.integer('variance', variance, 1, 2 ** 40);
  check.integer('length', length, 0);
  const bits = new UniformBits(random);
  const t = Math.floor(Math.sqrt(variance)) + 1;
  const denominator = 2n * BigInt(variance) * BigInt(t) * BigInt(t);
  const out = new Float64Array(length);
  for (let i = 0; i < length;) {
    const candidate = discreteLaplace(bits, t);
    // (|y| − σ²/t)² / (2σ²) = (|y|·t − σ²)² / (2σ²t²)
    const distance = Math.abs(candidate) * t - variance;
    if (bernoulliExpSquare(bits, distance, variance, t, denominator)) out[i++] = candidate;
  }
  return out;
}

/** Bernoulli(exp(−distance²/(2·variance·t²))); the squares leave the safe integers, so the double is built from a quotient. */
function bernoulliExpSquare(bits: UniformBits, distance: number, variance: number, t: number, denominator: bigint): boolean {
  const quotient = distance / t; // relative error 2^−53; the exponent's is below 2^−51
  const threshold = Math.exp(-(quotient * quotient) / (2 * variance));
  const first = bits.integer53();
  const uniform = first * 2 ** -53;
  if (uniform > threshold + DOUBT) return false;
  if (uniform < threshold - DOUBT) return true;
  const whole = BigInt(distance);
  return compareExactly(bits, BigInt(first), whole * whole, denominator);
}
