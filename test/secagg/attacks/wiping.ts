/** Secrets that outlive their session: every end of a session, on either side, leaves none of them in any array that it made. */
import assert from 'node:assert/strict';
import { wipe } from '../../../packages/core/src/bytes.ts';
import type { CryptoProvider } from '../../../packages/core/src/crypto.ts';
import { unsafeDeterministicRandom } from '../../../packages/core/src/unsafe-deterministic-random.ts';
import { startClient, stepClient } from '../../../packages/secagg/src/client/machine.ts';
import type { ClientInput, ClientSetup, ClientState, ClientStep } from '../../../packages/secagg/src/client/state.ts';
import type { RoundContext } from '../../../packages/secagg/src/context.ts';
import { runMaskJob } from '../../../packages/secagg/src/masks.ts';
import { encodeDelivery } from '../../../packages/secagg/src/messages/share.ts';
import { decodeUnmask, encodeUnmask, signUnmask } from '../../../packages/secagg/src/messages/unmask.ts';
import { messageName } from '../../../packages/secagg/src/messages/wire.ts';
import { defaultSitePolicy } from '../../../packages/secagg/src/policy.ts';
import { startServer, stepServer } from '../../../packages/secagg/src/server/machine.ts';
import type { ServerInput, ServerSetup, ServerState } from '../../../packages/secagg/src/server/state.ts';
import {
  contextOf,
  coordinatorSeed,
  crypto,
  identityOf,
  inputFor,
  NOW,
  runRound,
  STAGES,
  TestClient,
  trust,
} from '../network.ts';
import type { ContextChanges, RoundRun } from '../network.ts';
import { SecretWatch } from '../secret-watch.ts';
import type { Attack } from './attack.ts';

const ALL = ['anna', 'bert', 'carl', 'dora'];
const WIRE = { nMax: 10, suite: 'x25519' as const };
const NONE: Uint8Array = new Uint8Array(1);

/** The member under watch: third of four, so that it is the higher id of some pairs and the lower of others. */
const ID = 'carl';

class Watched {
  readonly watch: SecretWatch = new SecretWatch();
  readonly setup: ClientSetup;
  state: ClientState;
  readonly sent: Uint8Array[] = [];
  /** Records that exist already. */
  readonly taken: ReadonlySet<string>;

  constructor(context: RoundContext, masking: 'inline' | 'deferred', taken: readonly string[] = []) {
    const { certificate, signingSeed } = identityOf(ID);
    const policy = { ...defaultSitePolicy, modes: [context.mode] };
    const random = this.watch.random(unsafeDeterministicRandom(`round ${ID}`));
    this.setup = { crypto: this.watch.crypto, random, context, certificate, signingSeed, trust, policy, masking };
    this.taken = new Set(taken);
    const step = this.watch.during(() => startClient(this.setup));
    this.state = step.state;
    this.#apply(step);
  }

  step(input: ClientInput): void {
    this.#apply(this.watch.during(() => stepClient(this.setup, this.state, input)));
  }

  receive(message: Uint8Array): void {
    this.step({ type: 'message', message, nowMs: NOW });
  }

  give(vectors: readonly Uint32Array[]): void {
    for (const vector of vectors) this.watch.add('input', new Uint8Array(vector.buffer, 0, Math.min(32, vector.byteLength)));
    this.step({ type: 'input', vectors });
  }

