/**
 * The steps of one training under a plan: what they share (the place in the schedule and in the epoch, the adaptive clip norm) and what they
 * have cost.
 *
 * @module
 */
import { toHex } from '@sotto/core/bytes';
import { integer, positive } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { validateEvent } from '@sotto/core/event';
import type { DpEvent } from '@sotto/core/event';
import { canonicalJson } from '@sotto/core/json';
import type { Json } from '@sotto/core/json';
import type { RandomSource } from '@sotto/core/random';
import { nextClipNorm } from '../clip/quantile.ts';
import type { AdaptiveClipping } from '../clip/clipping.ts';
import type { BitSource } from '../noise/bit-source.ts';
import { poissonSample } from '../sampling/poisson.ts';
import { batchesPerEpoch, mostUnits } from '../sampling/sampling.ts';
import { cutToSubset, randomPermutation, randomSubset } from '../sampling/subset.ts';
import { UserIndex } from '../sampling/users.ts';
import type { UserIds } from '../sampling/users.ts';
import { ChargeLedger, chargeOfStep, chargesOf, composeCharges } from './events.ts';
import type { Charge } from './events.ts';
import { gradientNoiseOf, noiseAt } from './options.ts';
import type { CheckedPlan } from './options.ts';
import { scheduleRange, scheduleValue } from './schedule.ts';
import { checkStep, Step } from './step.ts';
import type { FloatSums, PrivateStep } from './private-step.ts';
import type { DrawNoise, DrawnBatch } from './step.ts';

/** The data and the model that a run is for. */
export interface RunOptions {
  /** Records in the private data set. */
  readonly records: number;
  /** Whose each record is; needed where the plan's unit is the user, and refused elsewhere. */
  readonly userIds?: UserIds;
  /** Coordinates of a gradient. */
  readonly dimension: number;
  /** Where each group of coordinates that is clipped by itself ends, for `perLayer` clipping. */
  readonly groupEnds?: readonly number[];
  /** Where samples and noise come from; a CSPRNG except in tests. */
  readonly random: RandomSource;
  /** `fast` mode: where clipped sums are added up in place of arrays of the steps. Steps then end with `releaseInto`. */
  readonly floats?: FloatSums;
}

/** What a run needs to go on: plain data and one array. It holds no private records. */
export interface MechanismState {
  /** The plan that it belongs to, as canonical JSON. */
  readonly plan: string;
  /** Names the run that told it, in hexadecimal. A run that goes on from the state of another has a name of its own. */
  readonly run: string;
  /** The number of the next step. */
  readonly position: number;
  /** Steps begun, those among them that were begun again. */
  readonly begun: number;
  /** Everything that was charged. */
  readonly charges: readonly Charge[];
  /** C of the next step, with adaptive clipping. */
  readonly clipNorm?: number;
  /**
   * The places of the data in the epoch under way, with `shuffle`, where `state` was told to keep it. It is secret: keep such a state as you keep the data. Only one run, over the same
   * records in the same order, may go on with it.
   */
  readonly order?: Uint32Array;
}

/** How a run goes on from a state. */
export interface RestoreOptions {
  /** Steps that another process is known to have begun after the state, from a record that outlived it. They are charged. */
  readonly lostSteps?: number;
  /**
   * Says that no other run goes on from this state, the one that told it included, and that this one is over the same records in the same order. Then a shuffled epoch under way goes on with
   * the order that the state keeps. Two runs that do so use the data of the epoch twice and are charged once.
   */
  readonly sole?: boolean;
}

