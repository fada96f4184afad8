/**
 * Lanes: worker threads that run programs side by side on shares of a batch, one single-threaded session each.
 *
 * Everything crosses over in shared memory. What the caller keeps in shared memory already, parameters above all, is not copied.
 *
 * @module
 */
import { isShared, sharedFloats } from '../ops/shared-floats.ts';
import { sizeOf } from '../ops/shapes.ts';
import { Lane, startLaneThread } from './lane.ts';
import type { LanePort } from './lane.ts';
import type { Arrays, SessionPlan, SessionSettings } from './ort-session.ts';

/** The lanes of one engine. */
export class LanePool {
  readonly #count: number;
  readonly #start: () => LanePort;
  #lanes: Lane[] = [];
  #programs = 0;
  #next = 0;

  /** @param start Starts a thread; for tests. */
  constructor(count: number, settings: SessionSettings, start: (settings: SessionSettings) => LanePort = startLaneThread) {
    this.#count = count;
    this.#start = () => start(settings);
  }

  /** Makes a session in each lane. Rejects where the runtime refuses the model. */
  async compile(plan: SessionPlan): Promise<LaneProgram> {
    const id = this.#next++;
    if (this.#programs++ === 0) this.#lanes = Array.from({ length: this.#count }, () => new Lane(this.#start()));
    const lanes = this.#lanes;
    const made = await Promise.allSettled(lanes.map((lane) => lane.ask({ kind: 'compile', program: id, plan })));
    const failed = made.find(({ status }) => status === 'rejected');
    if (failed !== undefined) {
      await Promise.allSettled(lanes.map((lane) => lane.ask({ kind: 'release', program: id })));
      await this.#leave();
      throw (failed as PromiseRejectedResult).reason;
    }
    return new LaneProgram(id, plan, lanes, () => this.#leave());
  }

  async #leave(): Promise<void> {
    if (--this.#programs > 0) return;
    const lanes = this.#lanes;
    this.#lanes = [];
    await Promise.all(lanes.map((lane) => lane.end()));
  }
}

/** Arrays that a program ran on, and the lanes that know them. */
interface Known {
  readonly id: number;
  readonly inputs: Arrays;
  /** Of some outputs. */
  readonly into: Arrays;
  readonly lanes: Set<Lane>;
}

/** How many sets of arrays each lane remembers. Callers alternate between a few. */
const KNOWN_PER_LANE = 4;

const isSame = (a: Arrays, b: Arrays): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
};

/** A program in every lane. A run takes an idle lane, or the least busy one. */
export class LaneProgram {
  readonly #id: number;
  readonly #plan: SessionPlan;
  readonly #lanes: readonly Lane[];
  readonly #left: () => Promise<void>;
  /** Shared copies of inputs that were not shared, to be used again. */
  readonly #spare = new Map<string, Float32Array[]>();
  /** The least recently used first. */
  #known: Known[] = [];
  #bindings = 0;
  #under: Promise<unknown>[] = [];

  constructor(id: number, plan: SessionPlan, lanes: readonly Lane[], left: () => Promise<void>) {
    this.#id = id;
    this.#plan = plan;
    this.#lanes = lanes;
    this.#left = left;
  }

  async run(inputs: Arrays, into: Arrays = {}): Promise<Record<string, Float32Array>> {
    const given: Record<string, Float32Array> = {};
    const borrowed: [string, Float32Array][] = [];
    for (const [name, values] of Object.entries(inputs)) {
      if (isShared(values)) {
        given[name] = values;
        continue;
      }
      const copy = this.#spare.get(name)?.pop() ?? sharedFloats(values.length);
      copy.set(values);
      borrowed.push([name, copy]);
      given[name] = copy;
    }
    const bound = Object.fromEntries(Object.entries(into).filter(([, target]) => isShared(target)));
    const fresh = this.#allocate(bound);
    const done = this.#start(given, bound, fresh);
    this.#under.push(done);
    try {
      await done;
    } finally {
      this.#under = this.#under.filter((one) => one !== done);
      for (const [name, copy] of borrowed) {
        // Copies of records are not kept longer than the run.
        copy.fill(0);
        this.#spare.set(name, [...(this.#spare.get(name) ?? []), copy]);
      }
    }
    const outputs: Record<string, Float32Array> = { ...bound, ...fresh };
    for (const [name, target] of Object.entries(into)) {
      if (isShared(target)) continue;
      target.set(outputs[name]!);
      outputs[name] = target;
    }
    return outputs;
  }

  /** Arrays in one new piece of shared memory for the outputs that have none. */
  #allocate(bound: Arrays): Record<string, Float32Array> {
    const missing = Object.entries(this.#plan.outputs).filter(([name]) => bound[name] === undefined);
    const memory = sharedFloats(missing.reduce((sum, [, shape]) => sum + sizeOf(shape), 0));
    let begin = 0;
    return Object.fromEntries(missing.map(([name, shape]) => [name, memory.subarray(begin, (begin += sizeOf(shape)))] as const));
  }

  /** Sends a run to the least busy lane, with the arrays where it does not know them. */
  #start(inputs: Arrays, into: Arrays, fresh: Arrays): Promise<void> {
    const lane = this.#lanes.reduce((best, other) => (other.load < best.load ? other : best));
    const known = this.#remember(inputs, into);
    const asked: Promise<void>[] = [];
    if (!known.lanes.has(lane)) {
      known.lanes.add(lane);
      asked.push(lane.ask({ kind: 'bind', program: this.#id, binding: known.id, inputs, into }));
    }
    asked.push(lane.ask({ kind: 'run', program: this.#id, binding: known.id, into: fresh }));
    return Promise.all(asked).then(() => undefined);
  }

  #remember(inputs: Arrays, into: Arrays): Known {
    const at = this.#known.findIndex((known) => isSame(known.inputs, inputs) && isSame(known.into, into));
    const known = at < 0 ? { id: this.#bindings++, inputs, into, lanes: new Set<Lane>() } : this.#known.splice(at, 1)[0]!;
    this.#known.push(known);
    if (this.#known.length > KNOWN_PER_LANE * this.#lanes.length) {
      const oldest = this.#known.shift()!;
      // Answered after the runs that it was sent for; a lane that has died forgets all the same.
      for (const lane of oldest.lanes) lane.ask({ kind: 'unbind', program: this.#id, binding: oldest.id }).catch(() => undefined);
    }
    return known;
  }

  /** Frees the sessions once the runs under way have ended. */
  async release(): Promise<void> {
    await Promise.allSettled(this.#under);
    // A lane that has died holds nothing any more.
    await Promise.allSettled(this.#lanes.map((lane) => lane.ask({ kind: 'release', program: this.#id })));
    await this.#left();
  }
}