  #apply(step: ClientStep): void {
    this.state = step.state;
    if (step.state.phase === 'awaiting-delivery') this.watch.add('own share', step.state.ownShare);
    this.sent.push(...step.outgoing);
    for (const effect of step.effects) {
      if (effect.type !== 'record' || !this.taken.has(effect.record)) continue;
      // A step that is not taken hands out its own secrets too.
      wipe(...step.consumed);
      // What it would have opened was written into the answer; the answer itself must go, its drafts are out of reach.
      this.#open(step.outgoing);
      this.#apply(this.watch.during(() => stepClient(this.setup, this.state, { type: 'record-refused' })));
      for (const message of step.outgoing) {
        // The masked input says nothing; the answer does.
        const stays = message.some((byte) => byte !== 0) && messageName(message) !== 'maskedInput';
        assert.ok(!stays, 'the answer stays');
      }
      return;
    }
    this.#open(step.outgoing);
    wipe(...step.consumed);
  }

  #open(messages: readonly Uint8Array[]): void {
    for (const message of messages) {
      if (messageName(message) !== 'unmask') continue;
      const sid = message.slice(6, 38);
      for (const { share } of decodeUnmask(sid, WIRE, message).shares) this.watch.release(share);
    }
  }

  /** Nothing is left but what the state holds. */
  assertClean(where: string): void {
    const kept: Uint8Array[] = [];
    const collect = (value: unknown): void => {
      if (ArrayBuffer.isView(value)) kept.push(value as Uint8Array);
      else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) collect(part);
    };
    collect(this.state);
    assert.ok(this.watch.secrets > 3);
    assert.deepEqual([...new Set(this.watch.left(kept))], [], `${where}, in phase ${this.state.phase}`);
  }

  assertAborted(where: string, code: string): void {
    assert.equal(this.state.phase === 'aborted' ? this.state.abort.code : this.state.phase, code, where);
    assert.deepEqual([...new Set(this.watch.left())], [], `${where}: ${code}`);
  }
}

const rounds = new Map<string, RoundRun>();

/** What the coordinator says in a whole round to the member under watch, and its input. */
function script(changes: ContextChanges): {
  readonly context: RoundContext;
  readonly messages: readonly Uint8Array[];
  readonly input: readonly Uint32Array[];
} {
  const context = contextOf(changes);
  const key = JSON.stringify(changes);
  const run = rounds.get(key) ?? runRound({ ids: ALL, context, losses: { dora: 'masked' } });
  rounds.set(key, run);
  assert.equal(run.server.state.stage, 'done');
  const messages = STAGES.flatMap((stage) => {
    const outcome = run.server.state.outcomes.get(stage);
    if (outcome === undefined) return [];
    return [outcome instanceof Uint8Array ? outcome : outcome.get(ID)!];
  });
  return { context, messages, input: inputFor(context, ID) };
}

/** What happens to a member in a whole round, step by step. */
function actionsOf(changes: ContextChanges, masking: 'inline' | 'deferred'): readonly ((member: Watched) => void)[] {
  const { messages, input } = script(changes);
  return messages.flatMap((message, i) => {
    const receive = (member: Watched): void => member.receive(message);
    if (i !== 1) return [receive];
    const masked = (member: Watched): void => {
      if (member.state.phase !== 'masking') throw new Error(member.state.phase);
      runMaskJob(member.setup.crypto, member.state.job);
      member.step({ type: 'masked' });
    };
    const given = (member: Watched): void => member.give(input);
    return masking === 'inline' ? [receive, given] : [receive, given, masked];
  });
}

/** A member after so many steps of a round. */
function memberAfter(steps: number, changes: ContextChanges, masking: 'inline' | 'deferred'): Watched {
  const member = new Watched(contextOf(changes), masking);
  for (const action of actionsOf(changes, masking).slice(0, steps)) action(member);
  return member;
}

const KINDS: readonly (readonly [ContextChanges, 'inline' | 'deferred'])[] = [
  [{}, 'inline'],
  [{ suite: 'x25519-mlkem768' }, 'deferred'],
];

/** A coordinator under watch, fed with the messages of a round. */
class WatchedServer {
  readonly watch: SecretWatch = new SecretWatch();
  readonly setup: ServerSetup;
  readonly state: ServerState;
  readonly shares: Uint8Array[] = [];

  constructor(context: RoundContext, masking: 'inline' | 'deferred') {
    this.setup = { crypto: this.watch.crypto, context, trust, coordinatorSeed, masking };
    this.state = startServer(this.setup);
    for (const id of ALL) {
      // What the members of the run drew, as a test may know it.
      const { state } = new TestClient(identityOf(id), context);
      if (state.phase !== 'awaiting-roster') throw new Error(state.phase);
      this.watch.add('r', state.secrets.r.slice());
      this.watch.add('b', state.secrets.b.slice());
    }
  }

