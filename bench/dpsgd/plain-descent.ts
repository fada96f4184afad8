/**
 * Gradient descent without privacy, as fast as the machinery of private steps makes it: float32 vectors in one shared memory, one pass in WebAssembly vectors, all cores.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import { updateHelpers } from '../../packages/dp/src/node/update-helpers.ts';
import { BlockThread } from '../../packages/dp/src/fused/blocks.ts';
import { sharedMemory } from '../../packages/dp/src/fused/kernel.ts';
import type { Pass, PassForm, SharedMemory } from '../../packages/dp/src/fused/kernel.ts';
import { layOut } from '../../packages/dp/src/fused/layout.ts';
import type { VectorLayout } from '../../packages/dp/src/fused/layout.ts';
import { encodeOverSharedMemory, I32, op, V128 } from '../../packages/dp/src/noise/wasm-encoder.ts';

/** What a helping thread is started with. */
export interface DescentData {
  readonly memory: SharedMemory;
  readonly layout: VectorLayout;
  readonly index: number;
}

const loadSplat32 = (offset: number): number[] => [0xfd, 0x09, ...op.load(offset).slice(2).with(0, 2)];
const f32x4 = { add: [0xfd, 0xe4, 0x01], sub: [0xfd, 0xe5, 0x01], mul: [0xfd, 0xe6, 0x01] } as const;

/** w ← w − rate·(Σ sums), four coordinates at a time. */
function compileDescent(memory: SharedMemory, { parameters, numbers, pages }: VectorLayout, { sums }: PassForm): Pass {
  const [begin, end] = [0, 1];
  const rate = 3 + sums;
  const sum = (k: number): (readonly number[])[] => [op.get(begin), op.get(3 + k), op.i32Add, op.load(0)];
  const body = [
    ...[op.i32(0), loadSplat32(numbers), op.set(rate)],
    op.loop,
    ...[op.get(begin), op.get(begin), op.load(parameters), op.get(rate), ...sum(0)],
    ...Array.from({ length: sums - 1 }, (_, k) => [...sum(k + 1), f32x4.add]).flat(),
    ...[f32x4.mul, f32x4.sub, op.store(parameters)],
    ...[op.get(begin), op.i32(16), op.i32Add, op.tee(begin), op.get(end), op.i32LessUnsigned, op.branchIf(0)],
    op.end,
  ];
  const types = Array.from({ length: 3 + sums }, () => I32);
  const bytes = encodeOverSharedMemory(pages, [{ name: 'pass', parameters: types, results: [], locals: [V128], body }]);
  const module = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(module, { host: { memory: memory as unknown as WebAssembly.Memory } });
  return exports['pass'] as Pass;
}

/** A thread's part in the descent. */
export function descentThread({ memory, layout, index }: DescentData): BlockThread {
  return new BlockThread(memory, layout, (form) => compileDescent(memory, layout, form), index);
}

/** No noise. */
export const nothing = (): void => undefined;

/** The vectors of a descent, and its steps. */
export class PlainDescent {
  readonly parameters: Float32Array;
  /** Sums of gradients, one for each lane. */
  readonly sums: readonly Float32Array[];
  readonly #thread: BlockThread;
  readonly #addresses: readonly number[];
  readonly #workers: readonly Worker[];

  constructor(dimension: number, lanes: number, rate: number) {
    const helpers = updateHelpers(lanes - 1).count(dimension);
    const layout = layOut({ dimension, slots: 0, average: false, sums: lanes, threads: helpers + 1, integers: true });
    const memory = layout === undefined ? undefined : sharedMemory(layout.pages);
    if (layout === undefined || memory === undefined) throw new Error('no shared memory');
    this.parameters = new Float32Array(memory.buffer, layout.parameters, dimension);
    this.sums = layout.sumsAt.map((at) => new Float32Array(memory.buffer, at, dimension));
    new Float32Array(memory.buffer, layout.numbers, 1)[0] = rate;
    this.#addresses = layout.sumsAt;
    this.#thread = descentThread({ memory, layout, index: 0 });
    this.#workers = Array.from({ length: helpers }, (_, i) => {
      const workerData: DescentData = { memory, layout, index: i + 1 };
      const worker = new Worker(new URL('./descent-worker.ts', import.meta.url), {
        workerData,
        execArgv: ['--conditions=@sotto/source', '--disable-warning=ExperimentalWarning'],
      });
      worker.unref();
      return worker;
    });
  }

  /** One update by the sums. */
  step(): void {
    this.#thread.lead({ sums: this.#addresses.length, doubles: false, average: false }, this.#addresses, nothing);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
