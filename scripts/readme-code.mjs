/**
 * Runs the code blocks of README.md as a reader would: blocks with a title (```yaml title=plan.yaml) become files, bash
 * blocks run in their order in one shell, in a fresh folder inside the repository. A block after the comment
 * `<!-- run by .ci/run -->` is not run here; each of its lines must then stand in .ci/run as it is.
 *
 * `node scripts/readme-code.mjs [--list]`
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, '.sotto', 'readme');
const TIMEOUT_MS = 15 * 60_000;

/** Languages whose blocks show something; blocks of others must say what to do with them. */
const SHOWN = new Set(['text', 'console']);

function blocksOf(markdown) {
  const blocks = [];
  const pattern = /^(<!-- run by \.ci\/run -->\n+)?```([a-z]*)([^\n]*)\n([\s\S]*?)^```$/gm;
  for (const match of markdown.matchAll(pattern)) {
    const line = markdown.slice(0, match.index).split('\n').length + (match[1]?.split('\n').length ?? 1) - 1;
    const title = /\btitle=(\S+)/.exec(match[3])?.[1];
    blocks.push({ line, elsewhere: match[1] !== undefined, language: match[2], title, code: match[4] });
  }
  return blocks;
}

function fail(block, reason) {
  process.stderr.write(`README.md:${block.line}: ${reason}\n`);
  process.exit(1);
}

const blocks = blocksOf(readFileSync(join(root, 'README.md'), 'utf8'));
if (process.argv.includes('--list')) {
  for (const { line, language, title, elsewhere } of blocks) {
    process.stdout.write(
      `README.md:${line} ${language}${title === undefined ? '' : ` -> ${title}`}${elsewhere ? ' (run by .ci/run)' : ''}\n`,
    );
  }
  process.exit(0);
}

const ciLines = new Set(
  readFileSync(join(root, '.ci', 'run'), 'utf8')
    .split('\n')
    .map((line) => line.trim()),
);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const script = ['set -euo pipefail', "trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT"];
let runnable = 0;
for (const block of blocks) {
  if (SHOWN.has(block.language)) continue;
  if (block.elsewhere) {
    for (const line of block.code.split('\n').filter((text) => text.trim() !== '')) {
      if (!ciLines.has(line.trim())) fail(block, `"${line}" is said to be run by .ci/run, which has no such line`);
    }
  } else if (block.title !== undefined) {
    mkdirSync(dirname(join(folder, block.title)), { recursive: true });
    writeFileSync(join(folder, block.title), block.code);
  } else if (block.language === 'bash') {
    script.push(`echo; echo "== README.md:${block.line}"`, block.code.trimEnd());
    runnable++;
  } else {
    fail(block, `a block in "${block.language}" needs a title (a file that a command uses) or the language text (shown only)`);
  }
}

const file = join(folder, 'readme.sh');
writeFileSync(file, `${script.join('\n')}\n`);
const result = spawnSync('bash', [file], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'], timeout: TIMEOUT_MS });
const passed = result.status === 0;
const reason = result.error ? ` (${result.error.message})` : '';
process.stderr.write(
  `\nREADME.md: ${runnable} blocks ${passed ? 'ran' : `failed${reason}; the last heading above names the line`}\n`,
);
process.exit(passed ? 0 : 1);
