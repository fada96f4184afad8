/**
 * Makes a clean clone ready: installs the packages of the lockfile, then compiles. Runs before `npm run demo`, `npm test`
 * and `npm run bench`; does nothing when nothing changed. Dependency-free, runs under Node >= 20 with npm 10 or 11, and
 * prints to stderr only, so that `npm run -s demo -- --json` keeps stdout for JSON.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lib/setup-lock.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stampPath = join(modules, '.sotto-setup.json');
const packages = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'tsconfig.json')));

function say(line) {
  process.stderr.write(`sotto setup: ${line}\n`);
}

/** A failure that is told in one line. It is thrown, so that the lock is given back. */
class SetupFailure extends Error {}

function fail(line) {
  throw new SetupFailure(line);
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampPath, 'utf8'));
  } catch {
    return {};
  }
}

function writeStamp(changes) {
  mkdirSync(modules, { recursive: true });
  writeFileSync(stampPath, `${JSON.stringify({ ...readStamp(), ...changes }, null, 2)}\n`);
}

/** What an install must match: the lockfile, and the platform that its native parts were chosen for. */
function installKey() {
  return sha256(`${process.platform}-${process.arch}\n${readFileSync(join(root, 'package-lock.json'), 'utf8')}`);
}

const pinnedNode = () => join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** True if an install that was made by hand (`npm ci`, `npm install`) already holds every locked package. */
function installedByHand() {
  if (!existsSync(pinnedNode())) return false;
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')).packages;
  } catch {
    return false;
  }
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(
    ([path, entry]) =>
      !path.startsWith('node_modules/') ||
      entry.link === true ||
      entry.optional === true ||
      entry.peer === true ||
      installed[path]?.version === entry.version,
  );
}

/** Runs npm as the same version that started us, else the one on the PATH. */
function npm(...args) {
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', npm_config_ignore_scripts: 'false' };
  const options = { cwd: root, env, stdio: ['ignore', 2, 2] };
  const cli = process.env.npm_execpath;
  if (cli !== undefined && /npm-cli\.[cm]?js$/.test(cli)) return spawnSync(process.execPath, [cli, ...args], options);
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}

function install() {
  say('installing the packages of package-lock.json (about a minute, once) ...');
  const startedMs = Date.now();
  const result = npm('ci', '--no-audit', '--no-fund', '--loglevel=error');
  if (result.error) fail(`npm could not be started (${result.error.message}); install Node with npm 10 or newer and try again`);
  if (result.status !== 0) fail('"npm ci" failed; its messages are above. Check the network connection and try again');
  if (!existsSync(pinnedNode())) npm('rebuild', 'node', '--loglevel=error');
  if (!existsSync(pinnedNode())) fail('the pinned Node is missing after the install; delete node_modules and try again');
  say(`installed in ${Math.round((Date.now() - startedMs) / 1000)} s`);
}

/** Every file below `folder`, as sorted paths relative to the repository. */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

function buildKey() {
  const hash = createHash('sha256').update(installKey());
  const files = ['tsconfig.base.json', 'tsconfig.json'];
  for (const name of packages) {
    const folder = join('packages', name);
    for (const file of readdirSync(join(root, folder)))
      if (/^tsconfig.*\.json$|^package\.json$/.test(file)) files.push(join(folder, file));
    files.push(...filesBelow(join(root, folder, 'src')));
  }
  for (const file of files) hash.update(`${file}\0${sha256(readFileSync(join(root, file)))}\n`);
  return hash.digest('hex');
}

const isBuilt = () => packages.every((name) => existsSync(join(root, 'packages', name, 'dist')));

/** Compiled files whose source is gone would still be packed and imported. */
function removeOrphans() {
  for (const name of packages) {
    for (const file of filesBelow(join(root, 'packages', name, 'dist'))) {
      const match = /^(.*)\.(?:d\.ts|js)(?:\.map)?$/.exec(file.split(sep).slice(3).join(sep));
      if (match === null) continue;
      const source = join(root, 'packages', name, 'src', match[1]);
      if (!['.ts', '.js', '.d.ts'].some((extension) => existsSync(source + extension))) rmSync(join(root, file));
    }
  }
}

function build() {
  say('compiling ...');
  const startedMs = Date.now();
  const result = spawnSync(pinnedNode(), [join(modules, 'typescript', 'bin', 'tsc'), '-b'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) fail('compilation failed; its messages are above');
  for (const name of packages) copyPlainSources(name);
  removeOrphans();
  say(`compiled in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}

/** tsc leaves hand-written or generated .js and .d.ts files where they are; the compiled package needs them beside it. */
function copyPlainSources(name) {
  const source = join(root, 'packages', name, 'src');
  for (const file of filesBelow(source)) {
    if (!/\.(?:js|d\.ts)$/.test(file)) continue;
    const target = join(root, 'packages', name, 'dist', relative(source, join(root, file)));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, readFileSync(join(root, file)));
  }
}

try {
  if (Number(process.versions.node.split('.')[0]) < 20)
    fail(`Node ${process.versions.node} is too old; install Node 20 or newer`);

  const ready = () => {
    const stamp = readStamp();
    return stamp.install === installKey() && existsSync(pinnedNode()) && stamp.build === buildKey() && isBuilt();
  };

  if (!ready()) {
    withLock(
      join(root, '.sotto-setup.lock'),
      (pid) => say(`waiting for another setup (process ${pid}) ...`),
      () => {
        if (readStamp().install !== installKey() || !existsSync(pinnedNode())) {
          if (!installedByHand()) install();
          writeStamp({ install: installKey() });
        }
        const key = buildKey();
        if (readStamp().build !== key || !isBuilt()) {
          build();
          writeStamp({ build: key });
        }
      },
    );
  }
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  say(error.message);
  process.exitCode = 1;
}
