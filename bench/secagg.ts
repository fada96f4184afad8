/**
 * Secure aggregation: what a client and the coordinator spend, against the keystream that they need and against Flower.
 * `--only workers` and `--only client` run these parts alone.
 *
 * CPU milliseconds are of the process. Figures of one table are taken in turn in one run, so that ratios mean something
 * on a busy machine.
 *
 * @module
 */
import type { BenchOptions, BenchResult, BenchTable } from './bench.ts';
import { runMaskJob } from '@sotto/secagg';
import type { Mode } from '@sotto/secagg';
import { nodeCrypto } from '@sotto/secagg/node';
import { bareCalls, recordingCrypto, noCalls } from './secagg/bare-calls.ts';
import type { Calls } from './secagg/bare-calls.ts';
import { flower } from './secagg/flower.ts';
import { jobOf, maskAgainstKeystream } from './secagg/keystream.ts';
import { cpuMs, cpuOf, median, sum } from './secagg/measure.ts';
import { runRound } from './secagg/round.ts';
import type { RoundCost } from './secagg/round.ts';
import { workers, workersTable } from './secagg/workers.ts';
import { COHORT_TITLES, cohortTable, communicationTable, grid, gridTables, largeCohorts } from './secagg/scale.ts';

const D = 1_000_000;
const MEMBERS = 100;
const LOST = 10;
/** Of one worker, two workers and two processes. */
const TURNS = 41;
const ratio = (value: number): string => value.toFixed(2);

interface SetUp {
  readonly malicious: RoundCost;
  readonly calls: Calls['counts'];
  /** Least CPU milliseconds of a malicious client's set-up and of its bare calls, and the median ratio of the two in turn. */
  readonly ours: number;
  readonly bare: number;
  readonly medianRatio: number;
}

/** Whole rounds with a short vector: all signatures, shares and checks are real; masking is timed apart. */
function setUp(): SetUp {
  const shape = { mode: 'malicious', n: MEMBERS, length: 64, lost: LOST, whole: 10, graph: { kind: 'complete' } } as const;
  const calls = noCalls();
  runRound({ ...shape, watched: recordingCrypto(calls) });
  const bare = bareCalls(calls);
  bare();
  const rounds: RoundCost[] = [];
  const bareMs: number[] = [];
  const ratios: number[] = [];
  for (let i = 0; i < 5; i++) {
    const before = Array.from({ length: 5 }, () => cpuOf(bare));
    const round = runRound(shape);
    const after = Array.from({ length: 5 }, () => cpuOf(bare));
    rounds.push(round);
    bareMs.push(...before, ...after);
    ratios.push(median(round.clientMs) / median([...before, ...after]));
  }
  return {
    malicious: rounds.reduce((best, round) => (median(round.clientMs) < median(best.clientMs) ? round : best)),
    calls: calls.counts,
    ours: Math.min(...rounds.flatMap((round) => round.clientMs)),
    bare: Math.min(...bareMs),
    medianRatio: median(ratios),
  };
}

/** CPU milliseconds of a client of the round, from its reals to the bytes that it sends; by part, medians over the whole clients. */
interface ClientCost {
  readonly messages: number;
  readonly quantise: number;
  readonly mask: number;
  readonly vector: number;
  readonly all: number;
}

/** Clients with whole vectors in real rounds, the best of three: nothing between the update and the last byte is left out. */
function wholeClient(mode: Mode): ClientCost {
  const shape = { mode, n: MEMBERS, length: D, lost: 0, whole: 5, graph: { kind: 'complete' } } as const;
  runRound({ ...shape, length: 64 }); // for the compiler
  const costs = Array.from({ length: 3 }, () => costOf(runRound(shape)));
  return costs.reduce((best, cost) => (cost.all < best.all ? cost : best));
}

function costOf(cost: RoundCost): ClientCost {
  if (!cost.exact) throw new Error('the sum of the round is wrong');
  return {
    messages: median(cost.clientMs.map((ms, i) => ms - cost.clientVectorMs[i]!)),
    quantise: median(cost.clientQuantiseMs),
    mask: median(cost.clientMaskMs),
    vector: median(cost.clientVectorMs),
    all: median(cost.clientMs.map((ms, i) => ms + cost.clientQuantiseMs[i]! + cost.clientMaskMs[i]!)),
  };
}

function clientTable(semiHonest: ClientCost, malicious: ClientCost): BenchTable {
  const line = (name: string, part: keyof ClientCost): string[] => [
    name,
    semiHonest[part].toFixed(1),
    malicious[part].toFixed(1),
  ];
  return {
    title: `One client from its reals to its last byte, CPU ms (d = 1,000,000 × 32 bits, n = ${MEMBERS}, complete graph)`,
    columns: ['part', 'semi-honest', 'malicious'],
    rows: [
      line('keys, shares, messages and checks', 'messages'),
      line('quantising', 'quantise'),
      line('masking', 'mask'),
      line('checking, copying, packing, hashing and signing the vector', 'vector'),
      line('all', 'all'),
    ],
  };
}