/** A run of a plan. */
export interface MechanismRun {
  /** The number of the next step, from 0. */
  readonly position: number;
  /** C of the next step. */
  readonly clipNorm: number;
  /** Draws the batch of the next step. The step is charged before anything is drawn: one that fails half way is spent. */
  next(): PrivateStep;
  /** The event of all steps begun, restored ones included. Ask about it under the plan's `relation`. */
  event(): DpEvent;
  /**
   * Gives back the array of an earlier release, which must not be read any more: a later step writes into it. Fresh memory for every step costs a large model more
   * time than the sum.
   */
  reuse(sum: Float64Array): void;
  /**
   * For a checkpoint; to be taken between steps.
   *
   * @param options `keepOrder`: with the secret order of a shuffled epoch under way, for a run that is `sole`
   */
  state(options?: { readonly keepOrder?: boolean }): MechanismState;
  /**
   * Goes on from a state of this plan: of any run where this one has not begun, or else an earlier one that this run itself told. Steps that were begun after the
   * state stay charged, and are charged anew when they run again. In the middle of an epoch of shuffled batches its rest gets a fresh order and is charged as another epoch, except
   * where a run that is `sole` takes over a state that keeps its order, or where nothing was begun since.
   */
  restore(state: MechanismState, options?: RestoreOptions): void;
}

/** Canonical JSON of everything that decides what a plan does and costs. */
export function planText(plan: CheckedPlan): string {
  return canonicalJson({ ...plan } as unknown as Json);
}

/** What a run takes from its plan. */
export interface RunParts {
  readonly plan: CheckedPlan;
  readonly slack: (dimension: number) => number;
  readonly maxFloatRows: number;
  readonly drawNoise: DrawNoise;
  /** The event of every step, where all cost the same. */
  readonly stepEvent: DpEvent | undefined;
}

/** See {@link MechanismRun}. */
export class Run implements MechanismRun {
  readonly #parts: RunParts;
  readonly #options: RunOptions;
  readonly #users: UserIndex | undefined;
  /** How many units there are. Private unless the plan's sampling declares it. */
  readonly #units: number;
  readonly #normVaries: boolean;
  #charges = new ChargeLedger();
  #name: string | undefined;
  #position = 0;
  #begun = 0;
  /** Whether batches of the epoch under way were drawn that this position does not know of. */
  #epochLost = false;
  #adaptive: number;
  #order: Uint32Array | undefined;
  /** Where floats are added, kept from step to step because fresh memory costs more than the sum. */
  #zeros: Float64Array | undefined;
  #spare: Float64Array | undefined;

  constructor(parts: RunParts, options: RunOptions) {
    const { plan } = parts;
    const { unit, sampling } = plan;
    this.#parts = parts;
    this.#options = options;
    const records = integer('records', options.records, 0, 2 ** 32 - 1);
    if ((unit.kind === 'user') !== (options.userIds !== undefined)) {
      throw new SottoError(
        'invalid-argument',
        unit.kind === 'user'
          ? 'userIds is missing; the plan hides users, so it must be told whose each record is'
          : 'userIds is given to a plan that hides records; build the plan with unit user',
      );
    }
    this.#users = options.userIds === undefined ? undefined : new UserIndex(options.userIds, records);
    this.#units = this.#users?.users ?? records;
    if (sampling.kind !== 'poisson' && this.#units > sampling.sourceSize) {
      throw new SottoError(
        'invalid-argument',
        `there are ${this.#units} ${unit.kind}s; the plan is accounted for at most ${sampling.sourceSize} (sampling.sourceSize, or in fast mode ` +
          'what sampleRate and expectedBatchSize give), so declare a larger public number',
      );
    }
    const rowsDiffer = unit.kind === 'user' && unit.combine === 'perRecord' && unit.contributionBound > 1;
    this.#normVaries = rowsDiffer || plan.clipping.kind === 'adaptive' || plan.normSchedule !== 1;
    this.#adaptive = plan.clipping.norm;
    this.#checkSteps();
  }

  /** What no step could be made of is refused before one is charged, at both ends of the schedules. */
  #checkSteps(): void {
    const { plan, slack } = this.#parts;
    const { dimension, groupEnds } = this.#options;
    for (const norm of scheduleRange(plan.normSchedule)) {
      for (const noise of scheduleRange(plan.noiseSchedule)) {
        checkStep({
          plan,
          dimension,
          groupEnds,
          maxUnits: Math.min(this.#units, mostUnits(plan.sampling)),
          clipNorm: plan.clipping.norm * norm,
          gradientNoise: gradientNoiseOf(plan.clipping, plan.noiseMultiplier * noise),
          slack: slack(dimension),
        });
      }
    }
  }

