/**
 * The drawings of a report: inline SVG, coloured by CSS classes, each with a title for those who cannot see it.
 *
 * @module
 */
import { linear, roundTicks, ticks } from './chart-scale.ts';
import { epsilonText, percent, smallNumber } from './format.ts';
import { at, html, type Markup } from './markup.ts';
import type { PartyReport, PrivacyReport, ReportNumber, RoundReport, RoundSpending } from './report.ts';

/** Classes `s0` … `s7` carry the colours of owners, in the order of the plan. */
const SERIES = 8;
export const seriesClass = (index: number): string => `s${index % SERIES}`;

const finiteOr = (value: ReportNumber, other: number): number => (value === 'Infinity' ? other : value);

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** What became of an owner's reservation in a round, as a small sign below the axis. */
function statusSign(status: RoundSpending['status'], x: number, y: number): Markup | undefined {
  switch (status) {
    case 'summed':
      return html`<circle class="summed" cx="${at(x)}" cy="${at(y)}" r="2.1" />`;
    case 'spent':
      return html`<circle class="lost" cx="${at(x)}" cy="${at(y)}" r="2.1" />`;
    case 'released':
      return html`<path class="released" d="M${at(x - 2)} ${at(y)}h4" />`;
    case 'absent':
      return undefined;
  }
}

/** ε of one owner against its budget, round by round, and below what became of each reservation. */
export function spendingChart(party: PartyReport, index: number): Markup {
  const frame: Frame = { width: 340, height: 190, left: 38, right: 330, top: 16, bottom: 142 };
  const rounds = party.byRound.length;
  const finite = party.byRound.map(({ epsilon }) => finiteOr(epsilon, 0));
  const top = Math.max(party.budget.epsilon, ...finite) * 1.12;
  const x = linear(0, rounds, frame.left, frame.right);
  const y = linear(0, top, frame.bottom, frame.top);
  let path = `M${at(x(0))} ${at(y(0))}`;
  for (const { round, epsilon } of party.byRound) path += `V${at(y(finiteOr(epsilon, top)))}H${at(x(round))}`;
  const middle = (round: number): number => (x(round - 1) + x(round)) / 2;
  const budgetY = at(y(party.budget.epsilon));
  const title =
    `${party.party}: ε ${epsilonText(party.spent.epsilon)} of a budget of ${party.budget.epsilon} ` +
    `at δ = ${smallNumber(party.budget.delta)} after ${rounds} rounds`;
  return html`<svg class="chart ${seriesClass(index)}" viewBox="0 0 ${frame.width} ${frame.height}" role="img">
    <title>${title}</title>
    ${ticks(0, top, 4).map(
      (tick) =>
        html`<path class="grid" d="M${frame.left} ${at(y(tick))}H${frame.right}" />
          <text class="tick end" x="${frame.left - 6}" y="${at(y(tick) + 3.5)}">${tick}</text>`,
    )}
    <path class="area" d="${path}V${frame.bottom}Z" />
    <path class="line" d="${path}" />
    <path class="budget" d="M${frame.left} ${budgetY}H${frame.right}" />
    <text class="budget-label end" x="${frame.right}" y="${at(budgetY - 4)}">budget ${party.budget.epsilon}</text>
    <path class="axis" d="M${frame.left} ${frame.bottom}H${frame.right}" />
    ${party.byRound.map(({ round, status }) => statusSign(status, middle(round), frame.bottom + 10))}
    ${roundTicks(rounds, 10).map(
      (round) => html`<text class="tick middle" x="${at(middle(round))}" y="${frame.bottom + 28}">${round}</text>`,
    )}
    <text class="tick middle" x="${(frame.left + frame.right) / 2}" y="${frame.height - 4}">round</text>
  </svg>`;
}

