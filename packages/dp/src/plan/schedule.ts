/**
 * Values that change with the step: pure functions of the step's number, written as plain data, so that they can be checked, stored in
 * a checkpoint and turned into events before anything runs.
 *
 * @module
 */
import { finite, integer, oneOf, positive } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { knownKeys } from '../known-keys.ts';

/**
 * A schedule. Steps count from 0.
 *
 * - a number, or `constant`: the same at every step;
 * - `linear`, `cosine`, `exponential`: from `from` at step 0 to `to` at step `steps`, and `to` from then on; along a straight line, half a
 *   cosine (Loshchilov and Hutter 2017, without restarts), a geometric sequence (both ends greater than 0);
 * - `piecewise`: `values[i]` before step `boundaries[i]`, the last value after the last boundary;
 * - `warmUp`: along a straight line from `from` to the first value of `after` during `steps` steps, then `after` from its beginning;
 * - `hold`: another schedule, whose value is taken anew only every `every` steps, which keeps the number of different events small.
 */
export type Schedule =
  | number
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'linear' | 'cosine' | 'exponential'; readonly from: number; readonly to: number; readonly steps: number }
  | { readonly kind: 'piecewise'; readonly boundaries: readonly number[]; readonly values: readonly number[] }
  | { readonly kind: 'warmUp'; readonly from: number; readonly steps: number; readonly after: Schedule }
  | { readonly kind: 'hold'; readonly every: number; readonly schedule: Schedule };

const MAX_DEPTH = 8;

const MEMBERS: Readonly<Record<Exclude<Schedule, number>['kind'], readonly string[]>> = {
  constant: ['kind', 'value'],
  linear: ['kind', 'from', 'to', 'steps'],
  cosine: ['kind', 'from', 'to', 'steps'],
  exponential: ['kind', 'from', 'to', 'steps'],
  piecewise: ['kind', 'boundaries', 'values'],
  warmUp: ['kind', 'from', 'steps', 'after'],
  hold: ['kind', 'every', 'schedule'],
};

/**
 * Checks a schedule and returns a frozen copy.
 *
 * @param range `positive` where every value must be greater than 0 (clip norms, noise), `nonNegative` where 0 is allowed (learning rates)
 * @throws SottoError `invalid-argument` that names the member
 */
export function checkSchedule(name: string, schedule: Schedule, range: 'positive' | 'nonNegative', depth: number = 0): Schedule {
  const value = (member: string, given: number): number => {
    finite(member, given);
    if (given < 0 || (given === 0 && range === 'positive')) {
      throw new SottoError(
        'invalid-argument',
        `${member} is ${given}; it must be ${range === 'positive' ? 'greater than' : 'at least'} 0`,
      );
    }
    return given;
  };
  if (typeof schedule === 'number') return value(name, schedule);
  if (depth === MAX_DEPTH) throw new SottoError('invalid-argument', `${name} is nested more than ${MAX_DEPTH} deep; flatten it`);
  if (Object.hasOwn(MEMBERS, schedule.kind)) knownKeys(name, schedule, MEMBERS[schedule.kind]);
  switch (schedule.kind) {
    case 'constant':
      return Object.freeze({ kind: schedule.kind, value: value(`${name}.value`, schedule.value) });
    case 'linear':
    case 'cosine':
    case 'exponential': {
      const { kind } = schedule;
      const from = value(`${name}.from`, schedule.from);
      const to = value(`${name}.to`, schedule.to);
      if (kind === 'exponential') {
        positive(`${name}.from`, from);
        positive(`${name}.to`, to);
      }
      return Object.freeze({ kind, from, to, steps: integer(`${name}.steps`, schedule.steps, 1) });
    }
    case 'piecewise': {
      const { boundaries, values } = schedule;
      if (values.length !== boundaries.length + 1) {
        throw new SottoError(
          'invalid-argument',
          `${name} has ${values.length} values for ${boundaries.length} boundaries; it must have one value more`,
        );
      }
      boundaries.forEach((boundary, i) => integer(`${name}.boundaries[${i}]`, boundary, (boundaries[i - 1] ?? 0) + 1));
      values.forEach((each, i) => value(`${name}.values[${i}]`, each));
      return Object.freeze({ kind: 'piecewise', boundaries: Object.freeze([...boundaries]), values: Object.freeze([...values]) });
    }
    case 'warmUp':
      return Object.freeze({
        kind: 'warmUp',
        from: value(`${name}.from`, schedule.from),
        steps: integer(`${name}.steps`, schedule.steps, 1),
        after: checkSchedule(`${name}.after`, schedule.after, range, depth + 1),
      });
    case 'hold':
      return Object.freeze({
        kind: 'hold',
        every: integer(`${name}.every`, schedule.every, 1),
        schedule: checkSchedule(`${name}.schedule`, schedule.schedule, range, depth + 1),
      });
    default: {
      const { kind } = schedule as { kind: unknown };
      oneOf(`${name}.kind`, kind, ['constant', 'linear', 'cosine', 'exponential', 'piecewise', 'warmUp', 'hold']);
      throw new SottoError('internal', `${name} has no rule`);
    }
  }
}

/** The value at a step, for a schedule that {@link checkSchedule} has checked. */
export function scheduleValue(schedule: Schedule, step: number): number {
  if (typeof schedule === 'number') return schedule;
  switch (schedule.kind) {
    case 'constant':
      return schedule.value;
    case 'linear':
    case 'cosine':
    case 'exponential': {
      const { kind, from, to, steps } = schedule;
      if (step >= steps) return to;
      if (step === 0) return from;
      const done = step / steps;
      if (kind === 'linear') return from + (to - from) * done;
      if (kind === 'cosine') return to + ((from - to) * (1 + Math.cos(Math.PI * done))) / 2;
      return from * (to / from) ** done;
    }
    case 'piecewise': {
      const next = schedule.boundaries.findIndex((boundary) => step < boundary);
      return schedule.values[next === -1 ? schedule.values.length - 1 : next]!;
    }
    case 'warmUp': {
      const { from, steps, after } = schedule;
      return step >= steps ? scheduleValue(after, step - steps) : from + (scheduleValue(after, 0) - from) * (step / steps);
    }
    case 'hold':
      return scheduleValue(schedule.schedule, step - (step % schedule.every));
  }
}

/** The least and the greatest value that a checked schedule can take at any step. */
export function scheduleRange(schedule: Schedule): readonly [number, number] {
  if (typeof schedule === 'number') return [schedule, schedule];
  switch (schedule.kind) {
    case 'constant':
      return [schedule.value, schedule.value];
    case 'linear':
    case 'cosine':
    case 'exponential':
      return [Math.min(schedule.from, schedule.to), Math.max(schedule.from, schedule.to)];
    case 'piecewise':
      return [Math.min(...schedule.values), Math.max(...schedule.values)];
    case 'warmUp': {
      const [least, greatest] = scheduleRange(schedule.after);
      return [Math.min(schedule.from, least), Math.max(schedule.from, greatest)];
    }
    case 'hold':
      return scheduleRange(schedule.schedule);
  }
}

/** Whether the value is the same at every step. */
export function isConstant(schedule: Schedule): boolean {
  const [least, greatest] = scheduleRange(schedule);
  return least === greatest;
}
