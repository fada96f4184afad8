#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// The package needs Node 24 (node:sqlite, TLS and timers as tested). Run directly, this file gets whatever Node is on the
// PATH: hand over to the pinned one beside the package where it is installed, else say what is missing.
const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('sotto: the command is not built yet. Run "npm run setup" in the repository, then try again.');
  process.exit(70);
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  let pinned;
  try {
    pinned = createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    console.error(`sotto: Node ${process.versions.node} is too old; install Node 24 or newer.`);
    process.exit(69);
  }
  const child = spawnSync(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exit(child.status ?? 1);
} else {
  await import(main.href);
}
