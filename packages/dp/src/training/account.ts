/**
 * The account of one model under training: the mechanism of its next step, what was spent, and what a target still pays for.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { DpEvent } from '@sotto/core/event';
import type { Json } from '@sotto/core/json';
import { systemRandom } from '@sotto/core/system-random';
import { epsilonOf } from '../accounting/answer.ts';
import { knownKeys } from '../known-keys.ts';
import type { PlanWithoutNoise } from '../plan/calibrate-plan.ts';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import { readAccount, writeAccount } from './account-json.ts';
import { calibrateExtension, costsOf, stepCost, validationCost } from './costs.ts';
import type { Reports } from './costs.ts';
import { filterEpsilon, guarantee } from './guarantee.ts';
import type { PrivacySpent } from './guarantee.ts';
import { planWith } from './plan-with.ts';
import { openingPlan, plannedOf } from './planned.ts';
import type { AccountOptions, Ahead, Counting, Extension, Planned } from './planned.ts';
import { composeCharges, Spending } from './spending.ts';
import type { Charge, KindOfCharge } from './spending.ts';
import { deltaWarning } from './statement.ts';

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

  constructor(options: AccountOptions) {
    const { mechanism, reports, evaluations } = options;
    this.#mechanism = mechanism;
    this.reports = reports;
    this.#evaluations = evaluations;
    ({ plan: this.#plan, planned: this.#planned } = openingPlan(options));
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

  #counting({ stepsPerEpoch }: MechanismPlan): Counting {
    return { stepsPerEpoch, reports: this.reports, evaluations: this.#evaluations };
  }

  /** Throws `budget-exhausted` where a target does not pay for so many more steps. */
  checkLeft(steps: number): void {
    const { target } = this.#planned;
    const again = steps === 0 ? [] : this.#again();
    const left = this.#stepsLeftAfter(again);
    const asked = steps === 1 ? '1 step is asked for' : `${steps} steps are asked for`;
    if (steps > left) {
      const why =
        again.length === 0 ? '' : ', after a shuffled epoch whose rest is charged as another one because its order is gone';
      throw new SottoError(
        'budget-exhausted',
        `${asked}; ${left} of the ${this.#planned.steps} steps that were planned are left${why}; extend() plans further ones`,
      );
    }
    if (target === undefined || !this.#detoured) return;
    // Steps were charged that no longer lead anywhere, perhaps under another plan, so that their number alone does not tell what is left.
    const evaluations = Math.max(0, this.#planned.evaluations - this.#spending.count('evaluation'));
    const event = composeCharges([
      { event: this.event(), count: 1 },
      ...again,
      ...costsOf(this.#plan, this.reports, this.#position, { steps, evaluations }),
    ]);
    if (this.#costs(event, target) > target.epsilon) {
      throw new SottoError(
        'budget-exhausted',
        `${asked}; after steps that were charged again, so many would go beyond epsilon ${target.epsilon}; train fewer, or extend()`,
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
    const planned = plannedOf('extend', { target, steps, epochs }, this.#counting(this.#plan));
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
    return (this.#foreseen ??= costsOf(this.#plan, this.reports, 0, planned));
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
      // No more evaluations than were planned can happen.
      const evaluations = Math.min(ahead.evaluations, this.#planned.evaluations - this.#spending.count('evaluation'));
      charges.push(...costsOf(this.#plan, this.reports, this.#position, { steps: ahead.steps, evaluations }));
    }
    return writeAccount({
      noiseMultiplier: this.#plan.noiseMultiplier,
      planned: this.#planned,
      announced: this.#announced,
      extensions: this.#extensions,
      detoured: this.#detoured,
      ahead: ahead?.steps ?? 0,
      spending: this.#spending.toJson(charges),
    });
  }

  /**
   * Reads the account of a checkpoint, checks it, and returns what takes it over: nothing changes before, and nothing fails then.
   *
   * @param position The number of the next step.
   */
  reader(value: unknown, position: number): () => void {
    const { noiseMultiplier, planned, announced, extensions, detoured, ahead, spending: charged } = readAccount(value);
    const spending = Spending.fromJson(charged, systemRandom);
    const plan = planWith(this.#mechanism, noiseMultiplier);
    const untouched = this.event().type === 'noOp';
    const again = ahead > 0 || this.#spending.exceeds(spending);
    return () => {
      this.#plan = plan;
      this.#planned = planned;
      this.#extensions = Math.max(this.#extensions, extensions);
      // What was announced elsewhere after steps were seen here is no plan of both.
      if (untouched) this.#announced = announced;
      this.#foreseen = undefined;
      this.#detoured ||= detoured || again;
      this.#approved = undefined;
      this.#spending.merge(spending);
      this.#position = position;
      // The order of an epoch under way stays behind: who restores may hold other data, and others may go on from the same checkpoint.
      this.#epochEnded = false;
      this.endEpoch();
    };
  }
}
