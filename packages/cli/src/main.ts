/**
 * The entry point of the `sotto` command: runs it and ends the process with its status.
 *
 * @module
 */
import { once } from 'node:events';
import { Socket } from 'node:net';
import { runCli } from './cli.ts';
import { processTerminal } from './terminal.ts';

/** Ends this process in order when the wrapper that started it is gone (see bin/sotto.js). */
function watchParent(): void {
  const descriptor = process.env['SOTTO_PARENT_FD'];
  if (descriptor === undefined) return;
  delete process.env['SOTTO_PARENT_FD'];
  const pipe = new Socket({ fd: Number(descriptor), readable: true, writable: false });
  pipe.on('error', () => undefined);
  pipe.on('close', () => process.kill(process.pid, 'SIGTERM'));
  pipe.resume();
  pipe.unref();
}

/** A reader that closed its end (`sotto … | head`) is no error of ours. */
function tolerateClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

process.stdout.on('error', tolerateClosedPipe);
process.stderr.on('error', tolerateClosedPipe);
watchParent();
const status = await runCli(process.argv.slice(2), processTerminal());
for (const stream of [process.stdout, process.stderr]) if (stream.writableNeedDrain) await once(stream, 'drain');
process.exit(status);