  get position(): number {
    return this.#position;
  }

  get clipNorm(): number {
    const { plan } = this.#parts;
    return plan.clipping.kind === 'adaptive'
      ? this.#adaptive
      : plan.clipping.norm * scheduleValue(plan.normSchedule, this.#position);
  }

  next(): PrivateStep {
    const { plan, slack, maxFloatRows, drawNoise, stepEvent } = this.#parts;
    const { dimension, groupEnds, random, floats } = this.#options;
    const { clipNorm } = this;
    const position = this.#position;
    const event = stepEvent ?? this.#charge(position);
    this.#charges.add(event);
    this.#position++;
    this.#begun++;
    return new Step(
      {
        plan,
        dimension,
        groupEnds,
        maxUnits: Math.min(this.#units, mostUnits(plan.sampling)),
        clipNorm,
        gradientNoise: gradientNoiseOf(plan.clipping, noiseAt(plan, position)),
        slack: slack(dimension),
        maxFloatRows,
        normVaries: this.#normVaries,
        event,
        draw: (bits) => this.#draw(bits, position),
        drawNoise,
        floats: plan.mode === 'fast' ? floats : undefined,
        lend: () => {
          const zeros = this.#zeros ?? new Float64Array(dimension);
          this.#zeros = undefined;
          return zeros;
        },
        giveBack: (zeros) => {
          this.#zeros = zeros;
        },
        forNoise: () => {
          const target = this.#spare ?? new Float64Array(dimension);
          this.#spare = undefined;
          return target;
        },
        onFraction: (fraction) => {
          this.#adaptive = nextClipNorm(clipNorm, fraction, plan.clipping as AdaptiveClipping);
        },
      },
      random,
    );
  }

  #charge(position: number): DpEvent {
    const { plan } = this.#parts;
    const { sampling } = plan;
    if (sampling.kind !== 'shuffle' || !this.#epochLost) return chargeOfStep(plan, position);
    return chargeOfStep(plan, position - (position % batchesPerEpoch(sampling)));
  }

  #draw(bits: BitSource, position: number): DrawnBatch {
    const units = this.#drawUnits(bits, position);
    const { unit } = this.#parts.plan;
    if (this.#users === undefined || unit.kind !== 'user') return { records: units };
    return this.#users.select(units, unit.contributionBound, bits);
  }

  #drawUnits(bits: BitSource, position: number): Uint32Array {
    const { sampling } = this.#parts.plan;
    switch (sampling.kind) {
      case 'poisson':
        return poissonSample(this.#units, sampling.sampleRate, bits);
      case 'truncatedPoisson':
        return cutToSubset(poissonSample(this.#units, sampling.sampleRate, bits), sampling.cap, bits);
      case 'fixedSize':
        return this.#taken(randomSubset(sampling.sourceSize, sampling.batchSize, bits));
      case 'shuffle': {
        const batches = batchesPerEpoch(sampling);
        const batch = position % batches;
        // Every epoch has an order of its own, drawn when it begins, over all places of its equal batches.
        if (batch === 0 || this.#epochLost) this.#order = randomPermutation(batches * sampling.batchSize, bits);
        this.#epochLost = false;
        if (this.#order === undefined) throw new SottoError('internal', 'an epoch is under way without an order');
        return this.#taken(this.#order.slice(batch * sampling.batchSize, (batch + 1) * sampling.batchSize).sort());
      }
    }
  }

  /** Of ascending places those that hold a unit. */
  #taken(places: Uint32Array): Uint32Array {
    const empty = places.findIndex((place) => place >= this.#units);
    return empty === -1 ? places : places.slice(0, empty);
  }

  reuse(sum: Float64Array): void {
    if (sum.length === this.#options.dimension) this.#spare = sum;
  }

  event(): DpEvent {
    return composeCharges(this.#charges.charges());
  }

  state({ keepOrder = false }: { readonly keepOrder?: boolean } = {}): MechanismState {
    const { plan } = this.#parts;
    return {
      plan: planText(plan),
      run: this.#nameRun(),
      position: this.#position,
      begun: this.#begun,
      charges: this.#charges.charges(),
      ...(plan.clipping.kind === 'adaptive' ? { clipNorm: this.#adaptive } : {}),
      ...(!keepOrder || this.#order === undefined || this.#epochLost ? {} : { order: this.#order.slice() }),
    };
  }

  /** A name that no other run has, drawn when it is first needed. */
  #nameRun(): string {
    if (this.#name === undefined) {
      const name = new Uint8Array(16);
      this.#options.random.fill(name);
      this.#name = toHex(name);
    }
    return this.#name;
  }

  restore(state: MechanismState, options: RestoreOptions = {}): void {
    const { plan } = this.#parts;
    if (typeof options !== 'object')
      throw new SottoError('invalid-argument', 'options of restore must be an object such as {lostSteps: 1}');
    const { lostSteps = 0, sole = false } = options;
    if (state.plan !== planText(plan)) {
      throw new SottoError('invalid-argument', `the state is of the plan ${state.plan}; this run is of ${planText(plan)}`);
    }
    const position = integer('state.position', state.position, 0);
    const begun = integer('state.begun', state.begun, position);
    const charges = new ChargeLedger();
    for (const { count, event } of state.charges) charges.add(validateEvent(event), integer('state.charges.count', count, 1));
    const clipNorm = plan.clipping.kind === 'adaptive' ? positive('state.clipNorm', state.clipNorm) : this.#adaptive;
    let order = checkOrder(plan, state, position);
    let lost = integer('lostSteps', lostSteps, 0);
    if (this.#begun > 0) {
      if (state.run !== this.#name) {
        throw new SottoError(
          'conflict',
          'the state is of another run, and this one has begun; restore it into a new run, and count what both have cost',
        );
      }
      // What was spent since stays spent.
      const spent = charges.charges().every(({ count, event }) => count <= this.#charges.count(event));
      if (!spent || begun > this.#begun) {
        throw new SottoError('conflict', 'the state was charged more than this run; restore it into a new run');
      }
      if (lost > 0) throw new SottoError('conflict', 'lostSteps is given to a run that has begun; restore into a new run');
      lost = this.#begun - begun;
      // Where nothing was begun since, this run holds the order itself.
      order = this.#epochLost ? undefined : this.#order;
    } else {
      // Others may go on from the same state, or the run that told it.
      if (sole !== true) order = undefined;
      this.#charges = charges;
      // A name of its own: the run that the state is of may have gone on, and its later states do not know what is charged here.
      this.#name = undefined;
      this.#begun = begun + lost;
      for (const { count, event } of chargesOf(plan, lost, position)) this.#charges.add(event, count);
    }
    this.#position = position;
    this.#adaptive = clipNorm;
    this.#order = order;
    const { sampling } = plan;
    const inEpoch = sampling.kind === 'shuffle' && position % batchesPerEpoch(sampling) !== 0;
    this.#epochLost = lost > 0 || (inEpoch && order === undefined);
  }
}

/** The order of an epoch under way, where the state tells it: every place once. */
function checkOrder(plan: CheckedPlan, state: MechanismState, position: number): Uint32Array | undefined {
  const { sampling } = plan;
  const { order } = state;
  if (sampling.kind !== 'shuffle' || position === 0 || order === undefined) return undefined;
  const places = batchesPerEpoch(sampling) * sampling.batchSize;
  const seen = new Uint8Array(places);
  order.forEach((place) => {
    if (place < places) seen[place] = 1;
  });
  if (order.length !== places || seen.includes(0)) {
    throw new SottoError('invalid-argument', `state.order must hold each of ${places} places once`);
  }
  return order.slice();
}