/** ε of every owner at several δ, as grouped columns. */
export function deltaChart(parties: readonly PartyReport[]): Markup {
  const frame: Frame = { width: 720, height: 236, left: 44, right: 712, top: 22, bottom: 190 };
  const deltas = [...new Set(parties.flatMap(({ epsilonAtDeltas }) => epsilonAtDeltas.map(({ delta }) => delta)))].toSorted(
    (a, b) => b - a,
  );
  const values = parties.flatMap(({ epsilonAtDeltas }) => epsilonAtDeltas.map(({ epsilon }) => finiteOr(epsilon, 0)));
  const top = Math.max(1e-9, ...values) * 1.1;
  const y = linear(0, top, frame.bottom, frame.top);
  const group = (frame.right - frame.left) / Math.max(1, deltas.length);
  const column = Math.min(38, (group * 0.86) / Math.max(1, parties.length));
  const bars = deltas.flatMap((delta, g) => {
    const start = frame.left + g * group + (group - column * parties.length) / 2;
    return parties.map((party, i) => {
      const epsilon = party.epsilonAtDeltas.find((candidate) => candidate.delta === delta)?.epsilon;
      if (epsilon === undefined) return undefined;
      const height = frame.bottom - y(finiteOr(epsilon, top));
      const label =
        column >= 30
          ? html`<text class="value middle" x="${at(start + (i + 0.5) * column)}" y="${at(frame.bottom - height - 4)}"
              >${epsilonText(epsilon, 2)}</text
            >`
          : undefined;
      return html`<rect
          class="bar ${seriesClass(i)}"
          x="${at(start + i * column + 1)}"
          y="${at(frame.bottom - height)}"
          width="${at(column - 2)}"
          height="${at(height)}"
        />${label}`;
    });
  });
  return html`<svg class="chart" viewBox="0 0 ${frame.width} ${frame.height}" role="img">
    <title>ε of each data owner at ${deltas.map(smallNumber).join(', ')}; the figures are in the table</title>
    ${ticks(0, top, 5).map(
      (tick) =>
        html`<path class="grid" d="M${frame.left} ${at(y(tick))}H${frame.right}" />
          <text class="tick end" x="${frame.left - 6}" y="${at(y(tick) + 3.5)}">${tick}</text>`,
    )}
    ${bars}
    <path class="axis" d="M${frame.left} ${frame.bottom}H${frame.right}" />
    ${deltas.map(
      (delta, g) =>
        html`<text class="label middle" x="${at(frame.left + (g + 0.5) * group)}" y="${frame.bottom + 19}"
          >δ = ${smallNumber(delta)}</text
        >`,
    )}
    <text class="tick end" x="${frame.left - 6}" y="${frame.top - 8}">ε</text>
  </svg>`;
}

function measurements(rounds: readonly RoundReport[]): { readonly round: number; readonly accuracy: number }[] {
  return rounds.flatMap((round) =>
    round.outcome === 'published' && round.accuracy !== undefined ? [{ round: round.round, accuracy: round.accuracy }] : [],
  );
}

/** Accuracy on held-out records by round; rounds that were given up are marked. */
export function accuracyChart(report: PrivacyReport): Markup | undefined {
  const measured = measurements(report.rounds);
  const last = measured.at(-1);
  if (last === undefined) return undefined;
  const frame: Frame = { width: 720, height: 250, left: 44, right: 668, top: 14, bottom: 200 };
  const lowest = Math.min(...measured.map(({ accuracy }) => accuracy));
  const highest = Math.max(...measured.map(({ accuracy }) => accuracy));
  const from = Math.max(0, Math.floor((lowest - 0.03) * 20) / 20);
  const to = Math.min(1, Math.ceil((highest + 0.03) * 20) / 20);
  const planned = report.run.rounds.planned;
  const x = linear(1, Math.max(2, planned), frame.left + 10, frame.right);
  const y = linear(from, to, frame.bottom, frame.top);
  const path = measured.map(({ round, accuracy }, i) => `${i === 0 ? 'M' : 'L'}${at(x(round))} ${at(y(accuracy))}`).join('');
  const aborted = report.rounds.filter(({ outcome }) => outcome === 'aborted');
  return html`<svg class="chart s0" viewBox="0 0 ${frame.width} ${frame.height}" role="img">
    <title>
      Accuracy on held-out records by round: ${percent(measured[0]?.accuracy ?? 0)} in the first measured round,
      ${percent(last.accuracy)} in the last
    </title>
    ${ticks(from, to, 5).map(
      (tick) =>
        html`<path class="grid" d="M${frame.left} ${at(y(tick))}H${frame.right}" />
          <text class="tick end" x="${frame.left - 6}" y="${at(y(tick) + 3.5)}">${Math.round(tick * 100)} %</text>`,
    )}
    ${aborted.map(({ round }) => html`<path class="aborted" d="M${at(x(round))} ${frame.top}V${frame.bottom}" />`)}
    <path class="line" d="${path}" />
    ${measured.map(({ round, accuracy }) => html`<circle class="dot" cx="${at(x(round))}" cy="${at(y(accuracy))}" r="2.6" />`)}
    <text class="value" x="${at(x(last.round) + 8)}" y="${at(y(last.accuracy) + 4)}">${percent(last.accuracy)}</text>
    <path class="axis" d="M${frame.left} ${frame.bottom}H${frame.right}" />
    ${roundTicks(planned, 20).map(
      (round) => html`<text class="tick middle" x="${at(x(round))}" y="${frame.bottom + 18}">${round}</text>`,
    )}
    <text class="tick middle" x="${at((frame.left + frame.right) / 2)}" y="${frame.height - 8}">
      round, measured on the model with which it began
    </text>
  </svg>`;
}
