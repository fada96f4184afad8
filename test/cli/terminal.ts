import { runCli } from '../../packages/cli/src/cli.ts';
import type { Terminal } from '../../packages/cli/src/terminal.ts';

/** A terminal that remembers what was written to it. */
export function memoryTerminal(
  columns: number = 80,
): Terminal & { readonly stdout: () => string; readonly stderr: () => string } {
  let stdout = '';
  let stderr = '';
  return {
    out: (text) => void (stdout += text),
    err: (text) => void (stderr += text),
    interactive: false,
    progressive: false,
    columns: () => columns,
    rows: () => 24,
    style: (_style, text) => text,
    stdout: () => stdout,
    stderr: () => stderr,
  };
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `sotto ARGS` in this process. */
export async function sotto(...args: string[]): Promise<Ran> {
  const terminal = memoryTerminal();
  const status = await runCli(args, terminal);
  return { status, stdout: terminal.stdout(), stderr: terminal.stderr() };
}
