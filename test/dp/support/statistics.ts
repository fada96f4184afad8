/**
 * Statistics for distribution tests, computed independently of the packages: integrals by Simpson's rule, tail probabilities of χ² by
 * its series, the Kolmogorov distribution by its theta series.
 */

/** Φ(x) by Simpson's rule on the density, to about 1e-12. */
export function normalCdf(x: number): number {
  if (x < -9) return 0;
  if (x > 9) return 1;
  const steps = 2000;
  const h = x / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) sum += (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(-((i * h) ** 2) / 2);
  return 0.5 + (h / 3 / Math.sqrt(2 * Math.PI)) * sum;
}

/** P(χ² with `degrees` degrees of freedom > x), by the regularised incomplete gamma series (or the normal limit far out). */
export function chiSquareTail(x: number, degrees: number): number {
  const a = degrees / 2;
  const z = x / 2;
  let logGamma = 0; // log Γ(a) by recurrence down to 1/2 or 1
  let s = a;
  while (s > 1) {
    s -= 1;
    logGamma += Math.log(s);
  }
  if (s === 0.5) logGamma += 0.5 * Math.log(Math.PI);
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < 100_000 && term > sum * 1e-16; n++) {
    term *= z / (a + n);
    sum += term;
  }
  return Math.max(0, 1 - Math.exp(a * Math.log(z) - z - logGamma) * sum);
}

/** The p-value of observed counts against expected ones; cells with few expected counts are joined with their neighbours. */
export function chiSquareTest(observed: readonly number[], expected: readonly number[]): number {
  const cells: { o: number; e: number }[] = [];
  let open = { o: 0, e: 0 };
  observed.forEach((o, i) => {
    open.o += o;
    open.e += expected[i]!;
    if (open.e >= 10) {
      cells.push(open);
      open = { o: 0, e: 0 };
    }
  });
  const last = cells.at(-1)!;
  last.o += open.o;
  last.e += open.e;
  return chiSquareTail(
    cells.reduce((sum, { o, e }) => sum + (o - e) ** 2 / e, 0),
    cells.length - 1,
  );
}

/** The p-value of the Kolmogorov–Smirnov statistic of samples against a distribution function. */
export function kolmogorovTest(samples: readonly number[], cdf: (x: number) => number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  let d = 0;
  sorted.forEach((x, i) => {
    const f = cdf(x);
    d = Math.max(d, Math.abs(f - i / sorted.length), Math.abs((i + 1) / sorted.length - f));
  });
  const t = d * Math.sqrt(sorted.length);
  let p = 0;
  for (let k = 1; k < 100; k++) p += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * t * t);
  return Math.min(1, Math.max(0, p));
}

/** Mean, variance, and standardised fourth moment. */
export function moments(samples: ArrayLike<number>): { mean: number; variance: number; kurtosis: number } {
  const n = samples.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += samples[i]! / n;
  let m2 = 0;
  let m4 = 0;
  for (let i = 0; i < n; i++) {
    const d = (samples[i]! - mean) ** 2;
    m2 += d / n;
    m4 += (d * d) / n;
  }
  return { mean, variance: m2, kurtosis: m4 / (m2 * m2) };
}