  step(input: ServerInput): void {
    const step = this.watch.during(() => stepServer(this.setup, this.state, input));
    for (const { shares } of this.state.answers.values()) for (const { share } of shares) this.shares.push(share);
    wipe(...step.consumed);
  }

  /** Takes all messages of the run; the last stage stays open. */
  play(run: RoundRun, change: (from: string, message: Uint8Array) => Uint8Array = (_, message) => message): this {
    const stages = run.context.mode === 'malicious' ? STAGES : STAGES.filter((stage) => stage !== 'confirm');
    for (const [i] of stages.entries()) {
      for (const [id, client] of run.clients) {
        const kept = sentBy.get(client)![i];
        if (kept !== undefined) this.step({ type: 'message', from: id, message: change(id, kept.slice()), nowMs: NOW });
      }
      if (i < stages.length - 1) this.step({ type: 'closeStage' });
    }
    assert.equal(this.state.stage, 'unmask');
    return this;
  }

  assertClean(where: string): void {
    assert.ok(this.shares.length > 8);
    for (const share of this.shares)
      assert.ok(
        share.every((byte) => byte === 0),
        `${where}: an opened share stays`,
      );
    assert.deepEqual([...new Set(this.watch.left())], [], where);
  }
}
const sentBy = new Map<unknown, readonly Uint8Array[]>();

/** A round of four with dora lost after its shares, with what everybody sent. */
function played(changes: ContextChanges, lost: string = 'dora'): RoundRun {
  const key = `server ${lost} ${JSON.stringify(changes)}`;
  let run = rounds.get(key);
  if (run === undefined) {
    run = runRound({ ids: ALL, context: contextOf(changes), losses: { [lost]: 'masked' } });
    rounds.set(key, run);
    // A client wipes its last message: take what the coordinator was sent.
    const received = [...run.server.received];
    for (const [id, client] of run.clients) {
      const answer = received.find((message) => messageName(message) === 'unmask' && senderOf(message) === id);
      const sent = answer === undefined ? client.outbox : [...client.outbox.slice(0, -1), answer];
      sentBy.set(
        client,
        sent.map((message) => message.slice()),
      );
    }
  }
  return run;
}

const senderOf = (message: Uint8Array): string => {
  const length = message[41]!;
  return Buffer.from(message.subarray(42, 42 + length)).toString();
};

