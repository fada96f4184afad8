#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// The command needs Node 24 (node:sqlite and TLS as tested). Run directly, this file gets whatever Node is on the PATH:
// it hands over to the pinned one beside the package where that is installed, else it says what is missing.
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
  // The pipe on descriptor 3 closes when this process dies, however it dies: the other one watches it and ends too.
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, SOTTO_PARENT_FD: '3' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // Ctrl-C reaches the whole foreground group by itself.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`sotto: the pinned Node could not be started (${error.message}); run "npm run setup".`);
    process.exit(69);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
} else {
  await import(main.href);
}
