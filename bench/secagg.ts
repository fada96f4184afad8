/**
 * Secure aggregation: what a client and the coordinator spend, against the keystream that they need and against Flower.
 *
 * CPU milliseconds are of the process. Figures of one table are taken in turn in one run, so that ratios mean something
 * on a busy machine.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { createCipheriv, createHash, createPublicKey, diffieHellman, generateKeyPairSync, sign, verify } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { issueCertificate } from '@sotto/core/identity';
import type { TrustBundle } from '@sotto/core/identity';
import { randomBytes } from '@sotto/core/random';
import { systemRandom } from '@sotto/core/system-random';
import { defaultSitePolicy, runMaskJob, startClient, startServer, stepClient, stepServer } from '@sotto/secagg';
import type { ClientSetup, ClientState, ClientStep, MaskJob, Mode, RoundContext, ServerSetup, ServerState } from '@sotto/secagg';
import { createMaskPool, nodeCrypto, runMaskJobFast } from '@sotto/secagg/node';
import type { BenchOptions, BenchResult, BenchTable } from './bench.ts';

const NOW = 1_800_000_000_000;
const D = 1_000_000;
const MEMBERS = 100;

/** CPU milliseconds of a synchronous call; the least of `repeats`. */
function cpuMs(call: () => void, repeats = 3): number {
  let best = Infinity;
  for (let i = 0; i < repeats; i++) {
    const start = process.cpuUsage();
    call();
    const spent = process.cpuUsage(start);
    best = Math.min(best, (spent.user + spent.system) / 1000);
  }
  return best;
}

/** The keystream alone: AES-256-CTR of node:crypto in its best chunks, one open cipher a stream. */
function keystreamMs(streams: number, bytes: number): number {
  const chunk = 131072;
  const zeros = new Uint8Array(chunk);
  return cpuMs(() => {
    for (let i = 0; i < streams; i++) {
      const cipher = createCipheriv('aes-256-ctr', randomBytes(systemRandom, 32), new Uint8Array(16));
      for (let done = 0; done < bytes; done += chunk) cipher.update(zeros.subarray(0, Math.min(chunk, bytes - done)));
    }
  });
}

function jobOf(streams: number, length: number, bits: number): MaskJob {
  return {
    vectors: [{ name: 'update', length, bits }],
    targets: [new Uint32Array(length)],
    streams: Array.from({ length: streams }, (_, i) => ({ keys: [randomBytes(systemRandom, 32)], sign: i % 2 === 0 ? 1 : -1 })),
  };
}

interface Member {
  readonly id: string;
  readonly setup: ClientSetup;
  state: ClientState;
  step: ClientStep;
  cpu: number;
}

interface Timed {
  readonly clientMs: readonly number[];
  readonly serverMs: Readonly<Record<string, number>>;
  readonly uploadBytes: Readonly<Record<string, number>>;
  readonly downloadBytes: Readonly<Record<string, number>>;
  readonly exact: boolean;
}

