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
import { nextClipNorm } from '../clip/quantile.ts';
import type { AdaptiveClipping } from '../clip/clipping.ts';
import type { BitSource } from '../noise/bit-source.ts';
import { poissonSample } from '../sampling/poisson.ts';
import { batchesPerEpoch, mostUnits } from '../sampling/sampling.ts';
import { cutToSubset, randomPermutation, randomSubset } from '../sampling/subset.ts';
import { UserIndex } from '../sampling/users.ts';
import { ChargeLedger, chargeOfStep, chargesOf, composeCharges } from './events.ts';
import type { MechanismRun, MechanismState, RestoreOptions, RunOptions } from './mechanism-run.ts';
import { gradientNoiseOf, noiseAt } from './options.ts';
import type { CheckedPlan } from './options.ts';
import { scheduleRange, scheduleValue } from './schedule.ts';
import { checkStep, Step } from './step.ts';
import type { PrivateStep } from './private-step.ts';
import type { DrawNoise, DrawnBatch } from './step.ts';

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
