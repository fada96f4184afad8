/**
 * Degree and threshold of a random Harary graph after Bell et al. 2020 (CCS), by the rule of its reference
 * implementation: the smallest even k with which, but for 2^−40, nobody's honest neighbours are all lost or corrupt and no
 * two parts of the graph come apart, and, but for 2^−20, no neighbourhood loses too many.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';

/** Statistical security against a corrupt neighbourhood, in bits. */
const SECURITY_BITS = 40;
/** Failure by too many drop-outs, in bits. */
const FAILURE_BITS = 20;

/** k neighbours a member and t shares to open a secret; t counts neighbours, without the member's own share. */
export interface GraphParameters {
  readonly degree: number;
  readonly threshold: number;
}

/** ln Γ(n + 1) for n = 0, 1, …, so that hypergeometric terms are sums of a few table entries. */
function logFactorials(n: number): Float64Array {
  const table = new Float64Array(n + 1);
  for (let i = 2; i <= n; i++) table[i] = table[i - 1]! + Math.log(i);
  return table;
}

/**
 * The rule for `n` members of which a fraction `adversarial` is corrupt and a fraction `dropout` may be lost, in
 * `semi-honest` mode or for `semi-malicious` servers (which only serves comparison with the reference; it is not a
 * malicious mode). `undefined` where no degree below n − 1 qualifies: then the complete graph is the answer.
 */
export function graphParameters(
  n: number,
  adversarial: number,
  dropout: number,
  mode: 'semi-honest' | 'semi-malicious' = 'semi-honest',
): GraphParameters | undefined {
  check.integer('n', n, 0, 10_000_000);
  check.probability('adversarial', adversarial);
  check.probability('dropout', dropout);
  const load = adversarial + (mode === 'semi-malicious' ? 2 : 1) * dropout;
  if (load > 0.9) return undefined;
  const corrupt = Math.floor(adversarial * n);
  const lost = Math.floor(dropout * n);
  const surviving = Math.ceil((1 - dropout) * n);
  const tables = logFactorials(n);
  let low = 1;
  let high = Math.floor((n - 2) / 2); // in pairs: k = 2·half < n − 1
  if (high < low) return undefined;
  const fits = (half: number): number | undefined => thresholdFor(n, 2 * half, corrupt, lost, surviving, mode, tables);
  // The conditions only get easier with k but for steps of one, so the search ends with a short walk down.
  if (fits(high) === undefined) return undefined;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle) === undefined) low = middle + 1;
    else high = middle;
  }
  for (let half = low - 1; half >= 1 && low - half <= 64; half--) if (fits(half) !== undefined) low = half;
  const threshold = fits(low);
  if (threshold === undefined) throw new SottoError('internal', 'the search of the degree lost its result');
  return { degree: 2 * low, threshold };
}

function thresholdFor(
  n: number,
  k: number,
  corrupt: number,
  lost: number,
  surviving: number,
  mode: 'semi-honest' | 'semi-malicious',
  logs: Float64Array,
): number | undefined {
  if (!staysConnected(n, k, corrupt + lost, logs)) return undefined;
  const corruptBound = smallestAbove(n, corrupt, k, -(SECURITY_BITS + 1) * Math.LN2, logs);
  const lower = mode === 'semi-malicious' ? Math.ceil((corruptBound + k - 1.25) / 2) : corruptBound;
  const upper = largestBelow(n, surviving, k, -FAILURE_BITS * Math.LN2, logs);
  return lower < upper ? Math.max(lower + 1, 2) : undefined;
}

/** Union bound over the two places at which k/2 neighbours in a row, all of them bad, cut the ring. */
function staysConnected(n: number, k: number, bad: number, logs: Float64Array): boolean {
  if (bad < k) return true;
  if (n - k - 1 <= 0) return false;
  const log = Math.log(n) + Math.log(n - k - 1) - Math.LN2 + logs[bad]! + logs[n - k]! - logs[n]! - logs[bad - k]!;
  return log < -(SECURITY_BITS + 1) * Math.LN2;
}

/** ln of the hypergeometric probability of `x` marked among `k` drawn, of `n` with `marked`. */
function logPmf(n: number, marked: number, k: number, x: number, logs: Float64Array): number {
  if (x < 0 || x > marked || x > k || k - x > n - marked) return -Infinity;
  const choose = (a: number, b: number): number => logs[a]! - logs[b]! - logs[a - b]!;
  return choose(marked, x) + choose(n - marked, k - x) - choose(n, k);
}

/** The least x with n·Pr[Hyp > x] below e^`bound`. */
function smallestAbove(n: number, marked: number, k: number, bound: number, logs: Float64Array): number {
  let tail = 0;
  for (let x = Math.min(marked, k); x >= 0; x--) {
    tail += Math.exp(logPmf(n, marked, k, x, logs)); // Pr[Hyp > x − 1]
    if (Math.log(n) + Math.log(tail) >= bound) return x;
  }
  return 0;
}

/** The greatest t with n·Pr[Hyp < t] below e^`bound`. */
function largestBelow(n: number, marked: number, k: number, bound: number, logs: Float64Array): number {
  let tail = 0;
  for (let t = 1; t <= k; t++) {
    tail += Math.exp(logPmf(n, marked, k, t - 1, logs)); // Pr[Hyp < t]
    if (Math.log(n) + Math.log(tail) >= bound) return t - 1;
  }
  return k;
}
