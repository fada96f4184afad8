/**
 * The account of one model under training: the mechanism of its next step, what was spent, and what a target still pays for.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { DpEvent } from '@sotto/core/event';
import type { Json } from '@sotto/core/json';
import { systemRandom } from '@sotto/core/system-random';
import { epsilonOf } from '../accounting/answer.ts';
import { knownKeys } from '../known-keys.ts';
import type { PlanWithoutNoise } from '../plan/calibrate-plan.ts';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import { calibrateExtension, calibratePlan, stepCost, stepCosts, validationCost } from './costs.ts';
import type { Reports } from './costs.ts';
import { filterEpsilon, guarantee } from './guarantee.ts';
import type { PrivacySpent } from './guarantee.ts';
import type { PrivacyTarget } from './options.ts';
import { planWith } from './plan-with.ts';
import { composeCharges, Spending } from './spending.ts';
import type { Charge, KindOfCharge } from './spending.ts';
import { deltaWarning } from './statement.ts';

/** A budget for more steps; see `PrivateModel.extend`. */
export interface Extension {
  /**
   * The greatest cost of everything together: what is spent already, and the steps to come. Kept by an RDP filter. A limit that is chosen after results were seen guards nothing: take
   * one that was set before.
   */
  readonly target: { readonly epsilon: number; readonly delta: number };
  readonly steps?: number;
  readonly epochs?: number;
}

/** What may happen before the next checkpoint. */
export interface Ahead {
  readonly steps: number;
  readonly evaluations: number;
}

/** What was planned in total; infinite where nobody said. */
interface Planned {
  readonly steps: number;
  readonly evaluations: number;
  readonly target: Extension['target'] | undefined;
}

/** What an account is opened with. */
export interface AccountOptions {
  readonly mechanism: PlanWithoutNoise;
  readonly privacy: PrivacyTarget;
  readonly reports: Reports;
  /** Evaluations of private validation data that a target is to pay for. Default: one per epoch. */
  readonly evaluations: number | undefined;
}

/** See the module's description. */
export class TrainingAccount {
  readonly reports: Reports;
  readonly #mechanism: PlanWithoutNoise;
  readonly #evaluations: number | undefined;
  readonly #spending: Spending = new Spending(systemRandom);
  #plan: MechanismPlan;
  #planned: Planned;
  #extensions = 0;
  /** Whether some steps were charged that the weights did not go through, after a failure, a crash or a restored checkpoint. */
  #detoured = false;
  /** Steps, and with them all evaluations that are left, that the target was found to pay for since the last detour. */
  #approved: number | undefined;
  /** The number of the next step of the present plan. */
  #position = 0;
  /** Whether the order of the shuffled epoch under way is gone; see {@link endEpoch}. */
  #epochEnded = false;
  /** What the first training announced, where nothing was planned beforehand. */
  #announced: Ahead | undefined;
  /** The charges of {@link #plannedCharges}, once they are known. */
  #foreseen: readonly Charge[] | undefined;

  constructor({ mechanism, privacy, reports, evaluations }: AccountOptions) {
    this.#mechanism = mechanism;
    this.reports = reports;
    this.#evaluations = evaluations;
    knownKeys('privacy', privacy, ['target', 'steps', 'epochs', 'noiseMultiplier']);
    if (privacy.target !== undefined) {
      knownKeys('privacy.target', privacy.target, ['epsilon', 'delta']);
      if (privacy.noiseMultiplier !== undefined) {
        throw new SottoError(
          'invalid-argument',
          'privacy has a target and a noiseMultiplier; the target decides the noise, so give one of them',
        );
      }
    }
    if (privacy.target === undefined) {
      const { steps, epochs, noiseMultiplier } = privacy;
      this.#plan = planWith(mechanism, noiseMultiplier);
      this.#planned =
        steps === undefined && epochs === undefined
          ? { steps: Infinity, evaluations: Infinity, target: undefined }
          : this.#plannedOf('privacy', { target: undefined, steps, epochs }, this.#plan);
    } else {
      const { target, steps, epochs } = privacy;
      const planned = this.#plannedOf('privacy', { target, steps, epochs }, planWith(mechanism, 1));
      this.#planned = planned;
      this.#plan = planWith(mechanism, calibratePlan(mechanism, reports, planned));
    }
    // Figures that cannot be released beside this plan's steps are refused now.
    stepCost(this.#plan, reports, 0);
  }

  get plan(): MechanismPlan {
    return this.#plan;
  }

  /** The number of the step that is charged next. */
  get position(): number {
    return this.#position;
  }

  get extensions(): number {
    return this.#extensions;
  }

  get target(): Extension['target'] | undefined {
    return this.#planned.target;
  }

  get stepsLeft(): number {
    return this.#stepsLeftAfter(this.#again());
  }

  /** Whether a shuffled epoch is under way that can go on with its order: on the same data. */
  get epochGoesOn(): boolean {
    return this.#inEpoch() && !this.#epochEnded;
  }

  #inEpoch(): boolean {
    const { sampling, stepsPerEpoch } = this.#plan;
    return sampling.kind === 'shuffle' && this.#position % stepsPerEpoch !== 0;
  }

