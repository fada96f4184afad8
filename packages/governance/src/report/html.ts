/**
 * The report as one self-contained HTML document: no scripts, nothing loaded, drawings inline. It shows what the JSON
 * report holds and computes nothing of its own.
 *
 * @module
 */
import { utf8 } from '@sotto/core/bytes';
import { accuracyChart, deltaChart, seriesClass, spendingChart } from './charts.ts';
import { accountSections, evidenceSection, roundsSection, trainingSection } from './html-sections.ts';
import { count, epsilonText, percent, plural, smallNumber } from './format.ts';
import { html, type Markup } from './markup.ts';
import type { PartyReport, PrivacyReport, ReportNumber, Statement } from './report.ts';
import { reportStyle } from './style.ts';

/** Forbids scripts and every load, whatever a ledger may have smuggled in. */
const CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'";

const larger = (a: ReportNumber, b: ReportNumber): boolean => b !== 'Infinity' && (a === 'Infinity' || a > b);

/** The account with the largest ε. */
function worst(parties: readonly PartyReport[]): PartyReport | undefined {
  return parties.reduce<PartyReport | undefined>(
    (most, party) => (most === undefined || larger(party.spent.epsilon, most.spent.epsilon) ? party : most),
    undefined,
  );
}

function keyFigures(report: PrivacyReport): Markup {
  const { run, accuracy, parties } = report;
  const most = worst(parties);
  return html`<div class="figures">
    <div class="figure">
      <b>${count(new Set(parties.map(({ party }) => party)).size)}</b
      ><span>data owners, each with a budget and a ledger of its own</span>
    </div>
    <div class="figure">
      <b>${run.rounds.published} <span class="of">of ${run.rounds.planned}</span></b
      ><span>rounds published; ${run.rounds.aborted} given up</span>
    </div>
    ${
      most === undefined
        ? undefined
        : html`<div class="figure">
            <b>ε ${epsilonText(most.spent.epsilon)} <span class="of">of ${most.budget.epsilon}</span></b
            ><span>the most that any owner spent, at δ = ${smallNumber(most.budget.delta)}</span>
          </div>`
    }
    ${
      accuracy === undefined
        ? undefined
        : html`<div class="figure">
            <b>${percent(accuracy.value)}</b
            ><span>of ${count(accuracy.total)} held-out records right, last measured in round ${accuracy.round}</span>
          </div>`
    }
  </div>`;
}

function verdict(report: PrivacyReport): Markup | undefined {
  const most = worst(report.parties);
  if (most === undefined) return undefined;
  const { spent, budget, unit } = most;
  const kept = report.parties.every((party) => party.spent.withinBudget);
  const reading =
    spent.epsilon === 'Infinity'
      ? html`No finite ε can be shown for ${most.party}.`
      : html`Whoever must guess, at even odds, whether one ${unit}’s data were used is right at most ${percent(spent.bestGuess)}
        of the time, instead of half of the time by chance, for the owner that spent most (ε ${epsilonText(spent.epsilon)}, δ
        ${smallNumber(budget.delta)}).`;
  return html`<div class="verdict${kept ? '' : ' bad'}">
    <p>
      <strong>${kept ? 'Every owner stayed within its own budget.' : 'At least one owner is over its budget.'}</strong> ${reading}
    </p>
  </div>`;
}

