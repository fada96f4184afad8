/**
 * Runs before `npm pack` and `npm publish` in a package's folder: builds, then checks that every file that the package
 * promises exists. An unbuilt workspace would otherwise pack without its `dist` and without an error.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const setup = join(dirname(fileURLToPath(import.meta.url)), 'setup.mjs');
const { status } = spawnSync(process.execPath, [setup], { stdio: ['ignore', 2, 2] });
if (status !== 0) process.exit(status ?? 1);

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const promised = Object.values(manifest.bin ?? {});
for (const entry of Object.values(manifest.exports ?? {}))
  promised.push(...(typeof entry === 'string' ? [entry] : Object.values(entry)));
const missing = promised.filter((file) => !existsSync(file));
if (missing.length > 0) {
  process.stderr.write(`prepack: ${manifest.name} promises files that do not exist: ${missing.join(', ')}\n`);
  process.exit(1);
}
