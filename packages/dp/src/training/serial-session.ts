/**
 * A session whose calls wait for each other, so that a checkpoint or an evaluation that is asked for in the middle of a step finds the state after it.
 *
 * @module
 */
import type { TrainingSession } from './session.ts';

/** Wraps a session. The order of the calls is kept; one that fails does not hold up the next. */
export function serialSession(session: TrainingSession): TrainingSession {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    const result = last.then(call, call);
    last = result;
    return result;
  };
  return {
    info: session.info,
    step: (position) => inTurn(() => session.step(position)),
    evaluate: (examples, mode) => inTurn(() => session.evaluate(examples, mode)),
    state: () => inTurn(() => session.state()),
    close: () => inTurn(() => session.close()),
  };
}