export const wipingAttacks: readonly Attack[] = [
  ...KINDS.flatMap(([changes, masking]): Attack[] => {
    // Adverts, roster, delivery, input, survivors, confirmations, receipt; with the masks on their own where they are deferred.
    const last = masking === 'inline' ? 6 : 7;
    return Array.from({ length: last + 1 }, (_, steps): Attack => {
      const where = `after step ${steps} of ${last}`;
      return {
        name: `memory of a member read ${where}, and after it gave up there`,
        run() {
          const member = memberAfter(steps, changes, masking);
          member.assertClean(where);
          assert.equal(member.state.phase === 'done', steps === last);
          if (member.state.phase === 'done') {
            // The answer, with the shares that it opened.
            assert.ok(member.sent.at(-1)!.every((byte) => byte === 0));
            return;
          }
          member.step({ type: 'cancel', reason: 'over' });
          member.assertAborted(where, 'cancelled');
          const refusing = memberAfter(steps, changes, masking);
          refusing.receive(NONE);
          refusing.assertAborted(where, 'malformed');
        },
      };
    });
  }),
  {
    name: 'memory of a member read after a record was refused',
    run() {
      for (const [changes, masking] of KINDS) {
        for (const record of ['contributed', 'answered']) {
          const { context, messages, input } = script(changes);
          const member = new Watched(context, masking, [record]);
          for (const [i, message] of messages.entries()) {
            if (member.state.phase === 'aborted') break;
            member.receive(message);
            if (i !== 1) continue;
            member.give(input);
            if (member.state.phase !== 'masking') continue;
            runMaskJob(member.setup.crypto, member.state.job);
            member.step({ type: 'masked' });
          }
          member.assertAborted(record, 'already-done');
        }
      }
    },
  },
  {
    name: 'memory of a member read after boxes that do not open, or that confirm another key',
    run() {
      for (const [changes, masking] of KINDS) {
        const { context, messages } = script(changes);
        const member = new Watched(context, masking);
        member.receive(messages[0]!);
        if (member.state.phase !== 'awaiting-delivery') throw new Error(member.state.phase);
        const { sid } = member.state.session;
        member.receive(encodeDelivery(sid, { u1: ALL, boxes: [] }));
        // In the hybrid suite a box of a lower id holds the confirmation of its key: without it the member complains.
        member.assertAborted('no boxes', changes.suite === undefined ? 'shares-too-few' : 'mask-key-mismatch');
      }
      // A provider that derives another secret than the lower id confirmed.
      const { context, messages } = script({ suite: 'x25519-mlkem768' });
      const member = new Watched(context, 'inline');
      member.receive(messages[0]!);
      const provider = member.setup.crypto;
      const other: CryptoProvider = {
        ...provider,
        mlKem768Decapsulate: (seed, ciphertext) =>
          provider.mlKem768Decapsulate(
            seed,
            ciphertext.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
          ),
      };
      let calls = 0;
      const mask: CryptoProvider = {
        ...provider,
        // Both the box and the mask decapsulate; only the last one of each peer is for the mask.
        mlKem768Decapsulate: (seed, ciphertext) => (++calls === 2 ? other : provider).mlKem768Decapsulate(seed, ciphertext),
      };
      const step = member.watch.during(() =>
        stepClient({ ...member.setup, crypto: mask }, member.state, { type: 'message', message: messages[1]!, nowMs: NOW }),
      );
      wipe(...step.consumed);
      member.state = step.state;
      member.assertAborted('another key', 'mask-key-mismatch');
    },
  },
  {
    name: 'memory of the coordinator read after any end of a round',
    run() {
      for (const [changes] of KINDS) {
        const run = played(changes);
        const inline = new WatchedServer(run.context, 'inline').play(run);
        inline.step({ type: 'closeStage' });
        assert.equal(inline.state.stage, 'done');
        inline.assertClean('done');
        // Whose coins gave the ciphertexts of its pairs.
        const lowest = new WatchedServer(run.context, 'inline').play(played(changes, 'anna'));
        lowest.step({ type: 'closeStage' });
        assert.equal(lowest.state.stage, 'done');
        lowest.assertClean('the lowest id lost');
        const deferred = new WatchedServer(run.context, 'deferred').play(run);
        deferred.step({ type: 'closeStage' });
        runMaskJob(deferred.setup.crypto, deferred.state.job!);
        deferred.step({ type: 'masksRemoved' });
        assert.equal(deferred.state.stage, 'done');
        deferred.assertClean('deferred');
        const midway = new WatchedServer(run.context, 'deferred').play(run);
        midway.step({ type: 'closeStage' });
        midway.step({ type: 'cancel', reason: 'over' });
        midway.assertClean('cancelled while masks come off');
        const early = new WatchedServer(run.context, 'inline').play(run);
        early.step({ type: 'cancel', reason: 'over' });
        early.assertClean('cancelled while answers come in');
        // dora's r does not come out, after the b of all others did.
        const failed = new WatchedServer(run.context, 'inline').play(run, (from, message) => {
          if (from !== 'anna' || messageName(message) !== 'unmask') return message;
          const { sid } = run.server.state.session!;
          const shares = decodeUnmask(sid, WIRE, message).shares.map((opened) =>
            opened.dealer === 'dora' ? { ...opened, share: opened.share.map((byte) => byte ^ 1) } : opened,
          );
          return encodeUnmask(sid, signUnmask(crypto, identityOf('anna').signingSeed, sid, { id: 'anna', shares }));
        });
        failed.step({ type: 'closeStage' });
        assert.equal(failed.state.abort?.code, 'recovery-failed');
        failed.assertClean('failed');
      }
    },
  },
];