  /**
   * Ends the epoch under way: its order is lost, or is of other data. A shuffled epoch is charged whole at its first step, because each unit takes part in it once. What is
   * left of it runs in a fresh order, in which everyone may take part again, and so is charged as another epoch before its next step.
   *
   * @param steps Steps that shall follow. Throws `budget-exhausted`, and ends nothing, where a target does not pay for them.
   */
  endEpoch(steps: number = 0): void {
    if (!this.epochGoesOn) return;
    const detoured = this.#detoured;
    this.#epochEnded = true;
    this.#detoured = true;
    this.#approved = undefined;
    try {
      if (steps > 0) this.checkLeft(steps);
    } catch (error) {
      this.#epochEnded = false;
      this.#detoured = detoured;
      throw error;
    }
  }

  /** What the rest of an ended epoch costs, before its next step. */
  #again(): readonly KindOfCharge[] {
    if (!this.#inEpoch() || !this.#epochEnded) return [];
    const first = this.#position - (this.#position % this.#plan.stepsPerEpoch);
    return [{ kind: 'again', event: stepCost(this.#plan, this.reports, first), count: 1 }];
  }

  #stepsLeftAfter(again: readonly KindOfCharge[]): number {
    return Math.max(0, this.#planned.steps - this.#stepsCharged() - again.length * this.#plan.stepsPerEpoch);
  }

  count(kind: KindOfCharge['kind']): number {
    return this.#spending.count(kind);
  }

  #stepsCharged(): number {
    return this.#spending.count('step') + this.#spending.count('again') * this.#plan.stepsPerEpoch;
  }

  /** Steps and evaluations that are planned. */
  #plannedOf<T extends Extension['target'] | undefined>(
    name: string,
    { target, steps, epochs }: { readonly target: T; readonly steps: number | undefined; readonly epochs: number | undefined },
    plan: MechanismPlan,
  ): Planned & { readonly target: T } {
    if ((steps === undefined) === (epochs === undefined))
      throw new SottoError('invalid-argument', `${name} needs exactly one of steps and epochs, for which it is planned`);
    const perEpoch = plan.stepsPerEpoch;
    const count = steps === undefined ? integer(`${name}.epochs`, epochs, 1) * perEpoch : integer(`${name}.steps`, steps, 1);
    const evaluations =
      this.reports.validation === undefined
        ? 0
        : integer('report.validation.evaluations', this.#evaluations ?? Math.ceil(count / perEpoch), 0);
    return { steps: count, evaluations, target };
  }

  /** Throws `budget-exhausted` where a target does not pay for so many more steps. */
  checkLeft(steps: number): void {
    const { target } = this.#planned;
    const again = steps === 0 ? [] : this.#again();
    const left = this.#stepsLeftAfter(again);
    if (steps > left) {
      const why =
        again.length === 0 ? '' : ', after a shuffled epoch whose rest is charged as another one because its order is gone';
      throw new SottoError(
        'budget-exhausted',
        `steps is ${steps}; ${left} of the ${this.#planned.steps} steps that were planned are left${why}; extend() plans further ones`,
      );
    }
    if (target === undefined || !this.#detoured) return;
    // Steps were charged that no longer lead anywhere, perhaps under another plan, so that their number alone does not tell what is left.
    const evaluations = Math.max(0, this.#planned.evaluations - this.#spending.count('evaluation'));
    const event = composeCharges([
      { event: this.event(), count: 1 },
      ...again,
      ...(steps === 0 ? [] : stepCosts(this.#plan, this.reports, this.#position, steps)),
      ...(evaluations === 0 ? [] : [{ event: validationCost(this.reports), count: evaluations }]),
    ]);
    if (this.#costs(event, target) > target.epsilon) {
      throw new SottoError(
        'budget-exhausted',
        `steps is ${steps}; after steps that were charged again, so many would go beyond epsilon ${target.epsilon}; train fewer, or extend()`,
      );
    }
    this.#approved = steps;
  }

  /** ε of everything together, as the target counts it: by a filter where what is charged was chosen after results were seen. */
  #costs(event: DpEvent, target: Extension['target']): number {
    const { relation } = this.#plan;
    if (this.#extensions > 0) return filterEpsilon(target, event, relation.adjacency);
    return epsilonOf(event, { delta: target.delta, ...relation }).upper;
  }

  /** Whether a step or an evaluation must be checked against the target by itself, because no check since the last detour covers it. */
  #unchecked(steps: number): boolean {
    return this.target !== undefined && this.#detoured && !(this.#approved !== undefined && this.#approved >= steps);
  }

  /** Charges the next step, before anything is drawn: one that fails half way is spent. */
  chargeStep(): void {
    if (this.stepsLeft < 1 || this.#unchecked(1)) this.checkLeft(1);
    if (this.#approved !== undefined) this.#approved--;
    for (const { kind, event } of this.#again()) this.#spending.charge(kind, event);
    this.#epochEnded = false;
    this.#spending.charge('step', stepCost(this.#plan, this.reports, this.#position));
    this.#position++;
  }

  /** Charges an evaluation of private validation data. */
  chargeEvaluation(): void {
    const event = validationCost(this.reports);
    if (this.#spending.count('evaluation') >= this.#planned.evaluations) {
      throw new SottoError(
        'budget-exhausted',
        `${this.#planned.evaluations} evaluations of private validation data were planned and are spent; plan more with report.validation.evaluations, or raise validationFrequency`,
      );
    }
    if (this.#unchecked(0)) this.checkLeft(0);
    this.#spending.charge('evaluation', event);
  }

  /** Goes back to an earlier step of the plan after a failure. What was charged stays charged. */
  rewind(position: number): void {
    this.#detoured = true;
    this.#approved = undefined;
    this.#position = position;
    this.#epochEnded = true;
  }

  /**
   * Plans further steps under a greater target. The new plan begins at its own step 0. It is made in view of results, so that the target is kept by a filter, whose count is a little
   * above that of a schedule which was fixed beforehand.
   */
  extend(more: Extension): void {
    const { target, steps, epochs } = more;
    knownKeys('extend', more, ['target', 'steps', 'epochs']);
    knownKeys('extend.target', target, ['epsilon', 'delta']);
    const planned = this.#plannedOf('extend', { target, steps, epochs }, this.#plan);
    const noiseMultiplier = calibrateExtension(this.#mechanism, this.reports, planned, this.event());
    this.#planned = {
      target,
      steps: this.#stepsCharged() + planned.steps,
      evaluations: this.#spending.count('evaluation') + planned.evaluations,
    };
    this.#plan = planWith(this.#mechanism, noiseMultiplier);
    this.#approved = undefined;
    this.#epochEnded = false;
    this.#position = 0;
    this.#extensions++;
    this.#foreseen = undefined;
  }

  /** Says how many steps and evaluations of private data a training is for, before its first step. Where nothing else was planned, the first training is the plan. */
  announce(ahead: Ahead): void {
    if (this.#planned.steps === Infinity && this.event().type === 'noOp') {
      this.#announced = ahead;
      this.#foreseen = undefined;
    }
  }

  /** Everything that was planned before the first result was seen; undefined where nobody said, or where more was planned later. */
  #plannedCharges(): readonly Charge[] | undefined {
    if (this.#extensions > 0) return undefined;
    const planned = Number.isFinite(this.#planned.steps) ? this.#planned : this.#announced;
    if (planned === undefined) return undefined;
    this.#foreseen ??= [
      ...stepCosts(this.#plan, this.reports, 0, planned.steps),
      ...(planned.evaluations === 0 ? [] : [{ event: validationCost(this.reports), count: planned.evaluations }]),
    ];
    return this.#foreseen;
  }

  event(): DpEvent {
    return this.#spending.event();
  }

  /** δ of a question: the one that was asked, or the target's. */
  deltaOr(delta: number | undefined): number {
    const found = delta ?? this.target?.delta;
    if (found === undefined) {
      throw new SottoError(
        'invalid-argument',
        'delta is missing; without a target, say at which δ, well below one over the number of examples',
      );
    }
    return found;
  }

  spent(delta: number | undefined): PrivacySpent {
    const asked = this.deltaOr(delta);
    const answer = guarantee({
      delta: asked,
      relation: this.#plan.relation,
      spent: this.#spending.charges(),
      planned: this.#plannedCharges(),
      limit: this.#extensions > 0 ? this.target : undefined,
    });
    const warning = deltaWarning(this.#plan, asked);
    return warning === undefined ? answer : { ...answer, warnings: [...answer.warnings, warning] };
  }

  /** Steps that were planned or announced before the first; undefined where nobody said, or where more were planned later. */
  get plannedSteps(): number | undefined {
    if (this.#extensions > 0) return undefined;
    return Number.isFinite(this.#planned.steps) ? this.#planned.steps : this.#announced?.steps;
  }

  /** What was charged, in order: every object's charges apart. */
  charges(): readonly KindOfCharge[] {
    return this.#spending.charges();
  }

  /** The JSON form, for checkpoints, with what may happen before the next one charged already. */
  toJson(ahead?: Ahead): Json {
    const charges: KindOfCharge[] = [];
    if (ahead !== undefined) {
      if (ahead.steps > 0) charges.push(...this.#again());
      for (const charge of stepCosts(this.#plan, this.reports, this.#position, ahead.steps))
        charges.push({ kind: 'step', ...charge });
      // No more than were planned can happen.
      const evaluations = Math.min(ahead.evaluations, this.#planned.evaluations - this.#spending.count('evaluation'));
      if (evaluations > 0) charges.push({ kind: 'evaluation', event: validationCost(this.reports), count: evaluations });
    }
    const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
    const { steps, evaluations, target } = this.#planned;
    return {
      noiseMultiplier: this.#plan.noiseMultiplier,
      planned: { steps: finite(steps), evaluations: finite(evaluations), target: target === undefined ? null : { ...target } },
      announced: this.#announced === undefined ? null : { ...this.#announced },
      extensions: this.#extensions,
      detoured: this.#detoured,
      ahead: ahead?.steps ?? 0,
      spending: this.#spending.toJson(charges),
    };
  }

  /**
   * Reads the account of a checkpoint, checks it, and returns what takes it over: nothing changes before, and nothing fails then.
   *
   * @param position The number of the next step.
   */
  reader(value: unknown, position: number): () => void {
    if (typeof value !== 'object' || value === null) throw new SottoError('invalid-encoding', 'the checkpoint has no account');
    const saved = value as ReturnType<TrainingAccount['toJson']> & {
      readonly noiseMultiplier: number;
      readonly planned: {
        readonly steps: number | null;
        readonly evaluations: number | null;
        readonly target: Extension['target'] | null;
      };
      readonly announced: Ahead | null;
      readonly extensions: number;
      readonly detoured: boolean;
      readonly ahead: number;
      readonly spending: unknown;
    };
    const spending = Spending.fromJson(saved.spending, systemRandom);
    const plan = planWith(this.#mechanism, saved.noiseMultiplier);
    const { steps, evaluations, target } = saved.planned;
    const announced =
      saved.announced === null
        ? undefined
        : {
            steps: integer('checkpoint.announced.steps', saved.announced.steps, 0),
            evaluations: integer('checkpoint.announced.evaluations', saved.announced.evaluations, 0),
          };
    const extensions = integer('checkpoint.extensions', saved.extensions, 0);
    const untouched = this.event().type === 'noOp';
    const again = saved.ahead > 0 || this.#spending.exceeds(spending);
    return () => {
      this.#plan = plan;
      this.#planned = { steps: steps ?? Infinity, evaluations: evaluations ?? Infinity, target: target ?? undefined };
      this.#extensions = Math.max(this.#extensions, extensions);
      // What was announced elsewhere after steps were seen here is no plan of both.
      if (untouched) this.#announced = announced;
      this.#foreseen = undefined;
      this.#detoured ||= saved.detoured || again;
      this.#approved = undefined;
      this.#spending.merge(spending);
      this.#position = position;
      // The order of an epoch under way stays behind: who restores may hold other data, and others may go on from the same checkpoint.
      this.#epochEnded = false;
      this.endEpoch();
    };
  }
}
