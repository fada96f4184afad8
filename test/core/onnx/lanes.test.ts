import { Worker } from 'node:worker_threads';
import { SottoError } from '@sotto/core/errors';
import { onnxEngine } from '@sotto/core/onnx';
import { sharedFloats, sizeOf } from '@sotto/core/ops';
import type { CompiledProgram, Engine, Ops, Program } from '@sotto/core/ops';
import { afterEach, describe, expect, it } from 'vitest';
import { Lane } from '../../../packages/core/src/onnx/lane.ts';
import type { LanePort } from '../../../packages/core/src/onnx/lane.ts';
import { LanePool } from '../../../packages/core/src/onnx/lane-pool.ts';
import { numbers } from '../ops/support.ts';

const open: CompiledProgram[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((program) => program.dispose()));
});

async function compile(engine: Engine, program: Program): Promise<CompiledProgram> {
  const compiled = await engine.compile(program);
  open.push(compiled);
  return compiled;
}

/** y = tanh(x·W) and its row sums: one large and one small output. */
const program: Program = {
  name: 'layer',
  inputs: [
    { name: 'x', shape: [5, 7] },
    { name: 'w', shape: [7, 3] },
  ],
  build<T>(ops: Ops<T>, { x, w }: Readonly<Record<string, T>>): Record<string, T> {
    const y = ops.tanh(ops.matMul(x!, w!));
    return { y, sums: ops.sum(y, [1]) };
  },
};
const inputs = (phase: number): Record<string, Float32Array> => ({ x: numbers(35, phase), w: numbers(21, phase + 1) });

function shared(values: Float32Array): Float32Array {
  const copy = sharedFloats(values.length);
  copy.set(values);
  return copy;
}

describe('lanes', () => {
  it('give the numbers of a session in the calling thread, whichever lane runs', async () => {
    const alone = await compile(onnxEngine(), program);
    const engine = onnxEngine({ lanes: 2 });
    expect(engine.lanes).toBe(2);
    const lanes = await compile(engine, program);
    expect(lanes.outputs).toEqual(alone.outputs);
    // More runs than lanes: the rest wait.
    const runs = await Promise.all([1, 2, 3, 4, 5].map((phase) => lanes.run(inputs(phase))));
    for (const [i, run] of runs.entries()) expect(run).toEqual(await alone.run(inputs(i + 1)));
  });

  it('keep outputs of different runs apart', async () => {
    const lanes = await compile(onnxEngine({ lanes: 1 }), program);
    const first = await lanes.run(inputs(1));
    const copy = first['y']!.slice();
    await lanes.run(inputs(2));
    expect(first['y']).toEqual(copy);
  });

  it('write where they are told, over shared memory or not', async () => {
    const expected = await (await compile(onnxEngine(), program)).run(inputs(3));
    for (const engine of [onnxEngine(), onnxEngine({ lanes: 2 })]) {
      const compiled = await compile(engine, program);
      for (const y of [sharedFloats(15), new Float32Array(15)]) {
        const outputs = await compiled.run(inputs(3), { y });
        expect(outputs['y']).toBe(y);
        expect([...y]).toEqual([...expected['y']!]);
        expect([...outputs['sums']!]).toEqual([...expected['sums']!]);
      }
    }
  });

  it('write parts of one vector', async () => {
    const lanes = await compile(onnxEngine({ lanes: 2 }), program);
    const flat = sharedFloats(22);
    await lanes.run(inputs(4), { y: flat.subarray(2, 17), sums: flat.subarray(17) });
    const expected = await lanes.run(inputs(4));
    expect([...flat]).toEqual([0, 0, ...expected['y']!, ...expected['sums']!]);
  });

  it('read shared inputs where they lie', async () => {
    const lanes = await compile(onnxEngine({ lanes: 2 }), program);
    const { x, w } = inputs(5);
    const memory = { x: shared(x!), w: shared(w!) };
    expect(await lanes.run(memory)).toEqual(await lanes.run(inputs(5)));
    memory.w.set(inputs(6)['w']!);
    expect(await lanes.run(memory)).toEqual(await lanes.run({ x: x!, w: inputs(6)['w']! }));
  });

  it('come back to arrays that they know, and to those that they have forgotten', async () => {
    const lanes = await compile(onnxEngine({ lanes: 2 }), program);
    const sets = Array.from({ length: 20 }, (_, i) => {
      const { x, w } = inputs(i);
      return { memory: { x: shared(x!), w: shared(w!) }, y: sharedFloats(15) };
    });
    for (const round of [0, 1]) {
      for (const [i, { memory }] of sets.entries()) memory.x.set(inputs(i + round)['x']!);
      // Twice in a row, on one lane and on the other.
      for (const { memory, y } of sets) await Promise.all([lanes.run(memory, { y }), lanes.run(memory)]);
      for (const [i, { y }] of sets.entries()) {
        const expected = await lanes.run({ x: inputs(i + round)['x']!, w: inputs(i)['w']! });
        expect([...y]).toEqual([...expected['y']!]);
      }
    }
  });

  it('answer in order where there is one', async () => {
    const lanes = await compile(onnxEngine({ lanes: 1 }), program);
    const order: number[] = [];
    await Promise.all([1, 2, 3].map((phase) => lanes.run(inputs(phase)).then(() => order.push(phase))));
    expect(order).toEqual([1, 2, 3]);
  });

  it('refuse wrong arrays by name, and runs after disposal', async () => {
    const lanes = await compile(onnxEngine({ lanes: 1 }), program);
    await expect(lanes.run({ x: numbers(35, 1) })).rejects.toThrow(/needs the input w/);
    await expect(lanes.run({ ...inputs(1), w: numbers(20, 1) })).rejects.toThrow(/input w has 20 numbers/);
    await expect(lanes.run(inputs(1), { y: new Float32Array(14) })).rejects.toThrow(/output y has 14 numbers/);
    await expect(lanes.run(inputs(1), { z: new Float32Array(14) })).rejects.toThrow(/z, which is not an output/);
    await lanes.dispose();
    await expect(lanes.run(inputs(1))).rejects.toMatchObject({ code: 'conflict' });
  });

  it('start again after the last program was disposed of, and finish the runs that were under way', async () => {
    const engine = onnxEngine({ lanes: 2 });
    const first = await compile(engine, program);
    const under = first.run(inputs(1));
    await first.dispose();
    const second = await compile(engine, program);
    expect(await second.run(inputs(1))).toEqual(await under);
  });

  it('are for the CPU only', () => {
    expect(() => onnxEngine({ provider: 'webgpu', lanes: 2 })).toThrow(/lanes/);
    expect(() => onnxEngine({ lanes: 0 })).toThrow(/lanes/);
  });
});

