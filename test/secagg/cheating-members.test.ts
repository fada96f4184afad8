/**
 * Members that cheat at random in everything but their input: shares that they deal, boxes, answers, complaints, silence. The sum of an
 * honest coordinator is exact or the round ends with a name, however many cheat; nobody honest is left alone with the blame.
 */
import { expect, it } from 'vitest';
import type { CryptoProvider } from '../../packages/core/src/crypto.ts';
import { unsafeDeterministicRandom } from '../../packages/core/src/unsafe-deterministic-random.ts';
import type { Suite } from '../../packages/secagg/src/context.ts';
import { encodeComplaint, signComplaint } from '../../packages/secagg/src/messages/complaint.ts';
import { decodeShares, encodeShares, signShares } from '../../packages/secagg/src/messages/share.ts';
import { decodeUnmask, encodeUnmask, signUnmask } from '../../packages/secagg/src/messages/unmask.ts';
import { messageName } from '../../packages/secagg/src/messages/wire.ts';
import { checkBlame } from '../../packages/secagg/src/server/blame.ts';
import { contextOf, crypto, identityOf, inputFor, plainSum, TestClient, TestServer, trust } from './network.ts';

/** Numbers below a limit. */
function picker(seed: string): (limit: number) => number {
  const random = unsafeDeterministicRandom(seed);
  const word = new Uint32Array(1);
  return (limit) => {
    random.fill(new Uint8Array(word.buffer));
    return word[0]! % limit;
  };
}

const flip = (bytes: Uint8Array, at: number, by: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ by : byte));

function play(seed: string, suite: Suite): string {
  const pick = picker(seed);
  const ids = Array.from({ length: 5 + pick(5) }, (_, i) => `m${i}`);
  const cheats = new Set(ids.filter(() => pick(3) === 0));
  const context = contextOf({ suite });
  const wire = { nMax: context.cohort.nMax, suite };
  const server = new TestServer(context);
  const lying: CryptoProvider = {
    ...crypto,
    aes256GcmSeal: (key, nonce, aad, plaintext) =>
      crypto.aes256GcmSeal(key, nonce, aad, pick(3) === 0 ? flip(plaintext, pick(plaintext.length), 1 + pick(255)) : plaintext),
  };
  const clients = new Map(
    ids.map((id) => [id, new TestClient(identityOf(id), context, cheats.has(id) ? { crypto: lying } : {})]),
  );
  const changed = (id: string, message: Uint8Array): Uint8Array => {
    const sid = server.state.session?.sid;
    if (sid === undefined) return message;
    const { signingSeed } = identityOf(id);
    const name = messageName(message);
    if (name === 'shares' && pick(3) === 0) {
      const boxes = decodeShares(sid, wire, message).boxes.map((box) =>
        pick(4) === 0 ? { ...box, sealed: flip(box.sealed, 3, 1) } : box,
      );
      return encodeShares(sid, signShares(crypto, signingSeed, sid, { id, boxes }));
    }
    if (name === 'maskedInput' && suite !== 'x25519' && id !== ids[0] && pick(4) === 0) {
      const about = ids[pick(ids.indexOf(id))]!;
      return encodeComplaint(sid, signComplaint(crypto, signingSeed, sid, id, about));
    }
    if (name === 'unmask' && pick(2) === 0) {
      const shares = decodeUnmask(sid, wire, message)
        .shares.filter(() => pick(5) > 0)
        .map((opened) => (pick(3) === 0 ? { ...opened, share: flip(opened.share, pick(32), 1) } : opened));
      return encodeUnmask(sid, signUnmask(crypto, signingSeed, sid, { id, shares }));
    }
    return message;
  };
  const send = (id: string, message: Uint8Array | undefined): void => {
    if (message === undefined || (cheats.has(id) && pick(8) === 0)) return;
    server.receive(id, cheats.has(id) ? changed(id, message) : message);
  };
  for (const [id, client] of clients) send(id, client.outbox[0]);
  for (let stage = 0; stage < 4 && server.state.stage !== 'aborted'; stage++) {
    for (const [id, message] of server.close()) {
      const client = clients.get(id)!;
      let answers = client.receive(message);
      if (client.state.phase === 'ready-for-input') {
        client.input = inputFor(context, id);
        answers = client.step({ type: 'input', vectors: client.input });
      }
      send(id, answers[0]);
    }
  }
  if (server.state.stage === 'unmask') server.close();
  const outcome = server.state.abort?.code ?? 'sum';
  if (outcome === 'sum')
    expect(server.result!.sums, seed).toEqual(plainSum({ server, clients, context }, server.result!.members));
  const named = [...server.incidents.map(({ parties }) => parties), server.state.abort?.parties ?? []];
  for (const parties of named.filter(({ length }) => length > 0)) {
    expect(
      parties.some((id) => cheats.has(id)),
      `${seed}: ${parties.join(', ')}`,
    ).toBe(true);
  }
  // c is 1 for five and six, 2 up to nine: with no more cheats than that, conclusive evidence never stands against two honest parties.
  if (cheats.size <= Math.floor((ids.length - 1) / 3)) {
    for (const { kind, parties, evidence } of server.incidents) {
      if (kind !== 'bad-share') continue;
      const dealer = parties[0]!;
      let blame;
      try {
        blame = checkBlame({ crypto, trust }, context, { dealer, evidence });
      } catch {
        continue; // too many disagree to tell which
      }
      if (blame.conclusive && !cheats.has(dealer))
        expect(
          blame.holders.every((id) => cheats.has(id)),
          seed,
        ).toBe(true);
    }
  }
  return outcome;
}

it.each(['x25519', 'x25519-mlkem768'] as const)('members that cheat never make a wrong sum, %s', (suite) => {
  const outcomes = new Set(Array.from({ length: 14 }, (_, i) => play(`${suite} ${i}`, suite)));
  expect(outcomes).toContain('sum');
  expect(outcomes).toContain('recovery-failed');
  if (suite !== 'x25519') expect(outcomes).toContain('mask-key-mismatch');
});
