/**
 * Runs in a process of its own: loads the packages and the attacks once for each mutant, with the mutant's edits applied
 * to the source text, runs the attack that must notice, and prints one line of JSON for each mutant.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Attack } from './attacks/attack.ts';
import { mutants } from './mutants.ts';

const SOURCES = new URL('../../packages/secagg/src/', import.meta.url).href;
const TESTS = new URL('./', import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const mutant = context.parentURL === undefined ? null : new URL(context.parentURL).searchParams.get('mutant');
    const ours = resolved.url.startsWith(SOURCES) || resolved.url.startsWith(TESTS);
    return mutant !== null && ours && !resolved.url.includes('?')
      ? { ...resolved, url: `${resolved.url}?mutant=${mutant}` }
      : resolved;
  },
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const mutant = url.startsWith(SOURCES) ? new URL(url).searchParams.get('mutant') : null;
    if (mutant === null) return loaded;
    const file = fileURLToPath(url).slice(fileURLToPath(SOURCES).length);
    let source = typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
    for (const edit of mutants[Number(mutant)]!.edits) {
      if (edit.file !== file) continue;
      const parts = source.split(edit.find);
      if (parts.length !== 2) throw new Error(`the text to change is ${parts.length - 1} times in ${file}: ${edit.find}`);
      source = parts.join(edit.replace);
    }
    return { ...loaded, source };
  },
});

for (const [index, mutant] of mutants.entries()) {
  const load = async (name: string): Promise<readonly Attack[]> =>
    Object.values((await import(`./attacks/${name}.ts?mutant=${index}`)) as Record<string, readonly Attack[]>).flat();
  let outcome: 'killed' | 'survived' | 'broken' = 'survived';
  let reason = '';
  try {
    const all = (
      await Promise.all(
        ['roster', 'survivors', 'server', 'messages', 'peers', 'sharing', 'wiping', 'consequences', 'shapes'].map(load),
      )
    ).flat();
    const attack = all.find((candidate) => candidate.name === mutant.attack);
    if (attack === undefined) throw new Error(`no attack is named ${mutant.attack}`, { cause: 'broken' });
    try {
      attack.run();
    } catch (error) {
      outcome = 'killed';
      reason = String(error).split('\n')[0]!;
    }
  } catch (error) {
    outcome = 'broken';
    reason = String(error);
  }
  process.stdout.write(`${JSON.stringify({ mutant: mutant.name, outcome, reason })}\n`);
}
