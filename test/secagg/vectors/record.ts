/**
 * Records complete rounds as test vectors: every secret, every derived key, every message. Run this file to write the
 * JSON beside it again: `npx node --conditions=@sotto/source test/secagg/vectors/record.ts`.
 */
import { writeFileSync } from 'node:fs';
import { compareIds, toHex } from '../../../packages/core/src/bytes.ts';
import { nobleCrypto } from '../../../packages/core/src/crypto-noble.ts';
import { contextHash } from '../../../packages/secagg/src/context.ts';
import type { RoundContext } from '../../../packages/secagg/src/context.ts';
import { channelKey, commitment, maskSecret, pairKey, selfKey } from '../../../packages/secagg/src/keys.ts';
import { maskStream } from '../../../packages/secagg/src/masks.ts';
import { messageName } from '../../../packages/secagg/src/messages/wire.ts';
import { coordinatorSeed, contextOf, identityOf, inputFor, NOW, rootSeed, TestClient, TestServer, trust } from '../network.ts';
import type { Loss } from '../network.ts';

interface Recipe {
  readonly file: string;
  readonly what: string;
  readonly ids: readonly string[];
  readonly losses: Readonly<Record<string, Loss>>;
  readonly context: RoundContext;
}

const vectors = [
  { name: 'update', length: 5, bits: 20 },
  { name: 'weight', length: 1, bits: 32 },
];

export const recipes: readonly Recipe[] = [
  {
    file: 'honest-round.json',
    what: 'four members, nobody is lost',
    ids: ['anna', 'bert', 'carl', 'dora'],
    losses: {},
    context: contextOf({ vectors }),
  },
  {
    file: 'two-drop-outs.json',
    what: 'six members; bert is lost after his shares are out, emil after his input and confirmation',
    ids: ['anna', 'bert', 'carl', 'dora', 'emil', 'fred'],
    losses: { bert: 'masked', emil: 'unmask' },
    context: contextOf({ vectors }),
  },
  {
    file: 'hybrid-round.json',
    what: 'suite x25519-mlkem768: four members; carl is lost after his shares are out',
    ids: ['anna', 'bert', 'carl', 'dora'],
    losses: { carl: 'masked' },
    context: contextOf({ vectors: vectors.slice(1), suite: 'x25519-mlkem768' }),
  },
];

const crypto = nobleCrypto;
const order = ['advertise', 'share', 'masked', 'confirm', 'unmask'] as const;

/** The whole record of one round, ready for JSON. */
export function record(recipe: Recipe): Record<string, unknown> {
  const { context, ids } = recipe;
  const server = new TestServer(context);
  const clients = ids.map((id) => new TestClient(identityOf(id), context, { seed: 'vectors' }));
  const messages: { from: string; to: string; name: string; hex: string }[] = [];
  const arrives = (id: string, stage: (typeof order)[number]): boolean => {
    const loss = recipe.losses[id];
    return loss === undefined || order.indexOf(loss) > order.indexOf(stage);
  };
  const send = (from: string, message: Uint8Array): void => {
    messages.push({ from, to: 'coordinator', name: messageName(message)!, hex: toHex(message) });
    server.receive(from, message);
  };
  const members = clients.map((client) => {
    if (client.state.phase !== 'awaiting-roster') throw new Error('not fresh');
    const { r, b, channelSecret, channelKemSeed } = client.state.secrets;
    return { client, r: r.slice(), b: b.slice(), channelSecret: channelSecret.slice(), channelKemSeed: channelKemSeed?.slice() };
  });
  for (const client of clients) send(client.id, client.outbox[0]!);
  for (const [i, stage] of order.entries()) {
    for (const [to, message] of server.close()) {
      if (messages.at(-1)?.hex !== toHex(message)) messages.push({ from: 'coordinator', to, name: messageName(message)!, hex: toHex(message) });
      const next = order[i + 1];
      const client = clients.find((candidate) => candidate.id === to)!;
      if (next === undefined || !arrives(to, next)) continue;
      let answers = client.receive(message);
      if (client.state.phase === 'ready-for-input') answers = client.step({ type: 'input', vectors: inputFor(context, to) });
      for (const answer of answers) send(to, answer);
    }
    if (stage === 'unmask' && server.result === undefined) throw new Error('the round gave no sum');
  }
  const { sid } = server.state.session!;
  const ctx = contextHash(crypto, context);
  const keys = members.map(({ client, r, b, channelSecret, channelKemSeed }) => {
    const mask = maskSecret(crypto, r);
    const self = selfKey(crypto, sid, b, client.id);
    const plain = context.suite === 'x25519';
    return {
      id: client.id,
      signingSeed: toHex(client.setup.signingSeed),
      r: toHex(r),
      b: toHex(b),
      channelSecret: toHex(channelSecret),
      ...(channelKemSeed === undefined ? {} : { channelKemSeed: toHex(channelKemSeed) }),
      maskSecret: toHex(mask),
      commitment: toHex(commitment(crypto, ctx, client.id, b)),
      selfKey: toHex(self),
      selfMaskKeys: maskStream(crypto, self, context.vectors, 1).keys.map(toHex),
      input: inputFor(context, client.id).map((vector) => [...vector]),
      peers: !plain
        ? []
        : members.flatMap((peer) => {
            if (peer.client.id === client.id) return [];
            const agreedChannel = crypto.x25519(channelSecret, crypto.x25519PublicKey(peer.channelSecret))!;
            const agreedMask = crypto.x25519(mask, crypto.x25519PublicKey(maskSecret(crypto, peer.r)))!;
            const [low, high] = compareIds(client.id, peer.client.id) < 0 ? [client.id, peer.client.id] : [peer.client.id, client.id];
            const pair = pairKey(crypto, sid, agreedMask, low, high);
            return {
              id: peer.client.id,
              channelKey: toHex(channelKey(crypto, sid, agreedChannel, undefined, client.id, peer.client.id)),
              pairKey: toHex(pair),
              pairMaskKeys: maskStream(crypto, pair, context.vectors, 1).keys.map(toHex),
            };
          }),
    };
  });
  return {
    what: recipe.what,
    nowMs: NOW,
    authorityKey: toHex(trust.rootKey),
    authoritySeed: toHex(rootSeed),
    coordinatorSeed: toHex(coordinatorSeed),
    context: JSON.parse(JSON.stringify(context, (_, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value))) as unknown,
    ctx: toHex(ctx),
    sid: toHex(sid),
    parameters: server.state.session!.parameters,
    rootU1: toHex(server.state.rootU1),
    rootU2: toHex(server.state.rootU2),
    members: keys,
    messages,
    survivors: server.result!.members,
    sums: server.result!.sums.map((sum) => [...sum]),
  };
}

if (process.argv[1] === import.meta.filename) {
  for (const recipe of recipes) {
    writeFileSync(new URL(recipe.file, import.meta.url), `${JSON.stringify(record(recipe), undefined, 1)}\n`);
  }
}
