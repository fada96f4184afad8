/**
 * Checkpoints of a model under private training: what is written, and what must agree before one is believed.
 *
 * @module
 */
import { integer, show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { WeightAverage } from '../optimiser/average.ts';
import { createOptimiser } from '../optimiser/optimiser.ts';
import type { Ahead } from './planned.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import type { TrainingParts } from './training-parts.ts';
import { packState, unpackState } from './training-state.ts';

/** The options that checkpoints must agree with. */
function fingerprint({ options, mechanism, account }: TrainingParts): string {
  const { optimiser, average, learningRateSchedule, privacy } = options;
  const { reports } = account;
  return JSON.stringify({ mechanism, privacy, reports, optimiser: optimiser.kind, average, learningRateSchedule });
}

/**
 * Writes a checkpoint of the open session, or of the last state.
 *
 * @param ahead What may happen before the next checkpoint, which is counted as spent.
 */
export async function writeModelCheckpoint(parts: TrainingParts, ahead?: Ahead): Promise<Uint8Array> {
  const { binding, account, progress } = parts;
  if (progress.session === undefined) progress.takeModelWeights();
  await progress.fetchState();
  const { header, arrays } = packState(progress.state);
  return encodeCheckpoint({
    header: {
      model: binding.fingerprint,
      options: fingerprint(parts),
      account: account.toJson(ahead),
      outsideData: progress.outsideData,
      grids: [...progress.grids],
      state: header,
    },
    arrays,
  });
}

/**
 * Goes on from a checkpoint of the same model and options.
 *
 * @throws SottoError `invalid-argument` where model or options differ, `invalid-encoding` or `integrity` where the bytes are no such checkpoint; nothing has changed then
 */
export async function restoreModelCheckpoint(parts: TrainingParts, checkpoint: Uint8Array): Promise<void> {
  const { binding, account, progress, options } = parts;
  const { header, arrays } = await decodeCheckpoint(checkpoint);
  if (header['model'] !== binding.fingerprint) {
    throw new SottoError(
      'invalid-argument',
      'the checkpoint is of a model with other layers or weights; build the same model first',
    );
  }
  const ours = fingerprint(parts);
  if (header['options'] !== ours) {
    const other = typeof header['options'] === 'string' ? differences(header['options'], ours) : '';
    throw new SottoError(
      'invalid-argument',
      `the checkpoint was written with other options${other}; make the model private with the same ones`,
    );
  }
  const state = unpackState({ header: header['state'] as { readonly [key: string]: never }, arrays });
  const { optimiser, average } = options;
  const count = state.weights.length;
  if (count !== binding.graph.parameterCount) {
    throw new SottoError(
      'invalid-encoding',
      `the checkpoint has ${count} weights; the model has ${binding.graph.parameterCount}`,
    );
  }
  if (state.optimiser !== undefined) createOptimiser(optimiser, count).restore(state.optimiser);
  if (average !== undefined && state.average !== undefined) new WeightAverage(average, count).restore(state.average);
  const grids = list(header['grids'] ?? []).map((bits) => integer('checkpoint.grids', bits, 0, 30));
  const takeOver = account.reader(header['account'], state.mechanism?.position ?? 0);
  // All is checked; from here on nothing fails.
  takeOver();
  progress.outsideData ||= header['outsideData'] === true;
  for (const bits of grids) progress.grids.add(bits);
  progress.state = state;
  progress.epochTable = undefined;
  progress.writeWeights();
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new SottoError('invalid-encoding', 'checkpoint.grids is not a list');
}

const MOST_DIFFERENCES = 3;

/** Where two fingerprints differ, member by member. Options are public. */
function differences(there: string, here: string): string {
  const found: string[] = [];
  const compare = (path: string, a: unknown, b: unknown): void => {
    if (JSON.stringify(a) === JSON.stringify(b)) return;
    const members = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
    if (members(a) && members(b)) {
      for (const name of new Set([...Object.keys(a), ...Object.keys(b)]))
        compare(path === '' ? name : `${path}.${name}`, a[name], b[name]);
    } else found.push(`${path.replace(/^mechanism\./, '')} was ${show(a)} and is ${show(b)}`);
  };
  try {
    compare('', JSON.parse(there), JSON.parse(here));
  } catch {
    return '';
  }
  const shown = found.slice(0, MOST_DIFFERENCES).join(', ');
  return shown === '' ? '' : `: ${shown}${found.length > MOST_DIFFERENCES ? ' and others' : ''}`;
}
