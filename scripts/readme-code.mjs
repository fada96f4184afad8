/**
 * Runs the code blocks of README.md as a reader would, from the repository's folder:
 *
 * - a bash block runs in a shell of its own;
 * - a block with a title (```yaml title=examples/plan.yaml) must stand in that file as it is, and something that runs here
 *   must use the file;
 * - a block after the comment `<!-- run by .ci/run -->` is not run here: each of its lines must stand in .ci/run;
 * - blocks of text only show something.
 *
 * `node scripts/readme-code.mjs [--list]`
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TIMEOUT_MS = 10 * 60_000;
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

function fault(block, reason) {
  process.stderr.write(`README.md:${block.line}: ${reason}\n`);
  return false;
}

const ciLines = new Set(
  readFileSync(join(root, '.ci', 'run'), 'utf8')
    .split('\n')
    .map((line) => line.trim()),
);

/** True if the block holds. */
function check(block) {
  const { language, title, code, elsewhere, line } = block;
  if (SHOWN.has(language)) return true;
  if (elsewhere) {
    const missing = code.split('\n').find((text) => text.trim() !== '' && !ciLines.has(text.trim()));
    return missing === undefined || fault(block, `"${missing}" is said to be run by .ci/run, which has no such line`);
  }
  if (title !== undefined) {
    if (!existsSync(join(root, title))) return fault(block, `${title} does not exist`);
    return (
      readFileSync(join(root, title), 'utf8').includes(code) || fault(block, `the block is not in ${title} as it stands here`)
    );
  }
  if (language !== 'bash')
    return fault(block, `a block in "${language}" needs a title (the file it is from) or the language text`);
  process.stdout.write(`\n== README.md:${line}\n${code}`);
  const { status, error } = spawnSync('bash', ['-euo', 'pipefail', '-c', code], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: TIMEOUT_MS,
  });
  return status === 0 || fault(block, `the block failed (${error?.message ?? `status ${status}`})`);
}

const blocks = blocksOf(readFileSync(join(root, 'README.md'), 'utf8'));
if (process.argv.includes('--list')) {
  for (const { line, language, title, elsewhere } of blocks) {
    const how = SHOWN.has(language)
      ? 'shown'
      : elsewhere
        ? 'run by .ci/run'
        : title === undefined
          ? 'run here'
          : `part of ${title}`;
    process.stdout.write(`README.md:${line} ${language}: ${how}\n`);
  }
} else {
  const failed = blocks.filter((block) => !check(block)).length;
  process.stdout.write(`\nREADME.md: ${blocks.length - failed} of ${blocks.length} code blocks hold\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