function spendingTable(parties: readonly PartyReport[]): Markup {
  const rows = parties.map(({ party, budget, spent, byRound, reservations }, i) => {
    const inSum = byRound.filter(({ status }) => status === 'summed').length;
    const lost = byRound.filter(({ status }) => status === 'spent').length;
    return html`<tr class="${seriesClass(i)}">
      <th scope="row">${party}</th>
      <td class="number">${budget.epsilon}</td>
      <td class="number${spent.withinBudget ? '' : ' bad'}">${epsilonText(spent.epsilon)}</td>
      <td class="number">${smallNumber(budget.delta)}</td>
      <td class="number">${percent(spent.bestGuess)}</td>
      <td class="number">${inSum}</td>
      <td class="number">${lost}</td>
      <td class="number">${reservations.released}</td>
      <td class="number">${reservations.otherRuns}</td>
    </tr>`;
  });
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Data owner</th>
          <th class="number">Budget ε</th>
          <th class="number">Spent ε</th>
          <th class="number">at δ</th>
          <th class="number">Best guess</th>
          <th class="number">Rounds in<br />the sum</th>
          <th class="number">Spent, not<br />in a sum</th>
          <th class="number">Given<br />back</th>
          <th class="number">Rounds of<br />other runs</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function ownersLegend(parties: readonly PartyReport[]): Markup {
  return html`<ul class="legend">
    ${parties.map(({ party }, i) => html`<li><i class="${seriesClass(i)}"></i>${party}</li>`)}
  </ul>`;
}

function spendingSection(report: PrivacyReport): Markup {
  const { parties } = report;
  return html`<section>
    <h2>Privacy spent</h2>
    <p>
      The cost of a round is reserved in the owner’s ledger before any noise is drawn. What is not given back counts as spent,
      also when the round then failed. The lines show ε of everything spent so far.
    </p>
    <div class="panels">
      ${parties.map(
        (party, i) =>
          html`<figure>
            <figcaption>
              <b>${party.party}</b><span>ε ${epsilonText(party.spent.epsilon)} of ${party.budget.epsilon}</span>
            </figcaption>
            ${spendingChart(party, i)}
          </figure>`,
      )}
    </div>
    <ul class="legend">
      <li><i class="round ink"></i>its input is in the published sum</li>
      <li><i class="round lost"></i>spent, but in no published sum</li>
      <li><i class="released"></i>given back before noise was drawn</li>
      <li>no sign: took no part</li>
    </ul>
    ${spendingTable(parties)}
    ${
      report.withoutAccount.length === 0
        ? undefined
        : html`<p class="note">
            Without an account, and therefore without any reservation: ${report.withoutAccount.join(', ')}.
          </p>`
    }
  </section>`;
}

function deltaSection(report: PrivacyReport): Markup {
  const { parties } = report;
  const deltas = [...new Set(parties.flatMap(({ epsilonAtDeltas }) => epsilonAtDeltas.map(({ delta }) => delta)))].toSorted(
    (a, b) => b - a,
  );
  const methods = [...new Set(parties.map(({ spent }) => spent.method))];
  const rows = parties.map(
    ({ party, epsilonAtDeltas }) =>
      html`<tr>
        <th scope="row">${party}</th>
        ${deltas.map((delta) => {
          const value = epsilonAtDeltas.find((candidate) => candidate.delta === delta);
          return html`<td class="number">${value === undefined ? '' : epsilonText(value.epsilon)}</td>`;
        })}
      </tr>`,
  );
  return html`<section>
    <h2>The same events at other δ</h2>
    <p>
      ε belongs to a δ. The ledgers hold the events themselves, so ε can be stated at any δ; reports should be compared at equal
      δ.
    </p>
    <figure>${deltaChart(parties)}</figure>
    ${ownersLegend(parties)}
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>ε of</th>
            ${deltas.map((delta) => html`<th class="number">δ = ${smallNumber(delta)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    <p class="note">
      Accounting: ${methods.join('; ')}. ε is rounded up to six decimals in the JSON report, and rounded up again where it is
      shown shorter here.
    </p>
  </section>`;
}

function accuracySection(report: PrivacyReport): Markup | undefined {
  const chart = accuracyChart(report);
  if (chart === undefined) return undefined;
  return html`<section>
    <h2>What the model learned</h2>
    <p>
      Accuracy on records that were kept out of training, summed over the owners whose inputs are in the round’s sum. These counts
      are not protected by differential privacy.
    </p>
    <figure>${chart}</figure>
    <ul class="legend">
      <li><i class="aborted"></i>round given up</li>
    </ul>
  </section>`;
}

function statementSection(title: string, statements: readonly Statement[], lead: string, wide: boolean): Markup {
  return html`<section>
    <h2>${title}</h2>
    <p>${lead}</p>
    <div class="statements${wide ? ' wide' : ''}">
      ${statements.map(
        (statement) =>
          html`<div>
            <h3>${statement.title}</h3>
            <p>${statement.text}</p>
          </div>`,
      )}
    </div>
  </section>`;
}

/** The bytes of `report.html`. */
export function renderReportHtml(report: PrivacyReport): Uint8Array {
  const { run, model } = report;
  const title = `Privacy report of ${run.id}`;
  const body = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}" />
        <title>${title}</title>
        <style>
          ${{ markup: reportStyle }}
        </style>
      </head>
      <body>
        <main>
          <header>
            <p class="eyebrow">Privacy report · ${run.trustDomain} · run ${run.id}</p>
            <h1>How the model “${model.name}” was trained, and what it can reveal</h1>
            <p class="lead">${report.summary}</p>
            ${keyFigures(report)} ${verdict(report)}
          </header>
          ${spendingSection(report)} ${deltaSection(report)} ${accuracySection(report)}
          ${statementSection('Against whom it protects', report.protects, 'What the evidence in this folder supports, and under which assumptions.', true)}
          ${statementSection('Outside the guarantee', report.outside, 'What nobody should read into the figures above.', false)}
          ${accountSections(report)} ${trainingSection(report)} ${roundsSection(report)} ${evidenceSection(report)}
          ${statementSection('How to check this report', report.verification, 'Everything below can be redone offline, by anyone who has this folder.', true)}
          <footer>
            <p>
              Evidence for an assessment of ${plural(run.rounds.published, 'published round')}; it does not state conformity with
              any law or standard. Every figure follows from report.json, which follows from the ledgers.
            </p>
          </footer>
        </main>
      </body>
    </html> `;
  return utf8(body.markup);
}