/** A thread that can be told to die. */
class Port implements LanePort {
  readonly #listeners = new Map<string, (value: never) => void>();
  readonly sent: unknown[] = [];
  postMessage(message: unknown): void {
    this.sent.push(message);
  }
  on(event: string, listener: (value: never) => void): void {
    this.#listeners.set(event, listener);
  }
  emit(event: string, value: unknown): void {
    this.#listeners.get(event)?.(value as never);
  }
  ref(): void {
    // A double has no event loop to hold.
  }
  unref(): void {
    // A double has no event loop to hold.
  }
  terminate(): Promise<number> {
    this.emit('exit', 1);
    return Promise.resolve(1);
  }
}

describe('a lane that fails', () => {
  it('rejects what waits and all that comes later, saying why', async () => {
    const port = new Port();
    const lane = new Lane(port);
    const waiting = [lane.ask({ kind: 'release', program: 0 }), lane.ask({ kind: 'release', program: 1 })];
    const settled = Promise.allSettled(waiting);
    port.emit('error', new Error('out of memory'));
    for (const result of await settled) {
      expect(result.status).toBe('rejected');
      expect((result as PromiseRejectedResult).reason).toBeInstanceOf(SottoError);
      expect(String((result as PromiseRejectedResult).reason)).toMatch(
        /lane of the engine failed: out of memory; make another engine/,
      );
    }
    await expect(lane.ask({ kind: 'release', program: 2 })).rejects.toMatchObject({ code: 'internal' });
  });

  it('refuses a program with the runtime’s words and leaves the others running', async () => {
    const pool = new LanePool(2, { provider: 'cpu', threads: 1 });
    const plan = { bytes: Uint8Array.of(1, 2, 3), views: [], outputs: {} };
    await expect(pool.compile(plan)).rejects.toThrow(/protobuf|Load model/i);
    const lanes = await compile(onnxEngine({ lanes: 2 }), program);
    expect(sizeOf(lanes.outputs['y']!)).toBe(15);
  });

  it('tells a run that its real thread has ended in the middle of it', async () => {
    const code = `
      const { parentPort } = require('node:worker_threads');
      parentPort.on('message', ({ kind }) => (kind === 'run' ? process.exit(3) : parentPort.postMessage({ failure: undefined })));
    `;
    const pool = new LanePool(2, { provider: 'cpu', threads: 1 }, () => new Worker(code, { eval: true, execArgv: [] }));
    const made = await pool.compile({ bytes: Uint8Array.of(), views: [], outputs: { y: [2] } });
    await expect(made.run({})).rejects.toThrow(/a lane of the engine failed: it ended with code 3; make another engine/);
    await made.release();
  });

  it('tells a run that a thread has died', async () => {
    const ports: Port[] = [];
    const pool = new LanePool(1, { provider: 'cpu', threads: 1 }, () => {
      const port = new Port();
      ports.push(port);
      return port;
    });
    const compiling = pool.compile({
      bytes: Uint8Array.of(),
      views: [{ name: 'x', input: 'x', begin: 0, shape: [2] }],
      outputs: { y: [2] },
    });
    ports[0]!.emit('message', { failure: undefined });
    const made = await compiling;
    const run = made.run({ x: Float32Array.of(1, 2) });
    ports[0]!.emit('exit', 134);
    await expect(run).rejects.toThrow(/it ended with code 134/);
    await made.release();
  });
});
