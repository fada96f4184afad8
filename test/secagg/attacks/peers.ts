/**
 * The faults of other systems' secure aggregation, by name: in each an attacker that would win against the faulty design
 * is let loose on ours. What was read in which version of which system is told in docs/secagg-peers.md.
 */
import assert from 'node:assert/strict';
import { compareBytes, fromHex, toHex } from '../../../packages/core/src/bytes.ts';
import type { RandomSource } from '../../../packages/core/src/random.ts';
import { unsafeDeterministicRandom } from '../../../packages/core/src/unsafe-deterministic-random.ts';
import { stepClient } from '../../../packages/secagg/src/client/machine.ts';
import type { ClientState } from '../../../packages/secagg/src/client/state.ts';
import { maskSecret, pairKey, selfKey } from '../../../packages/secagg/src/keys.ts';
import { maskStream, runMaskJob } from '../../../packages/secagg/src/masks.ts';
import { decodeAdvert } from '../../../packages/secagg/src/messages/advertise.ts';
import { decodeMaskedInput } from '../../../packages/secagg/src/messages/input.ts';
import { pack, unpack } from '../../../packages/secagg/src/packing.ts';
import { sumBits } from '../../../packages/secagg/src/quantiser.ts';
import { contextOf, crypto, identityOf, plainSum, runRound, STAGES, TestClient } from '../network.ts';
import type { ContextChanges, RoundRun } from '../network.ts';
import type { Attack } from './attack.ts';

const FOUR = ['anna', 'bert', 'carl', 'dora'];
const FIVE = [...FOUR, 'emil'];
const WIRE = { nMax: 10, suite: 'x25519' as const };

/** One long vector, so that statistics have something to see; DP contexts allow every value. */
const WIDE: ContextChanges = {
  vectors: [{ name: 'update', length: 4096, bits: 16 }],
  noise: { mechanism: 'skellam', localVariance: 1, honestMinimum: 2, vector: 'update' },
};

/** A round in which every member's vectors are filled by `value(id, vector, element)`. */
function roundWith(changes: ContextChanges, value: (id: string, v: number, e: number) => number): RoundRun {
  const context = contextOf(changes);
  const inputs = Object.fromEntries(
    FOUR.map((id) => [id, context.vectors.map(({ length }, v) => Uint32Array.from({ length }, (_, e) => value(id, v, e)))]),
  );
  return runRound({ ids: FOUR, context, inputs });
}

/** What the coordinator receives as the masked vectors of one member. */
function masked(run: RoundRun, id: string): readonly Uint32Array[] {
  const { sid } = run.server.state.session!;
  const message = run.clients.get(id)!.outbox.find((data) => data[1] === 5)!;
  const { vectors } = decodeMaskedInput(sid, WIRE, run.context.vectors, message);
  return run.context.vectors.map(({ bits, length }, v) => unpack(vectors[v]!, bits, length));
}

