/**
 * Words and numbers for people, independent of locale and clock.
 *
 * @module
 */
import type { ReportNumber } from './report.ts';

/** "1 round", "2 rounds". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** "a", "a and b", "a, b and c". */
export function listOf(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)!}`;
}

/** ε for the eye: rounded up, so that it is never shown smaller than it is. */
export function epsilonText(epsilon: ReportNumber, decimals: number = 3): string {
  if (epsilon === 'Infinity') return '∞';
  const scale = 10 ** decimals;
  return (Math.ceil(epsilon * scale - 1e-6) / scale).toFixed(decimals);
}

/** A share as percent with one decimal. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

const superscripts: Readonly<Record<string, string>> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
};

/** A small probability: powers of ten as such, others in scientific form. */
export function smallNumber(value: number): string {
  const exponent = Math.floor(Math.log10(value) + 1e-12);
  const power = `10${String(exponent).replaceAll(/./g, (digit) => superscripts[digit] ?? digit)}`;
  const mantissa = Number((value / 10 ** exponent).toPrecision(6));
  return mantissa === 1 ? power : `${mantissa} · ${power}`;
}

/** Thousands separated by a narrow space. */
export function count(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** Date and time in UTC, to the second. */
export function utcTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
