/**
 * Runs in a process of its own: loads the sources with all generated mutants behind switches, and the attacks once, and has each mutant
 * meet attacks until one notices it: first the one on record in `killers.json`, then all that come by its place. All of them take some minutes, so
 * that of those on record only every eighth is run, and each that is new; with the argument `record` all are, and what is found is the new record:
 * `node --conditions=@sotto/source test/secagg/generated/runner.ts record`. One line of JSON for each mutant.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Attack } from '../attacks/attack.ts';
import { FILES, mutantsOf, SOURCES, switched } from './mutants.ts';
import { UNNOTICED } from './unnoticed.ts';

declare global {
  var mutantSwitch: {
    on: number;
    /** Places that were passed since it was set. */
    passed: Set<number> | undefined;
    mutantOn: (mutant: number) => boolean;
    completeGraphMax: (most: number) => void;
  };
}

/** How often the mutant that is switched on was met: some never leave a loop. */
let turns = 0;
const power: typeof globalThis.mutantSwitch = {
  on: -1,
  passed: undefined,
  mutantOn(mutant) {
    power.passed?.add(mutant);
    if (power.on !== mutant) return false;
    if (++turns > 200_000) throw new Error('it does not end');
    return true;
  },
  completeGraphMax: () => {},
};
globalThis.mutantSwitch = power;

/** Attacks that run on a small sparse graph. */
const SPARSE = new Set(['a semi-honest round of many is exact', 'a U1 that leaves a client too few holders']);
const RECORD = new URL('./killers.json', import.meta.url);
const all = FILES.flatMap(mutantsOf);

registerHooks({
  load(url, context, nextLoad) {
    const file = url.startsWith(SOURCES.href) ? url.slice(SOURCES.href.length) : '';
    if (!FILES.includes(file)) return nextLoad(url, context);
    const own = all.filter((mutant) => mutant.file === file);
    const text = switched(readFileSync(fileURLToPath(url), 'utf8'), own, own.length === 0 ? 0 : all.indexOf(own[0]!));
    const fixed = 'export const COMPLETE_GRAPH_MAX = 512;';
    const settable = `export let COMPLETE_GRAPH_MAX = 512; mutantSwitch.completeGraphMax = (most: number) => { COMPLETE_GRAPH_MAX = most; };`;
    return { format: 'module', shortCircuit: true, source: stripTypeScriptTypes(text.replace(fixed, settable)) };
  },
});

const modules = ['roster', 'survivors', 'server', 'messages', 'peers', 'sharing', 'wiping', 'consequences', 'shapes'];
const loaded = await Promise.all(
  modules.map((name) => import(`../attacks/${name}.ts`) as Promise<Record<string, readonly Attack[]>>),
);
const attacks = loaded.flatMap((module) => Object.values(module).filter((value) => Array.isArray(value))).flat();

/** Why an attack fails under the mutant that is switched on, or `undefined` where it is withstood. */
function noticed(attack: Attack, on: number): string | undefined {
  power.on = on;
  turns = 0;
  power.completeGraphMax(SPARSE.has(attack.name) ? 16 : 512);
  try {
    attack.run();
    return undefined;
  } catch (error) {
    return String(error).split('\n')[0]!;
  } finally {
    power.on = -1;
  }
}

const times = new Map<Attack, number>();
const passed = new Map<Attack, ReadonlySet<number>>();
for (const attack of attacks) {
  power.passed = new Set();
  const before = performance.now();
  const reason = noticed(attack, -1);
  times.set(attack, performance.now() - before);
  passed.set(attack, power.passed);
  power.passed = undefined;
  if (reason !== undefined) throw new Error(`without a mutant: ${attack.name}: ${reason}`);
}
const quickFirst = [...attacks].sort((a, z) => times.get(a)! - times.get(z)!);

const known = JSON.parse(readFileSync(RECORD, 'utf8')) as Record<string, string>;
const reasoned = new Set(UNNOTICED.flatMap(({ mutants }) => mutants));
const found: Record<string, string> = {};
const recording = process.argv[2] === 'record';
const EVERY = 8;
for (const [i, { name }] of all.entries()) {
  if (reasoned.has(name)) continue;
  if (!recording && known[name] !== undefined && i % EVERY !== 0) {
    process.stdout.write(`${JSON.stringify({ name, attack: known[name], reason: 'on record' })}\n`);
    continue;
  }
  const near = quickFirst.filter((attack) => passed.get(attack)!.has(i));
  const hint = near.find((attack) => attack.name === known[name]);
  let reason: string | undefined;
  const attack = [...(hint === undefined ? [] : [hint]), ...near].find(
    (candidate) => (reason = noticed(candidate, i)) !== undefined,
  );
  if (attack !== undefined) found[name] = attack.name;
  process.stdout.write(`${JSON.stringify({ name, attack: attack?.name, reason })}\n`);
}
if (recording) writeFileSync(RECORD, `${JSON.stringify(found, undefined, 2)}\n`);
