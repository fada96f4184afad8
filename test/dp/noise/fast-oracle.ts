/**
 * An oracle for the tail of the normal distribution in integers of 384 bits after the point, by a series that the packages do not use:
 * P(|X| > b) = 1 − Σₙ b^(2n+1)/(2n+1)!! / (√(π/2)·e^(b²/2)), all terms positive. Good to better than 2⁻³⁰⁰ for b ≤ 16.
 */
export const ORACLE_BITS = 384n;
const ONE = 1n << ORACLE_BITS;

/** √(π/2), with π by the arithmetic-geometric mean (Gauss, Legendre). */
function rootHalfPi(): bigint {
  const bits = ORACLE_BITS + 64n;
  const one = 1n << bits;
  let a = one;
  let b = root((one * one) / 2n);
  let t = one / 4n;
  for (let power = 1n; a - b > 4n; power *= 2n) {
    const mean = (a + b) / 2n;
    t -= (power * (a - mean) * (a - mean)) >> bits;
    b = root(a * b);
    a = mean;
  }
  const pi = ((a + b) * (a + b)) / (4n * t);
  return root((pi * one) / 2n) >> 64n;
}

function root(value: bigint): bigint {
  let low = 0n;
  let high = 1n << BigInt(value.toString(16).length * 2 + 1);
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle * middle <= value) low = middle;
    else high = middle;
  }
  return low;
}

const ROOT_HALF_PI = rootHalfPi();

/** e^(b²/2)·√(π/2) on the oracle's grid. */
export function oracleSlope(b: bigint): bigint {
  // (e^(z/2¹⁶))^(2¹⁶) with 64 more bits.
  const z = (b * b) >> (ORACLE_BITS + 1n);
  let sum = 0n;
  let term = ONE << 64n;
  for (let n = 1n; term > 0n; n++) {
    sum += term;
    term = (term * z) / (n << (ORACLE_BITS + 16n));
  }
  for (let i = 0; i < 16; i++) sum = (sum * sum) >> (ORACLE_BITS + 64n);
  return (sum * ROOT_HALF_PI) >> (ORACLE_BITS + 64n);
}

/** 2³⁸⁴·P(|X| > b/2³⁸⁴). */
export function oracleTail(b: bigint): bigint {
  if (b <= 0n) return ONE;
  const square = (b * b) >> ORACLE_BITS;
  let sum = 0n;
  let term = b;
  for (let n = 3n; term > 0n; n += 2n) {
    sum += term;
    term = ((term * square) >> ORACLE_BITS) / n;
  }
  return ONE - (sum << ORACLE_BITS) / oracleSlope(b);
}

/** A double on the oracle's grid, exactly. */
export function onGrid(value: number): bigint {
  let scaled = value;
  let exponent = 0n;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    exponent++;
  }
  return (BigInt(scaled) << ORACLE_BITS) >> exponent;
}

/** P(|X| > (m − ½)/2ᵏ), the boundary below magnitude m. */
export function boundary(m: number, scaleBits: number): bigint {
  return m <= 0 ? ONE : oracleTail((BigInt(2 * m - 1) << ORACLE_BITS) >> BigInt(scaleBits + 1));
}

/** 2³⁸⁴·φ(b/2³⁸⁴) for b of either sign, to better than 2⁻³⁰⁰. */
export function oracleDensity(b: bigint): bigint {
  return (ONE << (ORACLE_BITS - 1n)) / oracleSlope(b < 0n ? -b : b);
}

/** The oracle's number as a double. */
export const toNumber = (value: bigint): number => Number(value >> (ORACLE_BITS - 100n)) / 2 ** 100;
