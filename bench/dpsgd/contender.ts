/**
 * What takes turns in the benchmark of training steps.
 *
 * @module
 */

/** Something that can be stepped and timed. */
export interface Contender {
  readonly name: string;
  /** Takes steps for about so many seconds, at least one; their wall times in milliseconds. */
  time(seconds: number): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** A contender from a step in this process. */
export function stepper(name: string, step: () => Promise<unknown>, close: () => Promise<void>): Contender {
  return {
    name,
    async time(seconds) {
      const times: number[] = [];
      const end = performance.now() + 1000 * seconds;
      while (times.length === 0 || performance.now() < end) {
        const begin = performance.now();
        await step();
        times.push(performance.now() - begin);
      }
      return times;
    },
    close,
  };
}

/** The median. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

const PAUSE_MS = 250;
/** Training takes long: what counts is a step after the compilers of all contenders are done. */
const WARM_UP_SECONDS = 2;

/**
 * Times contenders in turn, in rounds, with a pause between turns in which the threads of the last one stop spinning: whatever else the machine does falls on all of them. The
 * first turn of each is thrown away.
 */
export async function takeTurns(contenders: readonly Contender[], rounds: number, seconds: number): Promise<number[][]> {
  const times = contenders.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const turn = await contender.time(round === 0 ? WARM_UP_SECONDS : seconds);
      if (round > 0) times[i]!.push(...turn);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
  return times;
}
