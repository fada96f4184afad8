/**
 * The discrete Fourier transform of real sequences in double precision, for lengths 2^k and 3·2^k.
 *
 * A real sequence of length N is packed into N/2 complex numbers, which go through a self-sorting (Stockham) transform of
 * radix 4, with one pass of radix 2 or 3 at the end; there is no bit reversal and no dependency. Every output is off by at
 * most {@link fftErrorBound} times the 1-norm of the input.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** A bound on |computed − exact| of every output of a transform of length `size`, for an input of 1-norm 1. */
export function fftErrorBound(size: number): number {
  // Each butterfly level costs a complex multiplication by a twiddle that is itself rounded, and up to two additions:
  // below 5 units in the last place (2^-53) per factor of two.
  return 5 * 2 ** -53 * Math.ceil(Math.log2(size) + 1);
}

/** The least length of the form 2^k or 3·2^k that is at least `minimum` (and at least 16). */
export function fftLength(minimum: number): number {
  let size = 16;
  while (size < minimum) size *= 2;
  const three = (size / 4) * 3;
  return size > 16 && three >= minimum ? three : size;
}

/** cos and −sin of 2π·k/size for k < count, each rounded from two exactly rounded factors. */
function twiddles(size: number, count: number): { cos: Float64Array; sin: Float64Array } {
  const cos = new Float64Array(count);
  const sin = new Float64Array(count);
  const block = 256;
  const fineCos = new Float64Array(block);
  const fineSin = new Float64Array(block);
  for (let i = 0; i < block; i++) {
    fineCos[i] = Math.cos((2 * Math.PI * i) / size);
    fineSin[i] = -Math.sin((2 * Math.PI * i) / size);
  }
  for (let start = 0; start < count; start += block) {
    const a = Math.cos((2 * Math.PI * start) / size);
    const b = -Math.sin((2 * Math.PI * start) / size);
    const end = Math.min(block, count - start);
    for (let i = 0; i < end; i++) {
      cos[start + i] = a * fineCos[i]! - b * fineSin[i]!;
      sin[start + i] = a * fineSin[i]! + b * fineCos[i]!;
    }
  }
  return { cos, sin };
}

/** A transform of one length: its tables and its scratch memory. */
export class RealFft {
  /** The length N of the real sequences. */
  readonly size: number;
  /** Real and imaginary parts of bins 0 … N/2 after {@link forward}; input of {@link inverse}. */
  readonly re: Float64Array;
  readonly im: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #buffers: readonly [Float64Array, Float64Array, Float64Array, Float64Array];

  /** @throws SottoError `internal` unless `size` came from {@link fftLength} */
  constructor(size: number) {
    if (fftLength(size) !== size) throw new SottoError('internal', `FFT length ${size} is neither 2^k nor 3·2^k`);
    this.size = size;
    const half = size / 2;
    this.re = new Float64Array(half + 1);
    this.im = new Float64Array(half + 1);
    const table = twiddles(size, size);
    this.#cos = table.cos;
    this.#sin = table.sin;
    this.#buffers = [new Float64Array(half), new Float64Array(half), new Float64Array(half), new Float64Array(half)];
  }

  /** Bins 0 … N/2 of Σ x[s]·e^(−2πi·k·s/N), into `re` and `im`. */
  forward(input: Float64Array): void {
    const half = this.size / 2;
    const [a, b, c, d] = this.#buffers;
    for (let i = 0; i < half; i++) {
      a[i] = input[2 * i]!;
      b[i] = input[2 * i + 1]!;
    }
    const swapped = this.#complex(a, b, c, d);
    const re = swapped ? c : a;
    const im = swapped ? d : b;
    for (let k = 0; k <= half; k++) {
      const j = k === half ? 0 : k;
      const m = k === 0 ? 0 : half - k;
      const evenRe = 0.5 * (re[j]! + re[m]!);
      const evenIm = 0.5 * (im[j]! - im[m]!);
      const oddRe = 0.5 * (im[j]! + im[m]!);
      const oddIm = 0.5 * (re[m]! - re[j]!);
      const cos = this.#cos[k]!;
      const sin = this.#sin[k]!;
      this.re[k] = evenRe + cos * oddRe - sin * oddIm;
      this.im[k] = evenIm + cos * oddIm + sin * oddRe;
    }
  }

  /** The real sequence whose bins are `re` and `im`, 1/N included, into `output`. */
  inverse(output: Float64Array): void {
    const half = this.size / 2;
    const [a, b, c, d] = this.#buffers;
    for (let k = 0; k < half; k++) {
      const m = half - k;
      const evenRe = 0.5 * (this.re[k]! + this.re[m]!);
      const evenIm = 0.5 * (this.im[k]! - this.im[m]!);
      const diffRe = 0.5 * (this.re[k]! - this.re[m]!);
      const diffIm = 0.5 * (this.im[k]! + this.im[m]!);
      const cos = this.#cos[k]!;
      const sin = -this.#sin[k]!;
      const oddRe = diffRe * cos - diffIm * sin;
      const oddIm = diffRe * sin + diffIm * cos;
      // Conjugate in, conjugate out: the same forward transform inverts.
      a[k] = evenRe - oddIm;
      b[k] = -(evenIm + oddRe);
    }
    const swapped = this.#complex(a, b, c, d);
    const re = swapped ? c : a;
    const im = swapped ? d : b;
    const scale = 1 / half;
    for (let i = 0; i < half; i++) {
      output[2 * i] = re[i]! * scale;
      output[2 * i + 1] = -im[i]! * scale;
    }
  }

