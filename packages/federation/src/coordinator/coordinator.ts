/**
 * The coordinator service: starts, serves, resumes, stops. What a round does is in `run.ts`, what a call may do in
 * `calls.ts`.
 *
 * @module
 */
import path from 'node:path';
import { SottoError } from '@sotto/core/errors';
import { logOrigin } from '@sotto/governance';
import type { CoordinatorConfig } from '../config/coordinator-config.ts';
import { loadOrEnrol } from '../enrolment/party.ts';
import { loadPlan } from '../plan/plan.ts';
import { preparePlan } from '../plan/terms.ts';
import { serveHealth } from '../rpc/health.ts';
import { RpcServer, type Tap } from '../rpc/rpc-server.ts';
import { serverCredentials } from '../rpc/tls.ts';
import { writeFileAtomic } from '../service/files.ts';
import { errorFields } from '../service/log.ts';
import { type RunningService, type ServiceOptions, onParentGone } from '../service/service.ts';
import { worldOf } from '../service/world.ts';
import { serveCalls } from './calls.ts';
import { CoordinatorStore } from './coordinator-store.ts';
import { checkExportDirectory } from './export.ts';
import { FederationRun } from './run.ts';

/** What a coordinator's host may pass besides its configuration. */
export interface CoordinatorOptions extends ServiceOptions {
  /** Sees every message body and every metadata block that the coordinator receives, before anything decodes them. For audits and tests. */
  readonly onReceived?: Tap | undefined;
}

/**
 * Starts a coordinator: enrols it if needed, opens its store, gives up the round that was in hand when it died, serves,
 * and plays the planned rounds. Rejects with `SottoError`.
 *
 * `finished` settles after `stop`, or by itself with `exitWhenDone` once the run is exported.
 */
export async function startCoordinator(config: CoordinatorConfig, options: CoordinatorOptions = {}): Promise<RunningService> {
  const world = worldOf(config.id, options);
  const prepared = preparePlan(world.crypto, await loadPlan(config.plan));
  if (prepared.plan.parties.some(({ id }) => id === config.id)) {
    throw new SottoError(
      'invalid-config',
      `the plan ${config.plan} has a party "${config.id}", which is the coordinator's own id; give one of them another id`,
    );
  }
  checkExportDirectory(config.exportDirectory, prepared.plan.runId);
  const starting = new AbortController();
  const forget = config.exitWithParent
    ? onParentGone(() => starting.abort(new SottoError('cancelled', 'the parent process has gone')))
    : (): void => undefined;
  const party = await loadOrEnrol({ ...config, role: 'coordinator' }, world, starting.signal).finally(forget);
  const origin = logOrigin(party.trust.trustDomain, config.id);
  const store = new CoordinatorStore(path.join(config.directory, 'coordinator.db'), world.crypto, origin, party.ledgerSeed);
  let run: FederationRun;
  let server: RpcServer;
  let address: string;
  try {
    run = new FederationRun({ config, world, prepared, party, store });
    server = new RpcServer({
      credentials: serverCredentials(party.tls, true),
      trustDomain: party.trust.trustDomain,
      revoked: config.revoked,
      log: world.log,
      nowMs: world.nowMs,
      onReceived: options.onReceived,
      onPresence: (id, present) => run.presence.set(id, present),
    });
    serveHealth(server, 'sotto.federation.v1.Coordination');
    serveCalls(server, run);
    address = await server.listen(config.listen);
  } catch (reason) {
    store.close();
    throw reason;
  }
  if (config.addressFile !== undefined) writeFileAtomic(config.addressFile, `${address}\n`);
  world.log.info('service.ready', { address, runId: prepared.plan.runId, planHash: prepared.hash });

  let stopping: Promise<void> | undefined;
  const stop = (graceMs: number): Promise<void> => {
    stopping ??= (async () => {
      run.stop(graceMs);
      await played;
      // The last outcome of the round is on its way to the calls that wait for it.
      await new Promise((resolve) => setImmediate(resolve));
      await server.drain(graceMs);
      store.close();
      await world.close();
      world.log.info('service.stopped');
    })();
    return stopping;
  };
  const played = run.play().catch((reason: unknown) => {
    if (!run.stopped) throw reason;
  });
  const abandoned = new AbortController();
  const finished = played.then(
    async () => {
      if (abandoned.signal.aborted) return;
      if (config.exitWhenDone) await run.ledgers.untilTold(config.lingerMs);
      if (abandoned.signal.aborted) return;
      if (config.exitWhenDone || run.stopped) await stop(config.drainMs);
      await run.untilStopped;
      await stopping;
    },
    async (reason: unknown) => {
      if (abandoned.signal.aborted) return;
      world.log.error('service.failed', errorFields(reason));
      run.stop(0);
      await server.drain(0);
      store.close();
      await world.close();
      throw reason;
    },
  );
  finished.catch(() => undefined);
  return {
    address,
    finished,
    stop: (graceMs = config.drainMs) => stop(graceMs),
    abandon: () => {
      abandoned.abort();
      server.abandon();
      store.close();
      run.stop(0);
      void world.close();
    },
  };
}