/** Parts that can be run alone. */
async function parts(names: readonly string[]): Promise<BenchResult> {
  const tables: BenchTable[] = [];
  for (const name of names) {
    if (name === 'workers') tables.push(workersTable(await workers(MEMBERS, D, TURNS)));
    else if (name === 'client') tables.push(clientTable(wholeClient('semi-honest'), wholeClient('malicious')));
    else throw new Error(`secagg has no part "${name}"; it has workers and client`);
  }
  return { summary: `Only ${names.join(' and ')}.`, tables, data: {} };
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { progress } = options;
  if (options.only !== undefined) return parts(options.only);
  const tables: BenchTable[] = [];
  maskAgainstKeystream(4, D, 32, 1);
  progress('masking 1,000,000 × 32 bits with 99 neighbours');
  const client = maskAgainstKeystream(MEMBERS, D, 32, 7);
  const client20 = maskAgainstKeystream(MEMBERS, D, 20, 5);
  const portable = cpuMs(() => runMaskJob(nodeCrypto, jobOf(MEMBERS / 10, D, 32)), 2) * 10;
  const survivors = MEMBERS - LOST;
  const serverStreams = survivors + LOST * survivors;
  progress(`unmasking 1,000,000 × 32 bits, n = ${MEMBERS}, ${LOST} dropped: ${serverStreams} streams`);
  const server = maskAgainstKeystream(serverStreams, D, 32, 3);
  progress('one worker thread, two, and two processes');
  const threads = await workers(MEMBERS, D, TURNS);
  progress(`whole clients, n = ${MEMBERS}, d = 1,000,000`);
  const clientSemi = wholeClient('semi-honest');
  const clientMalicious = wholeClient('malicious');
  progress(`whole rounds, n = ${MEMBERS}, complete graph, ${LOST} dropped`);
  const round = setUp();
  const { malicious } = round;
  const recovery = malicious.serverMs['unmask: close']!;
  tables.push({
    title: `Against the keystream (d = 1,000,000, n = ${MEMBERS}, complete graph)`,
    columns: ['measure', 'CPU ms', 'keystream or bare calls, CPU ms', 'ratio', 'median ratio in turn', 'bar'],
    rows: [
      row('client: mask, 32 bits, 99 neighbours', client.ours, client.theirs, client.medianRatio, '≤ 1.5'),
      row('… against bare blocks, freed as the kernel does', client.ours, client.freed, client.medianFreedRatio, ''),
      row('client: mask, 20 bits, 99 neighbours', client20.ours, client20.theirs, client20.medianRatio, ''),
      row('client: portable code, 32 bits', portable, client.theirs, undefined, ''),
      row(
        'server: unmask, 10 dropped, recovery included',
        server.ours + recovery,
        server.theirs,
        server.medianRatio + recovery / server.theirs,
        '≤ 1.5',
      ),
      row(
        '… against bare blocks, freed as the kernel does',
        server.ours + recovery,
        server.freed,
        server.medianFreedRatio + recovery / server.freed,
        '',
      ),
      row(
        'client: set-up for one neighbour',
        round.ours / (MEMBERS - 1),
        round.bare / (MEMBERS - 1),
        round.medianRatio,
        '≤ 1.25',
      ),
    ],
  });
  tables.push(workersTable(threads), clientTable(clientSemi, clientMalicious));
  if (options.peers !== undefined) {
    progress(`Flower SecAgg+, n = ${MEMBERS}, complete graph, d = 1,000,000 (minutes)`);
    tables.push(
      flowerTable(
        await flower(options.peers, MEMBERS, D),
        clientSemi.all,
        clientMalicious.all,
        server.ours + recovery,
        malicious,
      ),
    );
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

  const small = grid(progress);
  const { thousand, tenThousand, cells: large } = largeCohorts(progress);
  const cells = [...small, ...large];
  tables.push(
    ...gridTables(cells),
    communicationTable(cells),
    cohortTable(COHORT_TITLES.thousand, thousand, '< 60,000'),
    cohortTable(COHORT_TITLES.tenThousand, tenThousand, ''),
  );
  return {
    summary: `Masking costs ${ratio(client.ours / client.theirs)} times its keystream at the client and ${ratio((server.ours + recovery) / server.theirs)} times at the server; uploads are ${(1 + up / (4 * D)).toFixed(3)} × d × bits / 8 at n = ${MEMBERS}, d = 1,000,000.`,
    tables,
    data: {
      client,
      client20,
      portable,
      server,
      recovery,
      threads,
      clientSemi,
      clientMalicious,
      round,
      cells,
      thousand,
      tenThousand,
    },
  };
}

function row(name: string, ours: number, theirs: number, medianRatio: number | undefined, bar: string): string[] {
  const digits = ours < 10 ? 3 : 0;
  const turn = medianRatio === undefined ? '' : ratio(medianRatio);
  return [name, ours.toFixed(digits), theirs.toFixed(digits), ratio(ours / theirs), turn, bar];
}

function flowerTable(
  peer: Readonly<Record<string, number | string>>,
  clientSemi: number,
  clientMalicious: number,
  serverMs: number,
  malicious: RoundCost,
): BenchTable {
  const client = Number(peer['setup_ms']) + Number(peer['share_keys_ms']) + Number(peer['mask_ms']);
  const server = Number(peer['server_unmask_ms']);
  const upload = 4 * D + sum(malicious.uploadBytes) - 256;
  return {
    title: `Against Flower's SecAgg+ (flwr ${String(peer['flwr'])}), CPU ms, d = 1,000,000, n = ${MEMBERS}, complete graph`,
    columns: ['measure', 'Flower', 'Sotto', 'times faster', 'bar'],
    rows: [
      ['client, semi-honest', client.toFixed(0), clientSemi.toFixed(0), ratio(client / clientSemi), '≥ 8'],
      ['client, malicious', client.toFixed(0), clientMalicious.toFixed(0), ratio(client / clientMalicious), '≥ 6'],
      ['server, unmasking', server.toFixed(0), serverMs.toFixed(0), ratio(server / serverMs), '≥ 40'],
      ['upload, bytes', String(peer['upload_bytes']), String(upload), ratio(Number(peer['upload_bytes']) / upload), ''],
    ],
  };
}
