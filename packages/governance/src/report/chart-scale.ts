/**
 * Axes: from values to coordinates, and where the ticks go.
 *
 * @module
 */

/** Maps values to coordinates. */
export type Scale = (value: number) => number;

/** The linear scale that takes [from, to] to [start, end]. */
export function linear(from: number, to: number, start: number, end: number): Scale {
  const span = to === from ? 1 : to - from;
  return (value) => start + ((value - from) / span) * (end - start);
}

/** A round step (1, 2 or 5 times a power of ten) that cuts a span into at most `most` parts. */
export function roundStep(span: number, most: number): number {
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Multiples of a round step within [from, to]. */
export function ticks(from: number, to: number, most: number): number[] {
  const step = roundStep(to - from, most);
  const out: number[] = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}

/** Round numbers to write below an axis of rounds 1..last: the first, the last, and multiples of a round step between. */
export function roundTicks(last: number, most: number): number[] {
  if (last <= most) return Array.from({ length: last }, (_, i) => i + 1);
  const step = Math.max(1, roundStep(last, most));
  const between = ticks(step, last, most).filter(
    (tick) => Number.isInteger(tick) && tick - 1 >= step * 0.6 && last - tick >= step * 0.6,
  );
  return [1, ...between, last];
}
