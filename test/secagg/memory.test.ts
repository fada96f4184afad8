/** The coordinator holds one running sum, however many inputs stream in: its memory is counted in vectors. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { createMaskPool } from '../../packages/secagg/src/node/mask-pool.ts';
import { stepServer } from '../../packages/secagg/src/server/machine.ts';
import { contextOf, identityOf, NOW, TestClient, TestServer } from './network.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const pool = createMaskPool({ threads: 2 });
afterAll(() => pool.close());

/** What keys, shares and buffers of a chunk may take beside: n·k boxes and shares, and what does not grow. */
const small = (n: number): number => 200_000 + 2000 * n * n;

/** Bytes of array buffers alive now, without garbage. They are freed beside the collection, so it takes several turns. */
async function alive(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => void setImmediate(resolve));
  }
  return process.memoryUsage().arrayBuffers;
}

/** Hands a fresh copy of a message in, as a transport would; returns the bytes then held, with what the step left behind. */
function deliver(server: TestServer, from: string, message: Uint8Array): number {
  const arrived = message.slice();
  const step = stepServer(server.setup, server.state, { type: 'message', from, message: arrived, nowMs: NOW });
  expect(step.verdict?.type).toBe('accepted');
  return process.memoryUsage().arrayBuffers;
}

describe('the memory of the coordinator', () => {
  it.each([
    [6, 150_000],
    [6, 450_000],
    [12, 150_000],
    [12, 450_000],
  ])(
    'stays below three vectors of %i inputs of %i elements, before, during and after the sum',
    async (n, length) => {
      const vector = 4 * length;
      const lost = n / 6;
      const ids = Array.from({ length: n }, (_, i) => `m${String(i).padStart(2, '0')}`);
      const context = contextOf({ vectors: [{ name: 'update', length, bits: 32 }], cohort: { nMax: n } });
      const server = new TestServer(context, { masking: 'deferred' });
      const clients = new Map(ids.map((id) => [id, new TestClient(identityOf(id), context, { masking: 'deferred' })]));
      // Each client's own memory is made before anything is counted: what is counted is the coordinator's.
      const input = new Uint32Array(length).fill(7);
      for (const [id, client] of clients) server.receive(id, client.outbox[0]!);
      for (const [id, message] of server.close()) server.receive(id, clients.get(id)!.receive(message)[0]!);
      const before = await alive();
      const deliveries = server.close();
      const sums = (await alive()) - before;
      expect(sums).toBeGreaterThan(vector - 1);
      expect(sums).toBeLessThan(vector + small(n));
      const inputs: Uint8Array[] = [];
      for (const [id, client] of clients) {
        client.receive(deliveries.get(id)!);
        client.step({ type: 'input', vectors: [input] });
        const { state } = client;
        if (state.phase !== 'masking') throw new Error(state.phase);
        await pool.run(state.job);
        inputs.push(client.step({ type: 'masked' })[0]!);
      }
      let peak = 0;
      const start = (await alive()) - sums;
      for (const [i, id] of ids.entries()) {
        if (i >= n - lost) continue;
        peak = Math.max(peak, deliver(server, id, inputs[i]!) - start);
        await alive();
      }
      expect(peak).toBeGreaterThan(2 * vector - small(n)); // the sum and the message at hand
      expect(peak).toBeLessThan(2 * vector + small(n));
      const between = (await alive()) - start;
      expect(between).toBeLessThan(vector + small(n));

      for (const stage of ['confirm', 'unmask']) {
        for (const [id, message] of server.close()) {
          const [answer] = clients.get(id)!.receive(message);
          expect(answer, stage).toBeDefined();
          server.receive(id, answer!);
        }
      }
      let step = stepServer(server.setup, server.state, { type: 'closeStage' });
      const effect = step.effects.find((candidate) => candidate.type === 'unmask');
      if (effect?.type !== 'unmask') throw new Error('no job');
      await alive();
      await pool.run(effect.job);
      step = stepServer(server.setup, server.state, { type: 'masksRemoved' });
      // The sum, the pool's shared copy of it, and the packed sum that the receipt hashes.
      expect(process.memoryUsage().arrayBuffers - start).toBeLessThan(3 * vector + small(n));
      const result = step.effects.find((candidate) => candidate.type === 'result');
      expect(result?.type === 'result' && result.result.sums[0]!.every((element) => element === 7 * (n - lost))).toBe(true);
    },
    120_000,
  );
});