/** A whole round with a short vector: all signatures, shares and checks are real; masking is timed apart. */
function timedRound(mode: Mode, n: number, length: number, lost: number, graph: RoundContext['graph']): Timed {
  const rootSeed = randomBytes(systemRandom, 32);
  const coordinatorSeed = randomBytes(systemRandom, 32);
  const trust: TrustBundle = {
    trustDomain: 'bench',
    rootKey: nodeCrypto.ed25519PublicKey(rootSeed),
    tlsCaCertificate: new Uint8Array(0),
  };
  const context: RoundContext = {
    suite: 'x25519',
    mode,
    runId: 'bench',
    round: 1,
    attempt: 0,
    modelHash: new Uint8Array(32),
    planHash: new Uint8Array(32),
    vectors: [{ name: 'update', length, bits: 32 }],
    quantiser: { clip: 1, scale: 1, bits: 16 },
    noise: { mechanism: 'none', localVariance: 0, honestMinimum: 0 },
    cohort: { gammaNumerator: 1, gammaDenominator: graph.kind === 'complete' ? 3 : 20, cMin: 0, nMin: 3, nMax: n, hMin: 3 },
    graph,
    deadlineMs: NOW,
    coordinatorKey: nodeCrypto.ed25519PublicKey(coordinatorSeed),
  };
  const members = Array.from({ length: n }, (_, i): Member => {
    const id = `p${String(i).padStart(5, '0')}`;
    const signingSeed = randomBytes(systemRandom, 32);
    const signingKey = nodeCrypto.ed25519PublicKey(signingSeed);
    const certificate = issueCertificate(nodeCrypto, rootSeed, {
      trustDomain: 'bench',
      id,
      role: 'client',
      signingKey,
      ledgerKey: signingKey,
      serial: randomBytes(systemRandom, 16),
      notBeforeMs: NOW,
      notAfterMs: NOW,
    });
    const policy = { ...defaultSitePolicy, modes: [mode] };
    const setup: ClientSetup = {
      crypto: nodeCrypto,
      random: systemRandom,
      context,
      certificate,
      signingSeed,
      trust,
      policy,
      masking: 'deferred',
    };
    let first: ClientStep | undefined;
    const cpu = cpuMs(() => (first = startClient(setup)), 1);
    return { id, setup, state: first!.state, step: first!, cpu };
  });
  const setup: ServerSetup = { crypto: nodeCrypto, context, trust, coordinatorSeed, masking: 'deferred' };
  let state: ServerState = startServer(setup);
  const serverMs: Record<string, number> = {};
  const uploadBytes: Record<string, number> = {};
  const downloadBytes: Record<string, number> = {};
  const onServer = (name: string, call: () => void): void => {
    serverMs[name] = (serverMs[name] ?? 0) + cpuMs(call, 1);
  };
  const advance = (member: Member, input: Parameters<typeof stepClient>[2]): void => {
    member.cpu += cpuMs(() => (member.step = stepClient(member.setup, member.state, input)), 1);
    member.state = member.step.state;
  };
  const upload = (member: Member): void => {
    for (const message of member.step.outgoing) {
      if (member === members[0]) uploadBytes[state.stage] = message.length;
      onServer(`${state.stage}: take`, () => {
        const step = stepServer(setup, state, { type: 'message', from: member.id, message, nowMs: NOW });
        if (step.verdict?.type !== 'accepted') throw new Error(JSON.stringify(step.verdict));
      });
    }
  };
  const alive = members.slice(0, n - lost);
  for (const member of members) upload(member);
  const stages = mode === 'malicious' ? 4 : 3;
  let job: MaskJob | undefined;
  for (let i = 0; i <= stages; i++) {
    const name = state.stage;
    let outgoing: readonly { readonly to: string; readonly message: Uint8Array }[] = [];
    onServer(`${name}: close`, () => {
      const step = stepServer(setup, state, { type: 'closeStage' });
      ({ state, outgoing } = step);
      for (const effect of step.effects) if (effect.type === 'unmask') job = effect.job;
    });
    if (state.abort !== undefined) throw new Error(state.abort.message);
    const messages = new Map(outgoing.map(({ to, message }) => [to, message]));
    for (const member of name === 'advertise' ? members : alive) {
      const message = messages.get(member.id);
      if (message === undefined) continue;
      if (member === members[0]) downloadBytes[name] = message.length;
      advance(member, { type: 'message', message, nowMs: NOW });
      if (member.state.phase === 'ready-for-input') {
        advance(member, { type: 'input', vectors: [new Uint32Array(length).fill(1)] });
        const effect = member.step.effects.find((candidate) => candidate.type === 'mask');
        if (effect?.type === 'mask') runMaskJobFast(effect.job);
        advance(member, { type: 'masked' });
      }
      upload(member);
    }
  }
  onServer('masks', () => runMaskJobFast(job!));
  onServer('unmask: close', () => {
    ({ state } = stepServer(setup, state, { type: 'masksRemoved' }));
  });
  const exact = state.result!.sums[0]!.every((value) => value === alive.length);
  return { clientMs: alive.map((member) => member.cpu), serverMs, uploadBytes, downloadBytes, exact };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const sum = (values: Readonly<Record<string, number>>): number =>
  Object.values(values).reduce((total, value) => total + value, 0);
const ratio = (value: number): string => value.toFixed(2);

/** The bare calls of one neighbour: what no implementation on node:crypto can do without. */
function bareNeighbourMs(): number {
  const a = generateKeyPairSync('x25519');
  const raw = generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' });
  const signer = generateKeyPairSync('ed25519');
  const message = new Uint8Array(300);
  const signature = sign(null, message, signer.privateKey);
  const calls = 100;
  const aead = (): void => {
    const cipher = createCipheriv('aes-256-gcm', new Uint8Array(32), new Uint8Array(12));
    cipher.setAAD(message);
    cipher.update(new Uint8Array(64));
    cipher.final();
    cipher.getAuthTag();
  };
  return (
    cpuMs(() => {
      for (let i = 0; i < calls; i++) {
        for (let k = 0; k < 2; k++) {
          diffieHellman({ privateKey: a.privateKey, publicKey: createPublicKey({ key: raw, format: 'der', type: 'spki' }) });
        }
        // certificate, advertisement, entry of U2, and two thirds of a confirmation in R3 and again in the receipt
        for (let k = 0; k < 4; k++) verify(null, message, signer.publicKey, signature);
        aead();
        aead();
        for (let k = 0; k < 3 * 4 + 2; k++) createHash('sha256').update(message).digest(); // three HKDFs, two leaves
      }
    }) / calls
  );
}

async function flower(
  venv: string | undefined,
  progress: (line: string) => void,
): Promise<Record<string, number | string> | undefined> {
  if (venv === undefined) return undefined;
  progress('Flower SecAgg+, n = 100, complete graph, d = 1,000,000 (minutes)');
  const script = join(import.meta.dirname, 'peers', 'secagg_flower.py');
  const args = [script, '--clients', String(MEMBERS), '--dims', String(D), '--graphs', 'all'];
  const { stdout } = await promisify(execFile)(join(venv, 'bin', 'python'), args, { maxBuffer: 1e7 });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, number | string>;
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { progress } = options;
  const tables: BenchTable[] = [];
  progress('masking 1,000,000 × 32 bits with 99 neighbours');
  const job = jobOf(MEMBERS, D, 32);
  runMaskJobFast(jobOf(4, D, 32));
  const clientKeystream = keystreamMs(MEMBERS, 4 * D);
  const clientMask = cpuMs(() => runMaskJobFast(job));
  const portable = cpuMs(() => runMaskJob(nodeCrypto, jobOf(10, D, 32)), 2) * (MEMBERS / 10);
  const keystream20 = keystreamMs(MEMBERS, 2.5 * D);
  const mask20 = cpuMs(() => runMaskJobFast(jobOf(MEMBERS, D, 20)), 2);
  const serverStreams = 90 + 10 * 90;
  progress('unmasking 1,000,000 × 32 bits, n = 100, 10 dropped: 990 streams');
  const serverKeystream = keystreamMs(serverStreams, 4 * D);
  const serverMask = cpuMs(() => runMaskJobFast(jobOf(serverStreams, D, 32)), 2);

  progress('one worker thread and two');
  const wall: number[] = [];
  for (const threads of [1, 2]) {
    const pool = createMaskPool({ threads });
    await pool.run(jobOf(4, D, 32));
    let best = Infinity;
    for (let i = 0; i < 4; i++) {
      const start = performance.now();
      await pool.run(job);
      best = Math.min(best, performance.now() - start);
    }
    await pool.close();
    wall.push(best);
  }

  progress(`whole rounds, n = ${MEMBERS}, complete graph, 10 dropped`);
  const complete = { kind: 'complete' } as const;
  const malicious = timedRound('malicious', MEMBERS, 64, 10, complete);
  const semiHonest = timedRound('semi-honest', MEMBERS, 64, 10, complete);
  const bare = bareNeighbourMs();
  const setup = median(malicious.clientMs);
  const serverOther = sum(malicious.serverMs) - malicious.serverMs['masks']!;
  const unmaskOther = malicious.serverMs['unmask: close']!;
  const clientAll = setup + clientMask;
  const clientSemi = median(semiHonest.clientMs) + clientMask;
  const peer = await flower(options.peers, progress);
  tables.push({
    title: `Against the keystream (d = 1,000,000, n = ${MEMBERS}, complete graph)`,
    columns: ['measure', 'CPU ms', 'keystream or bare calls, CPU ms', 'ratio', 'bar'],
    rows: [
      [
        'client: mask, 32 bits, 99 neighbours',
        clientMask.toFixed(0),
        clientKeystream.toFixed(0),
        ratio(clientMask / clientKeystream),
        '≤ 1.5',
      ],
      ['client: mask, 20 bits, 99 neighbours', mask20.toFixed(0), keystream20.toFixed(0), ratio(mask20 / keystream20), ''],
      ['client: portable code, 32 bits', portable.toFixed(0), clientKeystream.toFixed(0), ratio(portable / clientKeystream), ''],
      [
        'server: unmask, 10 dropped, recovery included',
        (serverMask + unmaskOther).toFixed(0),
        serverKeystream.toFixed(0),
        ratio((serverMask + unmaskOther) / serverKeystream),
        '≤ 1.5',
      ],
      [
        'client: set-up for one neighbour',
        (setup / (MEMBERS - 1)).toFixed(3),
        bare.toFixed(3),
        ratio(setup / (MEMBERS - 1) / bare),
        '≤ 1.25',
      ],
      [
        'two workers against one, wall ms',
        wall[1]!.toFixed(0),
        wall[0]!.toFixed(0),
        `${ratio(wall[0]! / wall[1]!)} times faster`,
        '≥ 1.8',
      ],
    ],
  });
  if (peer !== undefined) {
    const client = Number(peer['setup_ms']) + Number(peer['share_keys_ms']) + Number(peer['mask_ms']);
    const server = Number(peer['server_unmask_ms']);
    tables.push({
      title: `Against Flower's SecAgg+ (flwr ${String(peer['flwr'])}), CPU ms, d = 1,000,000, n = ${MEMBERS}, complete graph`,
      columns: ['measure', 'Flower', 'Sotto', 'times faster', 'bar'],
      rows: [
        ['client, semi-honest', client.toFixed(0), clientSemi.toFixed(0), ratio(client / clientSemi), '≥ 8'],
        ['client, malicious', client.toFixed(0), clientAll.toFixed(0), ratio(client / clientAll), '≥ 6'],
        [
          'server, unmasking',
          server.toFixed(0),
          (serverMask + unmaskOther).toFixed(0),
          ratio(server / (serverMask + unmaskOther)),
          '≥ 40',
        ],
        [
          'upload, bytes',
          String(peer['upload_bytes']),
          String(4 * D + sum(malicious.uploadBytes) - 256),
          ratio(Number(peer['upload_bytes']) / (4 * D + sum(malicious.uploadBytes) - 256)),
          '',
        ],
      ],
    });
  }
  const up = sum(malicious.uploadBytes) - 4 * 64;
  tables.push({
    title: `Bytes of one client beside its vector, n = ${MEMBERS}, malicious`,
    columns: ['stage', 'up', 'down'],
    rows: Object.keys(malicious.uploadBytes).map((stage) => [
      stage,
      malicious.uploadBytes[stage]! - (stage === 'masked' ? 256 : 0),
      malicious.downloadBytes[stage] ?? 0,
    ]),
  });

  progress('n = 1,000, d = 100,000, 5 % dropped, sparse graph, semi-honest: every client and the server (minutes)');
  const sparse = timedRound('semi-honest', 1000, 100_000, 50, { kind: 'harary', dropoutNumerator: 1, dropoutDenominator: 20 });
  const scaleServer = sum(sparse.serverMs);
  tables.push({
    title: 'Scale: n = 1,000, d = 100,000, 32 bits, 5 % dropped, sparse graph, one process',
    columns: ['measure', 'CPU ms', 'bar'],
    rows: [
      ['server, everything', scaleServer.toFixed(0), '< 60,000'],
      ...Object.entries(sparse.serverMs).map(([name, ms]): string[] => [`  ${name}`, ms.toFixed(0), '']),
      ['one client without masking (median)', median(sparse.clientMs).toFixed(1), ''],
      ['sum exact', String(sparse.exact), 'true'],
    ],
  });

  const ratios = { client: clientMask / clientKeystream, server: (serverMask + unmaskOther) / serverKeystream };
  return {
    summary: `Masking costs ${ratio(ratios.client)} times its keystream at the client and ${ratio(ratios.server)} times at the server; uploads are ${ratio(1 + up / (4 * D))} × d × bits / 8 at n = ${MEMBERS}, d = 1,000,000.`,
    tables,
    data: {
      ratios,
      clientMask,
      clientKeystream,
      serverMask,
      serverKeystream,
      unmaskOther,
      serverOther,
      setup,
      bare,
      wall,
      malicious: malicious.serverMs,
      semiHonest: semiHonest.serverMs,
      upload: malicious.uploadBytes,
      download: malicious.downloadBytes,
      sparse: sparse.serverMs,
      flower: peer ?? null,
    },
  };
}
