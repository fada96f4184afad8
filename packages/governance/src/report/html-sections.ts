/**
 * The sections of the HTML report that are tables and lists of facts.
 *
 * @module
 */
import { seriesClass } from './charts.ts';
import { count, listOf, percent, plural, smallNumber, utcTime } from './format.ts';
import { hashText, html, type Markup } from './markup.ts';
import type { PartyReport, PrivacyReport } from './report.ts';
import { adjacencyMeaning } from './statements.ts';

function fact(term: string, value: string | number | Markup): Markup {
  return html`<dt>${term}</dt>
    <dd>${value}</dd>`;
}

function accountCard(party: PartyReport, index: number): Markup {
  const { publicConstants, contributionBound, budget } = party;
  return html`<div class="card ${seriesClass(index)}">
    <h3>${party.party}</h3>
    <dl>
      ${fact('Data set', party.dataset.name)} ${fact('Steward', party.steward)} ${fact('Purpose', party.purpose)}
      ${fact('Legal basis', party.legalBasis)}
      ${fact('Unit', `one ${party.unit}; at most ${plural(contributionBound.recordsPerUnit, 'record')} per person, in at most ${plural(contributionBound.roundsPerRun, 'round')} of a run`)}
      ${fact('Budget', `ε ${budget.epsilon} at δ ${smallNumber(budget.delta)}, account ${party.account}`)}
      ${fact('Public constants', `weight ${publicConstants.weight}, sampling rate ${publicConstants.sampleRate}, expected batch ${publicConstants.expectedBatchSize}`)}
      ${fact('Commitment', hashText(party.dataset.commitment))}
    </dl>
  </div>`;
}

/** Whose data, for what, under which terms. */
export function accountSections(report: PrivacyReport): Markup {
  return html`<section class="long">
    <h2>Whose data, and for what</h2>
    <p>
      Each owner opened an account for its data set before training. The commitment is a salted hash of the data; the owner keeps
      the salt and can show an auditor, and nobody else, which data were meant.
    </p>
    <div class="cards">${report.parties.map(accountCard)}</div>
  </section>`;
}

/** Model, mechanism, settings. */
export function trainingSection(report: PrivacyReport): Markup {
  const { training, model, secureAggregation: secagg } = report;
  const shapes = model.weights.map(({ name, shape }) => `${name} [${shape.join(' × ')}]`);
  const uses = report.parties.flatMap(({ party, mechanisms }) => mechanisms.map((use) => ({ party, ...use })));
  return html`<section class="long">
    <h2>How it was trained</h2>
    <dl>
      ${fact('Model', `${model.name}, ${plural(model.parameters, 'parameter')}: ${listOf(shapes)}`)}
      ${fact('Unit of privacy', `one ${training.unit}`)}
      ${fact('Adjacency', `${training.adjacency}: ${adjacencyMeaning(training.adjacency)}`)}
      ${fact('Local training', `${plural(training.localSteps, 'step')} per round, learning rate ${training.learningRate}, clip norm ${training.clipNorm}`)}
      ${fact('Secure sum', `${listOf(training.vectors.map(({ name, length }) => `${name} (${length})`))}; updates on a grid of ${training.quantiser.bits} bits within ±${training.quantiser.clip}`)}
      ${fact('Aggregation', `${secagg.mode} mode, γ = ${secagg.gammaNumerator}/${secagg.gammaDenominator}, ${secagg.nMin} to ${secagg.nMax} participants, at least ${secagg.hMin} honest inputs in a sum`)}
    </dl>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Data owner</th>
            <th>Mechanism, in its own words</th>
            <th>As logged</th>
            <th class="number">Rounds</th>
          </tr>
        </thead>
        <tbody>
          ${uses.map(
            (use) =>
              html`<tr>
                <th scope="row">${use.party}</th>
                <td>${use.words}</td>
                <td>${use.summary}</td>
                <td class="number">${use.rounds}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** Every planned round. */
export function roundsSection(report: PrivacyReport): Markup {
  const all = report.parties.length + report.withoutAccount.length;
  const names = (ids: readonly string[]): string => (ids.length === all && all > 1 ? `all ${all}` : ids.join(', '));
  const rows = report.rounds.map((round) =>
    round.outcome === 'published'
      ? html`<tr>
          <td class="number">${round.round}</td>
          <td>published</td>
          <td class="time">${utcTime(round.timeMs)}</td>
          <td>${names(round.survivors)}</td>
          <td>${round.roster.filter((id) => !round.survivors.includes(id)).join(', ')}</td>
          <td class="number">${round.heldOut.correct} of ${count(round.heldOut.total)}</td>
          <td class="number">${round.accuracy === undefined ? '' : percent(round.accuracy)}</td>
        </tr>`
      : html`<tr>
          <td class="number">${round.round}</td>
          <td class="bad">given up</td>
          <td class="time">${utcTime(round.timeMs)}</td>
          <td colspan="4">
            at stage ${round.stage}:
            ${round.reason}${round.spent.length === 0 ? '' : `; counted as spent by the coordinator: ${names(round.spent)}`}
          </td>
        </tr>`,
  );
  return html`<section class="long">
    <h2>Round by round</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th class="number">Round</th>
            <th>Outcome</th>
            <th>Coordinator’s clock</th>
            <th>In the sum</th>
            <th>Dropped out</th>
            <th class="number">Held-out right</th>
            <th class="number">Accuracy</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** Hashes and ledgers. */
export function evidenceSection(report: PrivacyReport): Markup {
  const { run, model } = report;
  return html`<section class="long">
    <h2>Evidence</h2>
    <p>
      Fingerprint of the enrolment authority of ${run.trustDomain}, on which all identities below hang. Compare it with the
      authority’s own:
    </p>
    <span class="fingerprint">${hashText(run.trustFingerprint)}</span>
    <dl>
      ${fact('Plan', hashText(run.planHash))} ${fact('Model topology', hashText(model.topologyHash))}
      ${fact('Initial weights', hashText(model.initialHash))} ${fact('Final weights', hashText(model.finalHash))}
      ${fact('Planned', utcTime(run.plannedMs))} ${fact('Completed', utcTime(run.completedMs))}
    </dl>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Ledger</th>
            <th class="number">Entries</th>
            <th>Merkle root</th>
          </tr>
        </thead>
        <tbody>
          ${report.ledgers.map(
            ({ origin, size, root }) =>
              html`<tr>
                <th scope="row">${origin}</th>
                <td class="number">${count(size)}</td>
                <td>${hashText(root)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="note">
      Every published round embeds, for each input in its sum, the owner’s signed reservation with its proof; owners recorded the
      coordinator’s ledger as they saw it, so that neither side could change its account afterwards.
    </p>
  </section>`;
}
