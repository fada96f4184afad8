import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromUtf8 } from '@sotto/core/bytes';
import type { Json } from '@sotto/core/json';
import {
  encodeReport,
  exportRun,
  type LedgerEntry,
  type PrivacyReport,
  renderReportHtml,
  reportSchema,
  verifyRun,
} from '@sotto/governance';
import { linear, roundTicks, ticks } from '../../packages/governance/src/report/chart-scale.ts';
import { bestGuess, describeEvent, roundUp } from '../../packages/governance/src/report/figures.ts';
import { count, epsilonText, listOf, smallNumber } from '../../packages/governance/src/report/format.ts';
import { escapeHtml } from '../../packages/governance/src/report/markup.ts';
import { accountEntry, crypto, fingerprint, reserveEntry, runId, SyntheticRun, zcdpAccountant } from './synthetic-run.ts';

function reportOf(run: SyntheticRun): PrivacyReport {
  const { report } = verifyRun(exportRun(run.exportInput()), { crypto, accountant: zcdpAccountant });
  if (report === undefined) throw new Error('no report');
  return report;
}

const report = reportOf(new SyntheticRun().start().play());
const page = fromUtf8(renderReportHtml(report));

describe('report.json', () => {
  const validate = new Ajv2020({ strict: true, allErrors: true }).compile(reportSchema as object);

  test('fits its published schema', () => {
    expect(validate(JSON.parse(fromUtf8(encodeReport(report)))), JSON.stringify(validate.errors)).toBe(true);
    const { summary: _, ...without } = report;
    expect(validate(without)).toBe(false);
    expect(validate({ ...report, extra: 1 })).toBe(false);
  });

  test('says who spent what, computed by hand', () => {
    const epsilon = (events: number, delta: number): number => {
      const rho = events / 200;
      return rho + 2 * Math.sqrt(rho * Math.log(1 / delta));
    };
    const spent = (party: string) => report.parties.find((candidate) => candidate.party === party)!;
    for (const [party, events] of [
      ['alpha', 3],
      ['beta', 4],
      ['delta', 3],
      ['gamma', 4],
    ] as const) {
      const of = spent(party);
      expect(Number(of.spent.epsilon) - epsilon(events, 1e-3)).toBeGreaterThanOrEqual(0);
      expect(Number(of.spent.epsilon) - epsilon(events, 1e-3)).toBeLessThan(1e-6);
      expect(of.epsilonAtDeltas.map(({ delta }) => delta)).toEqual([1e-3, 1e-4, 1e-5, 1e-6]);
      expect(Number(of.epsilonAtDeltas[3]!.epsilon)).toBeCloseTo(epsilon(events, 1e-6), 5);
      expect(of.spent.withinBudget).toBe(true);
    }
    expect(spent('alpha').byRound.map(({ status }) => status)).toEqual(['summed', 'summed', 'released', 'summed']);
    expect(spent('beta').byRound.map(({ status }) => status)).toEqual(['summed', 'spent', 'spent', 'summed']);
    expect(spent('delta').byRound.map(({ status }) => status)).toEqual(['summed', 'summed', 'spent', 'absent']);
    expect(spent('delta').byRound.map(({ epsilon: value }) => Number(value).toFixed(4))).toEqual(
      [1, 2, 3, 3].map((events) => epsilon(events, 1e-3).toFixed(4)),
    );
    expect(spent('alpha').reservations).toEqual({ reserved: 4, contributed: 3, released: 1, otherRuns: 0 });
    expect(spent('beta').mechanisms).toEqual([
      expect.objectContaining({
        rounds: 4,
        summary: 'Gaussian noise, multiplier 10 of the clip norm, on a Poisson sample at rate 0.9',
      }),
    ]);
  });

  test('says what happened, and against whom it protects', () => {
    expect(report.run).toMatchObject({
      id: runId,
      trustFingerprint: fingerprint,
      rounds: { planned: 4, published: 3, aborted: 1 },
    });
    expect(report.rounds.map(({ outcome }) => outcome)).toEqual(['published', 'published', 'aborted', 'published']);
    expect(report.accuracy).toEqual({ round: 4, correct: 190, total: 250, value: 0.76 });
    expect(report.secureAggregation.cohorts).toEqual([
      { size: 4, rounds: 2, colluders: 1, threshold: 3, floor: 3, honestInSum: 2 },
      { size: 3, rounds: 1, colluders: 1, threshold: 3, floor: 3, honestInSum: 2 },
    ]);
    expect(report.protects.map(({ text }) => text).join(' ')).toContain('the coordinator together with 1 data owner');
    expect(report.outside.map(({ title }) => title)).toEqual(
      expect.arrayContaining(['Held-out records', 'Participation and timing', 'Figures declared public']),
    );
    expect(report.outside.find(({ title }) => title === 'Held-out records')?.text).toContain('offering equal weights twice');
    expect(report.summary).toContain('alpha, beta, delta and gamma trained the model “logistic regression” (14 parameters)');
    // What was spent is a total; what holds where results decided when to end is the budget.
    expect(report.summary).toContain('with ε spent of at most');
    expect(JSON.stringify(report)).toContain('it holds by itself if the rounds were fixed beforehand');
  });

  test('counts other runs of the account, and names a budget that was exceeded', () => {
    const run = new SyntheticRun().start();
    const small = { ...accountEntry('beta'), account: 'small', budget: { epsilonNano: 100_000_000, delta: 1e-5 } } as LedgerEntry;
    run.client('beta').append(small);
    run.client('beta').append({ ...reserveEntry('beta', 1), account: 'small' } as LedgerEntry);
    for (const round of [1, 2, 3, 4]) run.abort(round, []);
    run.complete();
    const over = reportOf(run);
    expect(over.accuracy).toBeUndefined();
    const small_ = over.parties.find(({ account }) => account === 'small')!;
    expect(small_.spent).toMatchObject({ withinBudget: false, delta: 1e-5 });
    expect(small_.byRound[0]!.status).toBe('spent');
    expect(over.protects[1]!.title).toBe('A budget was exceeded');
    const text = fromUtf8(renderReportHtml(over));
    expect(text).toContain('At least one owner is over its budget.');
    expect(text).not.toContain('What the model learned');
  });

  test('shows an infinite ε as such', () => {
    const run = new SyntheticRun().start();
    run.client('beta').append({ ...reserveEntry('beta', 1), event: { type: 'nonPrivate' } } as LedgerEntry);
    for (const round of [1, 2, 3, 4]) run.abort(round, []);
    run.complete();
    const open = reportOf(run);
    expect(open.parties[1]!.spent).toMatchObject({ epsilon: 'Infinity', bestGuess: 1, withinBudget: false });
    expect(validate(JSON.parse(fromUtf8(encodeReport(open))))).toBe(true);
    expect(open.summary).toContain('without a finite ε');
    expect(fromUtf8(renderReportHtml(open))).toContain('∞');
  });
});

