/**
 * A plain FFT accountant in a few lines: losses rounded to a grid, composed by the power of their Fourier transform. An estimate with
 * no bound on its error; an independent check of the library's accountants to about 1e-3, and, with a narrow window, a seeded bug.
 */

function transform(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let length = 2; length <= n; length <<= 1) {
    const half = length >> 1;
    for (let k = 0; k < half; k++) {
      const angle = (-2 * Math.PI * k) / length;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let i = k; i < n; i += length) {
        const j = i + half;
        const tr = re[j]! * c - im[j]! * s;
        const ti = re[j]! * s + im[j]! * c;
        re[j] = re[i]! - tr;
        im[j] = im[i]! - ti;
        re[i] = re[i]! + tr;
        im[i] = im[i]! + ti;
      }
    }
  }
}

/** What one step does to a sum with N(0, σ²): adds `shifts[k]` with probability `weights[k]` if the record is there. */
export interface MixtureStep {
  readonly sigma: number;
  readonly shifts: readonly number[];
  readonly weights: readonly number[];
}

/** ε at δ of `steps` steps in one direction, on a circular window of `size` cells of width `width`. */
export function fftEpsilon(
  step: MixtureStep,
  direction: 'remove' | 'add',
  steps: number,
  delta: number,
  window: { readonly size: number; readonly width: number },
): number {
  const { size, width } = window;
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  const { sigma, shifts, weights } = step;
  const top = Math.max(...shifts);
  const cells = 100_000;
  const dx = (20 * sigma + top) / cells;
  for (let i = 0; i < cells; i++) {
    const x = -10 * sigma + (i + 0.5) * dx;
    const q = Math.exp((-x * x) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI));
    let ratio = 0;
    shifts.forEach((shift, k) => (ratio += weights[k]! * Math.exp((2 * x * shift - shift * shift) / (2 * sigma * sigma))));
    const loss = direction === 'remove' ? Math.log(ratio) : -Math.log(ratio);
    const mass = (direction === 'remove' ? q * ratio : q) * dx;
    const cell = ((Math.round(loss / width) % size) + size) % size;
    re[cell] = re[cell]! + mass;
  }
  transform(re, im);
  for (let i = 0; i < size; i++) {
    const modulus = Math.hypot(re[i]!, im[i]!) ** steps;
    const angle = Math.atan2(im[i]!, re[i]!) * steps;
    re[i] = modulus * Math.cos(angle);
    im[i] = modulus * Math.sin(angle);
  }
  // The inverse transform is the forward one read backwards.
  transform(re, im);
  const mass = (loss: number): number => re[(size - loss) % size]! / size;
  let weighted = 0;
  let tail = 0;
  for (let k = size / 2 - 1; k > 0; k--) {
    // δ(ε) = Σ_{loss > ε} p·(1 − e^(ε − loss)), kept as Σ p and Σ p·e^−loss.
    tail += mass(k);
    weighted += mass(k) * Math.exp(-k * width);
    const epsilon = (k - 1) * width;
    if (tail - Math.exp(epsilon) * weighted > delta) return epsilon;
  }
  return 0;
}
