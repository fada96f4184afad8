/**
 * A run of a plan, as those see it who train: what it is told, what it does, and what it needs to go on elsewhere.
 *
 * @module
 */
import type { DpEvent } from '@sotto/core/event';
import type { RandomSource } from '@sotto/core/random';
import type { UserIds } from '../sampling/users.ts';
import type { Charge } from './events.ts';
import type { FloatSums, PrivateStep } from './private-step.ts';

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