describe('report.html', () => {
  test('is self-contained: no scripts, no loads', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|javascript:|@import|url\(/i);
    expect(page).not.toMatch(/(src|href)=/);
    expect(page).toContain('default-src &#39;none&#39;');
    expect(page.startsWith('<!doctype html>')).toBe(true);
  });

  test('holds no word that a report must not say, and no placeholder', () => {
    expect(page).not.toMatch(/complian|anonymous|guaranteed safe|certified secure/i);
    expect(page).not.toMatch(/undefined|NaN|\[object/);
    expect(page).not.toMatch(/\p{Extended_Pictographic}/u);
  });

  test('shows every fact of the JSON that a reader looks for', () => {
    const plain = page.replaceAll('<wbr>', '').replaceAll('&#39;', "'");
    for (const { party, dataset, steward, purpose, legalBasis, account, mechanisms } of report.parties) {
      for (const fact of [party, dataset.name, dataset.commitment, steward, purpose, legalBasis, account, mechanisms[0]!.words]) {
        expect(plain).toContain(fact);
      }
    }
    for (const { origin, root } of report.ledgers) {
      expect(plain).toContain(root);
      expect(plain).toContain(origin);
    }
    for (const statement of [...report.protects, ...report.outside, ...report.verification])
      expect(plain).toContain(statement.text);
    expect(plain).toContain(report.summary);
    expect(plain).toContain(report.run.trustFingerprint);
    expect(plain).toContain(report.model.finalHash);
  });

  test('is the same for the same report, and another for another', () => {
    expect(renderReportHtml(report)).toEqual(renderReportHtml(JSON.parse(fromUtf8(encodeReport(report))) as PrivacyReport));
    expect(fromUtf8(renderReportHtml({ ...report, summary: 'Other.' }))).not.toBe(page);
  });

  test('escapes whatever a ledger holds', () => {
    const evil = '</style><script>alert("x")</script>&\'';
    const attacked = JSON.parse(
      JSON.stringify(report, (key, value: Json) =>
        typeof value === 'string' && key !== 'outcome' && key !== 'status' ? `${value}${evil}` : value,
      ),
    ) as PrivacyReport;
    const text = fromUtf8(renderReportHtml(attacked));
    expect(text).not.toContain('<script');
    expect(text.match(/<\/style>/g)).toHaveLength(1);
    expect(escapeHtml(evil)).toBe('&lt;/style&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;');
  });

  test('has balanced tags', () => {
    const open: string[] = [];
    for (const [, close, name, rest] of page.replace(/<style>[^]*<\/style>/, '').matchAll(/<(\/?)([a-z0-9]+)([^>]*)>/gi)) {
      if (['meta', 'br', 'wbr'].includes(name!) || rest!.endsWith('/')) continue;
      if (close === '') open.push(name!);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });
});

describe('figures', () => {
  test('round up, never down', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1000, noNaN: true }), (value) => {
        const up = Number(roundUp(value, 6));
        return up >= value - 1e-14 && up - value < 1e-6 + 1e-12;
      }),
      { seed: 5 },
    );
    expect(roundUp(1, 6)).toBe(1);
    expect(roundUp(0.1 + 0.2, 6)).toBe(0.3);
    expect(roundUp(0.3000001, 6)).toBe(0.300001);
    expect(roundUp(Infinity, 6)).toBe('Infinity');
    expect(epsilonText(0.92901)).toBe('0.930');
    expect(epsilonText(0.93)).toBe('0.930');
    expect(epsilonText('Infinity')).toBe('∞');
  });

  test('the best guess is that of the trade-off curve', () => {
    // Success at even odds = 1 − min over the curve of (α + β)/2, with β = max(0, 1 − δ − e^ε·α, e^−ε·(1 − δ − α)).
    for (const [epsilon, delta] of [
      [0, 0.001],
      [1, 1e-3],
      [2.5, 0.05],
      [8, 1e-6],
    ] as const) {
      let least = 1;
      for (let i = 0; i <= 200_000; i++) {
        const alpha = i / 200_000;
        const beta = Math.max(0, 1 - delta - Math.exp(epsilon) * alpha, Math.exp(-epsilon) * (1 - delta - alpha));
        least = Math.min(least, (alpha + beta) / 2);
      }
      expect(bestGuess(epsilon, delta)).toBeGreaterThanOrEqual(1 - least - 1e-9);
      expect(bestGuess(epsilon, delta)).toBeLessThan(1 - least + 1.2e-4);
    }
    expect(bestGuess(Infinity, 0.1)).toBe(1);
    expect(bestGuess(800, 0.1)).toBe(1);
  });

  test('numbers and events in words', () => {
    expect(smallNumber(1e-3)).toBe('10⁻³');
    expect(smallNumber(2.5e-5)).toBe('2.5 · 10⁻⁵');
    expect(smallNumber(0.3)).toBe('3 · 10⁻¹');
    expect(count(1_234_567)).toBe('1\u202f234\u202f567');
    expect(count(999)).toBe('999');
    expect(listOf(['a', 'b', 'c'])).toBe('a, b and c');
    expect(describeEvent({ type: 'selfComposed', count: 3, event: { type: 'laplace', noiseMultiplier: Infinity } })).toBe(
      '3 times: Laplace noise, multiplier +∞ of the clip norm',
    );
    expect(describeEvent({ type: 'zcdp', rho: 0.1, xi: 0 })).toBe('zcdp {"rho":0.1,"xi":0}');
  });

  test('axes: round ticks inside the range', () => {
    expect(ticks(0, 1.12, 4)).toEqual([0, 0.5, 1]);
    expect(roundTicks(4, 10)).toEqual([1, 2, 3, 4]);
    expect(roundTicks(20, 10)).toEqual([1, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
    expect(linear(0, 10, 100, 200)(5)).toBe(150);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 3, max: 30 }), (last, most) => {
        const shown = roundTicks(last, most);
        expect(shown[0]).toBe(1);
        expect(shown.at(-1)).toBe(last);
        expect(shown.length).toBeLessThanOrEqual(Math.max(most, 2) + 2);
        for (let i = 1; i < shown.length; i++) expect(shown[i]!).toBeGreaterThan(shown[i - 1]!);
      }),
      { seed: 6 },
    );
  });
});
