/** The FFT against the defining sum, and its stated error bound. */
import { describe, expect, it } from 'vitest';
import { fftErrorBound, fftLength, RealFft } from '../../../../packages/dp/src/accounting/pld/fft.ts';

function samples(n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => Math.sin(i * i + 1) + (i % 5) / 7);
}

describe('RealFft', () => {
  it.each([16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 768])('is the defining sum at length %i', (n) => {
    const x = samples(n);
    const fft = new RealFft(n);
    fft.forward(x);
    const norm = x.reduce((sum, v) => sum + Math.abs(v), 0);
    for (let k = 0; k <= n / 2; k++) {
      let re = 0;
      let im = 0;
      for (let s = 0; s < n; s++) {
        const angle = (2 * Math.PI * ((k * s) % n)) / n;
        re += x[s]! * Math.cos(angle);
        im -= x[s]! * Math.sin(angle);
      }
      // The reference sum itself is good to about n ulps.
      expect(Math.hypot(re - fft.re[k]!, im - fft.im[k]!)).toBeLessThan(norm * (fftErrorBound(n) + n * 1e-16));
    }
  });

  it.each([4096, 49152, 65536])('inverts at length %i', (n) => {
    const x = samples(n);
    const fft = new RealFft(n);
    fft.forward(x);
    const back = new Float64Array(n);
    fft.inverse(back);
    expect(Math.max(...back.map((v, i) => Math.abs(v - x[i]!)))).toBeLessThan(1e-13);
  });

  it('offers lengths 2^k and 3·2^k and refuses others', () => {
    expect([1, 17, 24, 25, 48, 49, 65].map(fftLength)).toEqual([16, 24, 24, 32, 48, 64, 96]);
    expect(() => new RealFft(20)).toThrow('FFT length 20');
  });
});