/** Pearson's statistic of the four highest bits; 15 degrees of freedom, beyond 58.7 with probability below 10^-6. */
function unevenness(values: Uint32Array, bits: number): number {
  const counts = new Array<number>(16).fill(0);
  for (const value of values) counts[bits < 4 ? value : value >>> (bits - 4)]!++;
  const cells = Math.min(16, 2 ** bits);
  const expected = values.length / cells;
  return counts.slice(0, cells).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** The state as it is now, whatever was known of it before the last step. */
const stateOf = (client: TestClient): ClientState => client.state;

/** Every byte array in a state, with its path. */
function secretsOf(value: unknown, path = '', found: [string, Uint8Array][] = []): [string, Uint8Array][] {
  if (value instanceof Uint8Array) found.push([path, value]);
  else if (typeof value === 'object' && value !== null)
    for (const [k, v] of Object.entries(value)) secretsOf(v, `${path}.${k}`, found);
  return found;
}

export const peerFaults: readonly Attack[] = [
  {
    name: 'Flower: masks come from a key folded to 28 or 32 bits',
    run() {
      // Keys that any fold of the words by XOR, or any cut, maps to the same seed must give unrelated masks.
      const vectors = [{ name: 'update', length: 64, bits: 32 }];
      const stream = (key: Uint8Array): string => {
        const targets = [new Uint32Array(64)];
        runMaskJob(crypto, { vectors, targets, streams: [maskStream(crypto, key, vectors, 1)] });
        return toHex(new Uint8Array(targets[0]!.buffer));
      };
      const key = crypto.sha256(Uint8Array.of(1));
      const swapped = Uint8Array.from(key, (_, i) => key[(i + 4) % 32]!); // the same XOR of 32-bit words
      const paired = key.map((byte, i) => (i < 8 ? byte ^ 0x5a : byte)); // two equal changes in one column cancel
      const seen = new Set([stream(key), stream(swapped), stream(paired)]);
      for (let bit = 0; bit < 256; bit++)
        seen.add(stream(key.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))));
      assert.equal(seen.size, 259);
    },
  },
  {
    name: 'Flower: masks never take the highest value',
    run() {
      for (const bits of [1, 2, 3]) {
        const run = roundWith({ ...WIDE, vectors: [{ name: 'update', length: 4096, bits }] }, () => 0);
        for (const id of FOUR) {
          const [values] = masked(run, id);
          assert.ok(unevenness(values!, bits) < 58.7, `${id} at ${bits} bits`);
          assert.ok(values!.includes(2 ** bits - 1));
        }
      }
    },
  },
  {
    name: 'Flower: a member that is lost before it shares its keys ends the round',
    run() {
      for (const stage of STAGES) {
        const run = runRound({ ids: FIVE, losses: { carl: stage } });
        assert.equal(run.server.state.abort, undefined, stage);
        const members = stage === 'confirm' || stage === 'unmask' ? FIVE : FIVE.filter((id) => id !== 'carl');
        assert.deepEqual(run.server.result!.members, members);
        assert.deepEqual(run.server.result!.sums, plainSum(run, members));
      }
    },
  },
  {
    name: 'Flower: secrets stay in the state of the node after they are used',
    run() {
      for (const suite of ['x25519', 'x25519-mlkem768'] as const) {
        const kept = secretsAfter(suite);
        for (const [path, secret] of kept)
          assert.ok(
            secret.every((byte) => byte === 0),
            `${suite}: ${path} is still there`,
          );
        assert.ok(kept.length >= 8);
      }
    },
  },
  {
    name: 'Flower: a sum overflows with more members than the bits were made for',
    run() {
      for (const nMax of [3, 1000, 1024, 1025, 65535]) {
        const largest = 2 ** 16 - 1;
        const bits = sumBits(nMax, largest);
        assert.ok(nMax * largest < 2 ** bits && nMax * largest >= 2 ** (bits - 1));
      }
      // The largest element that a client takes, from all members at once, is summed exactly.
      const context = contextOf({ vectors: [{ name: 'update', length: 3, bits: 10 }], cohort: { nMax: 4 } });
      const inputs = Object.fromEntries(FOUR.map((id) => [id, [new Uint32Array(3).fill(255)]]));
      const run = runRound({ ids: FOUR, context, inputs });
      assert.deepEqual(run.server.result!.sums, [new Uint32Array(3).fill(1020)]);
      const beyond = { ...inputs, anna: [new Uint32Array(3).fill(256)] };
      assert.throws(() => runRound({ ids: FOUR, context, inputs: beyond }), /above 255/);
    },
  },
  {
    name: 'FedML: the unmasking message carries the plain weights and the mask',
    run() {
      // A spy keeps what the client kept: no message may hold its input, its masks or its secrets, whatever was asked.
      const run = roundWith(
        { ...WIDE, vectors: [{ name: 'update', length: 256, bits: 16 }] },
        (_, __, e) => (e * 2654435761) % 65536,
      );
      const fresh = new TestClient(identityOf('anna'), run.context, {});
      if (fresh.state.phase !== 'awaiting-roster') throw new Error(fresh.state.phase);
      const { r, b, channelSecret } = fresh.state.secrets; // the same as of the round's client, which drew the same bytes
      const input = run.clients.get('anna')!.input[0]!;
      const own = [r, b, channelSecret, maskSecret(crypto, r)];
      const words = [pack(input, 16), new Uint8Array(Float32Array.from(input).buffer), new Uint8Array(input.buffer)];
      for (const message of run.server.received) {
        const text = toHex(message);
        for (const secret of own) assert.ok(!text.includes(toHex(secret)));
        for (const form of words) {
          for (const at of [0, 16, 100]) assert.ok(!text.includes(toHex(form.subarray(at, at + 16))), `message ${message[1]}`);
        }
      }
      // The unmasking message is small and does not grow with the vector: 32-byte shares and a signature.
      assert.ok(run.clients.get('anna')!.outbox.at(-1)!.length < 4 * 60 + 200);
    },
  },
  {
    name: 'FedML: keys are agreed by multiplication modulo a small prime',
    run() {
      const run = runRound({ ids: FOUR });
      const { ctx, session } = run.server.state;
      const adverts = FOUR.map((id) => decodeAdvert(ctx, WIRE, run.clients.get(id)!.outbox[0]!));
      const anna = new TestClient(identityOf('anna'), run.context, {});
      if (anna.state.phase !== 'awaiting-roster') throw new Error(anna.state.phase);
      const { r, b } = anna.state.secrets;
      // Round 4 opened b; what is left on the input of anna are the pair masks, from what `agree` says that the pairs agreed.
      const peel = (agree: (other: Uint8Array) => Uint8Array): readonly Uint32Array[] => {
        const { vectors } = run.context;
        const targets = masked(run, 'anna').map((vector) => vector.slice());
        const streams = [maskStream(crypto, selfKey(crypto, session!.sid, b, 'anna'), vectors, -1)];
        for (const { id, maskKey } of adverts.slice(1)) {
          streams.push(maskStream(crypto, pairKey(crypto, session!.sid, agree(maskKey), 'anna', id), vectors, -1));
        }
        runMaskJob(crypto, { vectors, targets, streams });
        return targets;
      };
      const own = adverts[0]!.maskKey;
      const little = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.slice().reverse())}`);
      const product = (modulus: bigint) => (other: Uint8Array) =>
        fromHex(((little(own) * little(other)) % modulus).toString(16).padStart(64, '0')).reverse();
      const { input } = run.clients.get('anna')!;
      const guesses = [2n ** 255n - 19n, 2n ** 256n, 1997n, 2n ** 15n - 19n].map(product);
      guesses.push((other) => own.map((byte, i) => byte * other[i]!));
      for (const guess of guesses) assert.notDeepEqual(peel(guess), input);
      assert.deepEqual(
        peel((other) => crypto.x25519(maskSecret(crypto, r), other)!),
        input,
      );
    },
  },
  {
    name: 'FedML: keys and masks are seeded with the number of the client',
    run() {
      // Somebody who knows everything about a client but its random bytes starts the same client.
      const context = contextOf();
      const message = (seed: string): Uint8Array => new TestClient(identityOf('anna'), context, { seed }).outbox[0]!;
      const parts = [message('own'), message('attacker')].map((bytes) => {
        const { channelKey, maskKey, commitment } = decodeAdvert(ctxOf(context), WIRE, bytes);
        return [channelKey, maskKey, commitment].map(toHex);
      });
      for (const part of parts[0]!) assert.ok(!parts[1]!.includes(part));
      // And all randomness is asked of the source: 96 bytes for the advert, whoever the client is.
      let asked = 0;
      const counting: RandomSource = {
        fill(target) {
          asked += target.length;
          unsafeDeterministicRandom('count').fill(target);
        },
      };
      void new TestClient(identityOf('anna'), context, { random: counting });
      assert.equal(asked, 96);
    },
  },
  {
    name: 'OpenFL: one lost member ends the round',
    run() {
      for (const lost of FIVE) {
        const run = runRound({ ids: FIVE, losses: { [lost]: 'masked' } });
        const members = FIVE.filter((id) => id !== lost);
        assert.deepEqual(run.server.result?.members, members);
        assert.deepEqual(run.server.result.sums, plainSum(run, members));
      }
    },
  },
  {
    name: 'OpenFL: one set of masks serves the whole experiment',
    run() {
      // Worst case: the client's generator repeats itself. The sessions differ, so the masks must.
      const [first, second] = [1, 2].map((round) => roundWith({ ...WIDE, round }, (_, __, e) => (e * round) % 65536));
      for (const id of FOUR) {
        const [a] = masked(first!, id);
        const [z] = masked(second!, id);
        const difference = a!.map((value, e) => (z![e]! - value) & 65535);
        const truth = a!.map((_, e) => (e * 2 - e) & 65535);
        assert.notDeepEqual(difference, truth);
        assert.ok(
          unevenness(
            difference.map((value, e) => (value - truth[e]!) & 65535),
            16,
          ) < 58.7,
          id,
        );
      }
    },
  },
  {
    name: 'OpenFL: one number masks every coordinate',
    run() {
      const run = roundWith(WIDE, (_, __, e) => e);
      for (const id of FOUR) {
        const [y] = masked(run, id);
        // Differences of neighbours would show the input's own, which are all 1; a period of the mask would show at its lag.
        for (const lag of [1, 2, 4, 8, 16, 64, 1024, 2048]) {
          const steps = Uint32Array.from({ length: 4096 - lag }, (_, e) => (y![e + lag]! - y![e]! - lag) & 65535);
          assert.ok(unevenness(steps, 16) < 58.7, `${id} at lag ${lag}`);
        }
      }
    },
  },
  {
    name: 'OpenFL: the aggregator is sent every seed and share in the clear',
    run() {
      const run = runRound({ ids: FOUR });
      const clear = new Map<string, readonly Uint8Array[]>();
      for (const id of FOUR) {
        const { outbox } = run.clients.get(id)!;
        const copy = new TestClient(identityOf(id), run.context, {});
        const roster = run.server.state.outcomes.get('advertise') as Uint8Array;
        copy.receive(roster);
        if (copy.state.phase !== 'awaiting-delivery') throw new Error(copy.state.phase);
        assert.equal(compareBytes(copy.outbox[1]!, outbox[1]!), 0); // the same random bytes, so the same shares
        copy.receive((run.server.state.outcomes.get('share') as ReadonlyMap<string, Uint8Array>).get(id)!);
        const ready = stateOf(copy);
        if (ready.phase !== 'ready-for-input') throw new Error(ready.phase);
        clear.set(
          id,
          ready.held.flatMap(({ r, b }) => [r.slice(), b.slice()]).filter((share) => share.length === 32),
        );
      }
      // Before round 4 nothing that the coordinator has seen contains a share of anybody.
      const before = run.server.received.filter((message) => message[1] !== 9).map(toHex);
      for (const shares of clear.values()) {
        assert.equal(shares.length, 7);
        for (const share of shares) assert.ok(before.every((text) => !text.includes(toHex(share))));
      }
    },
  },
  {
    name: 'DISCO: shares outside a group show the size of the update',
    run() {
      for (const value of [0, 1, 32768, 65535]) {
        const run = roundWith(WIDE, () => value);
        for (const id of FOUR) assert.ok(unevenness(masked(run, id)[0]!, 16) < 58.7, `${id} with ${value}`);
      }
    },
  },
  {
    name: 'DISCO: one seed masks every tensor of an update',
    run() {
      const vectors = ['kernel', 'bias', 'gamma'].map((name) => ({ name, length: 2048, bits: 16 }));
      const run = roundWith({ vectors }, (_, v, e) => v * 7 + e);
      for (const id of FOUR) {
        const all = masked(run, id);
        for (const [i, z] of [
          [0, 1],
          [0, 2],
          [1, 2],
        ] as const) {
          const rest = all[i]!.map((value, e) => (all[z]![e]! - value - 7 * (z - i)) & 65535);
          assert.ok(unevenness(rest, 16) < 58.7, `${id}: ${vectors[i]!.name} and ${vectors[z]!.name}`);
        }
      }
    },
  },
  {
    name: 'DISCO: fewer than three members aggregate',
    run() {
      assert.throws(() => runRound({ ids: FOUR.slice(0, 2), context: contextOf({ cohort: { nMin: 2 } }) }), /nMin is 2/);
      const two = runRound({ ids: FOUR.slice(0, 2) });
      assert.equal(two.server.state.abort?.code, 'roster-size');
      assert.equal(two.server.result, undefined);
    },
  },
  {
    name: 'DISCO: sums of shares are rounded',
    run() {
      // Exact in the group, whatever the sizes: 2^31 beside 1.
      const vectors = [{ name: 'update', length: 4, bits: 32 }];
      const run = roundWith({ ...WIDE, vectors }, (id, _, e) => (id === 'anna' ? 2 ** 31 - 1 : e));
      assert.deepEqual(
        [...run.server.result!.sums[0]!],
        [0, 1, 2, 3].map((e) => 2 ** 31 - 1 + 3 * e),
      );
    },
  },
];

function ctxOf(context: ReturnType<typeof contextOf>): Uint8Array {
  const { state } = new TestClient(identityOf('anna'), context, {});
  if (state.phase !== 'awaiting-roster') throw new Error(state.phase);
  return state.ctx;
}

/** Runs one client through a round and returns every secret that any of its states held, as it is after the end. */
function secretsAfter(suite: 'x25519' | 'x25519-mlkem768'): [string, Uint8Array][] {
  const run = runRound({ ids: FOUR, context: contextOf({ suite }) });
  const outcomes = STAGES.map((stage) => run.server.state.outcomes.get(stage)!);
  const identity = identityOf('anna');
  const client = new TestClient(identity, run.context, { masking: 'deferred' });
  const found: [string, Uint8Array][] = [];
  const collect = (state: ClientState): void => {
    const names = ['secrets', 'channels', 'b', 'pairs', 'held', 'ownShare', 'job'];
    const parts = Object.entries(state).filter(([name]) => names.includes(name));
    for (const [name, part] of parts) {
      const secret = name === 'job' ? { streams: (part as { streams: unknown }).streams } : part;
      found.push(...secretsOf(secret, `${state.phase}.${name}`).filter(([, bytes]) => bytes.length > 0));
    }
  };
  collect(client.state);
  for (const outcome of outcomes) {
    client.receive(outcome instanceof Uint8Array ? outcome : outcome.get('anna')!);
    collect(client.state);
    if (client.state.phase === 'ready-for-input') {
      client.step({ type: 'input', vectors: run.clients.get('anna')!.input });
      collect(client.state);
      const masking = stateOf(client);
      if (masking.phase !== 'masking') throw new Error(masking.phase);
      runMaskJob(crypto, masking.job);
      client.step({ type: 'masked' });
    }
  }
  assert.equal(client.state.phase, 'done');
  assert.deepEqual(stepClient(client.setup, client.state, { type: 'cancel', reason: 'over' }).outgoing, []);
  return found;
}
