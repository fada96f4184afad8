/** The client half in a page: three members by id, driven from outside with hexadecimal bytes. */
import { fromHex, toHex } from '@sotto/core/bytes';
import { nobleCrypto } from '@sotto/core/crypto-noble';
import { systemRandom } from '@sotto/core/system-random';
import { defaultSitePolicy, startClient, stepClient } from '@sotto/secagg';
import type { ClientInput, ClientSetup, ClientState, ClientStep, RoundContext } from '@sotto/secagg';

interface Member {
  readonly setup: ClientSetup;
  state: ClientState;
}

/** What a step sends out and asks for. */
export interface PageStep {
  readonly phase: string;
  readonly outgoing: readonly string[];
  readonly records: readonly string[];
}

/** A start-up message: bytes are hexadecimal. */
export interface PageSetup {
  readonly id: string;
  readonly context: Omit<RoundContext, 'modelHash' | 'planHash' | 'coordinatorKey'> & {
    readonly modelHash: string;
    readonly planHash: string;
    readonly coordinatorKey: string;
  };
  readonly certificate: string;
  readonly signingSeed: string;
  readonly trustDomain: string;
  readonly rootKey: string;
}

const members = new Map<string, Member>();

function tell(member: Member, step: ClientStep): PageStep {
  member.state = step.state;
  const records = step.effects.flatMap((effect) => (effect.type === 'record' ? [effect.key] : []));
  return { phase: step.state.phase, outgoing: step.outgoing.map(toHex), records };
}

export function start(wire: PageSetup): PageStep {
  const { context } = wire;
  const setup: ClientSetup = {
    crypto: nobleCrypto,
    random: systemRandom,
    context: {
      ...context,
      modelHash: fromHex(context.modelHash),
      planHash: fromHex(context.planHash),
      coordinatorKey: fromHex(context.coordinatorKey),
    },
    certificate: fromHex(wire.certificate),
    signingSeed: fromHex(wire.signingSeed),
    trust: { trustDomain: wire.trustDomain, rootKey: fromHex(wire.rootKey), tlsCaCertificate: new Uint8Array(0) },
    policy: defaultSitePolicy,
  };
  const step = startClient(setup);
  const member: Member = { setup, state: step.state };
  members.set(wire.id, member);
  return tell(member, step);
}

export function step(
  id: string,
  input: { readonly message: string; readonly nowMs: number } | { readonly vectors: readonly number[][] },
): PageStep {
  const member = members.get(id)!;
  const decoded: ClientInput =
    'message' in input
      ? { type: 'message', message: fromHex(input.message), nowMs: input.nowMs }
      : { type: 'input', vectors: input.vectors.map((vector) => Uint32Array.from(vector)) };
  return tell(member, stepClient(member.setup, member.state, decoded));
}
