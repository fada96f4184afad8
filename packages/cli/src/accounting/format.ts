/**
 * Numbers and answers for people.
 *
 * @module
 */
import type { PrivacyAnswer } from '@sotto/dp';

/** Enough digits to compare, none that mean nothing. An upper bound is rounded up, a lower one down. */
export function bound(value: number, side: 'upper' | 'lower', digits: number = 6): string {
  if (value === Infinity) return '∞';
  if (value === 0) return '0';
  const rounded = Number(value.toPrecision(digits));
  const wrong = side === 'upper' ? rounded < value : rounded > value;
  if (!wrong) return String(rounded);
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - digits + 1);
  return String(Number((side === 'upper' ? rounded + unit : rounded - unit).toPrecision(digits)));
}

/** A given number, the small ones as powers of ten. */
export function given(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential().replace('e+', 'e') : String(value);
}

/** The relation under which an answer holds. */
export function relation(answer: PrivacyAnswer): string {
  const group = answer.groupSize === 1 ? '' : `, groups of ${answer.groupSize}`;
  return `${answer.unit}-level, ${answer.adjacency}${group}`;
}

/** Which bound won and why, and what each accountant said, as text that can be pasted into a report. */
export function explanation(answer: PrivacyAnswer, quantity: string): string {
  const lines = [`  ${answer.why}`];
  for (const report of answer.reports) {
    lines.push(
      'refused' in report
        ? `  ${report.accountant}: not applicable: ${report.refused}`
        : `  ${report.accountant}: ${bound(report.lower, 'lower')} ≤ ${quantity} ≤ ${bound(report.upper, 'upper')} (${report.method})`,
    );
  }
  for (const warning of answer.warnings) lines.push(`  note: ${warning}`);
  return lines.join('\n');
}

/** The members of a bound in JSON. */
export function boundJson(answer: PrivacyAnswer, explain: boolean): Readonly<Record<string, unknown>> {
  const { lower, upper, method } = answer;
  return explain
    ? { lower, upper, method, why: answer.why, reports: answer.reports, warnings: answer.warnings }
    : { lower, upper, method };
}

/** The members of an answer that repeat what was asked. */
export function relationJson(answer: PrivacyAnswer): Readonly<Record<string, unknown>> {
  return { adjacency: answer.adjacency, unit: answer.unit, ...(answer.groupSize === 1 ? {} : { groupSize: answer.groupSize }) };
}