  /** Transforms (a, b) of length N/2; the result is in (c, d) if true is returned, else in (a, b). */
  #complex(a: Float64Array, b: Float64Array, c: Float64Array, d: Float64Array): boolean {
    let xr = a;
    let xi = b;
    let yr = c;
    let yi = d;
    let n = this.size / 2;
    let stride = 1;
    while (n % 4 === 0) {
      this.#radix4(n, stride, xr, xi, yr, yi);
      n /= 4;
      stride *= 4;
      [xr, xi, yr, yi] = [yr, yi, xr, xi];
    }
    if (n % 2 === 0) {
      this.#radix2(n, stride, xr, xi, yr, yi);
      n /= 2;
      stride *= 2;
      [xr, xi, yr, yi] = [yr, yi, xr, xi];
    }
    if (n === 3) {
      radix3(stride, xr, xi, yr, yi);
      [xr, xi, yr, yi] = [yr, yi, xr, xi];
    }
    return xr === c;
  }

  #radix4(n: number, s: number, xr: Float64Array, xi: Float64Array, yr: Float64Array, yi: Float64Array): void {
    const quarter = n / 4;
    const step = this.size / n;
    const cos = this.#cos;
    const sin = this.#sin;
    const jump = s * quarter;
    for (let p = 0; p < quarter; p++) {
      const t = p * step;
      const c1 = cos[t]!;
      const s1 = sin[t]!;
      const c2 = cos[2 * t]!;
      const s2 = sin[2 * t]!;
      const c3 = cos[3 * t]!;
      const s3 = sin[3 * t]!;
      let i = s * p;
      let o = 4 * s * p;
      for (let q = 0; q < s; q++, i++, o++) {
        const ar = xr[i]!;
        const ai = xi[i]!;
        const br = xr[i + jump]!;
        const bi = xi[i + jump]!;
        const cr = xr[i + 2 * jump]!;
        const ci = xi[i + 2 * jump]!;
        const dr = xr[i + 3 * jump]!;
        const di = xi[i + 3 * jump]!;
        const apcR = ar + cr;
        const apcI = ai + ci;
        const amcR = ar - cr;
        const amcI = ai - ci;
        const bpdR = br + dr;
        const bpdI = bi + di;
        // −i·(b − d)
        const bmdR = bi - di;
        const bmdI = dr - br;
        yr[o] = apcR + bpdR;
        yi[o] = apcI + bpdI;
        const ur = amcR + bmdR;
        const ui = amcI + bmdI;
        yr[o + s] = ur * c1 - ui * s1;
        yi[o + s] = ur * s1 + ui * c1;
        const vr = apcR - bpdR;
        const vi = apcI - bpdI;
        yr[o + 2 * s] = vr * c2 - vi * s2;
        yi[o + 2 * s] = vr * s2 + vi * c2;
        const wr = amcR - bmdR;
        const wi = amcI - bmdI;
        yr[o + 3 * s] = wr * c3 - wi * s3;
        yi[o + 3 * s] = wr * s3 + wi * c3;
      }
    }
  }

  #radix2(n: number, s: number, xr: Float64Array, xi: Float64Array, yr: Float64Array, yi: Float64Array): void {
    const half = n / 2;
    const step = this.size / n;
    const jump = s * half;
    for (let p = 0; p < half; p++) {
      const c = this.#cos[p * step]!;
      const w = this.#sin[p * step]!;
      let i = s * p;
      let o = 2 * s * p;
      for (let q = 0; q < s; q++, i++, o++) {
        const ar = xr[i]!;
        const ai = xi[i]!;
        const br = xr[i + jump]!;
        const bi = xi[i + jump]!;
        yr[o] = ar + br;
        yi[o] = ai + bi;
        const dr = ar - br;
        const di = ai - bi;
        yr[o + s] = dr * c - di * w;
        yi[o + s] = dr * w + di * c;
      }
    }
  }
}

/** The last pass of lengths with a factor 3: no twiddles are left. */
function radix3(s: number, xr: Float64Array, xi: Float64Array, yr: Float64Array, yi: Float64Array): void {
  const root = Math.sqrt(3) / 2;
  for (let i = 0; i < s; i++) {
    const ar = xr[i]!;
    const ai = xi[i]!;
    const br = xr[i + s]!;
    const bi = xi[i + s]!;
    const cr = xr[i + 2 * s]!;
    const ci = xi[i + 2 * s]!;
    const sumR = br + cr;
    const sumI = bi + ci;
    const midR = ar - 0.5 * sumR;
    const midI = ai - 0.5 * sumI;
    const rotR = root * (bi - ci);
    const rotI = root * (cr - br);
    yr[i] = ar + sumR;
    yi[i] = ai + sumI;
    yr[i + s] = midR + rotR;
    yi[i + s] = midI + rotI;
    yr[i + 2 * s] = midR - rotR;
    yi[i + 2 * s] = midI - rotI;
  }
}
