import { expect, test } from 'vitest';
import { SottoError } from '../../packages/core/src/errors.ts';
import { Uploads } from '../../packages/federation/src/coordinator/uploads.ts';
import { methods } from '../../packages/federation/src/rpc/methods.ts';
import { RpcChannel } from '../../packages/federation/src/rpc/rpc-channel.ts';
import { clientCredentials } from '../../packages/federation/src/rpc/tls.ts';
import type { LedgerPart } from '../../packages/federation/src/rpc/wire.ts';
import { type Party, loadOrEnrol } from '../../packages/federation/src/enrolment/party.ts';
import { worldOf } from '../../packages/federation/src/service/world.ts';
import { Federation, fourIds, tinyPlan } from './support.ts';

/** One part, and then nothing, for ever. */
async function* stuck(part: number): AsyncGenerator<number> {
  yield part;
  await new Promise(() => undefined);
}

test('a party has one upload of a kind: a newer one ends the older, and nobody else’s', async () => {
  const uploads = new Uploads();
  const { signal } = new AbortController();
  const first = uploads.parts('ledger', 'ann', stuck(1), signal);
  const other = uploads.parts('ledger', 'bob', stuck(2), signal);
  await expect(first.next()).resolves.toMatchObject({ value: 1 });
  await expect(other.next()).resolves.toMatchObject({ value: 2 });
  const waiting = first.next();
  const otherWaiting = other.next();
  const newer = uploads.parts('ledger', 'ann', stuck(3), signal);
  await expect(newer.next()).resolves.toMatchObject({ value: 3 });
  await expect(waiting).rejects.toMatchObject({ code: 'conflict' });
  const pending = Symbol('pending');
  await expect(Promise.race([otherWaiting, new Promise((resolve) => setImmediate(() => resolve(pending)))])).resolves.toBe(
    pending,
  );
});

test('an upload ends with its call', async () => {
  const control = new AbortController();
  const parts = new Uploads().parts('ledger', 'ann', stuck(1), control.signal);
  await parts.next();
  const waiting = parts.next();
  control.abort(new SottoError('cancelled', 'the caller has gone'));
  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
});

async function partyOf(federation: Federation, id: string): Promise<Party> {
  const request = { ...federation.clientConfig(id), role: 'client', serverNames: [] } as const;
  return await loadOrEnrol(request, worldOf(id, { log: () => undefined }), AbortSignal.timeout(20_000));
}

test('uploads in empty or tiny parts are refused', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  const { address } = await federation.coordinator();
  const clients = fourIds.map((id) => federation.client(id));
  await Promise.all(clients.map((client) => client.finished));
  const channel = new RpcChannel(
    address,
    clientCredentials((await partyOf(federation, 'ann')).tls, () => undefined),
  );
  const limits = { timeoutMs: 10_000 };
  try {
    const chunk = { type: 'chunk', chunk: new Uint8Array(0) } as const;
    await expect(channel.upload(methods.maskedInput, [chunk], limits)).rejects.toMatchObject({
      code: 'protocol-violation',
      message: expect.stringContaining('too small') as string,
    });
    const entry: LedgerPart = { type: 'entry', entry: new Uint8Array(0) };
    await expect(channel.upload(methods.publishLedger, [entry], limits)).rejects.toMatchObject({
      code: 'protocol-violation',
      message: expect.stringContaining('no empty entries') as string,
    });
    const checkpoint: LedgerPart = { type: 'checkpoint', checkpoint: new Uint8Array(5000) };
    await expect(channel.upload(methods.publishLedger, [checkpoint], limits)).rejects.toMatchObject({
      message: expect.stringContaining('one checkpoint of at most 4096 bytes') as string,
    });
  } finally {
    channel.close();
  }
});
