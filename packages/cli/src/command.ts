/**
 * What a subcommand is, and the parsing of its arguments.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { parseArgs } from 'node:util';
import { nearest } from './nearest.ts';
import type { Terminal } from './terminal.ts';

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Placeholder of the value in the help text. */
  readonly value?: string;
  readonly describe: string;
}

export interface Invocation {
  readonly terminal: Terminal;
  readonly positionals: readonly string[];
  /** The value of a text option, or undefined. */
  readonly text: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean;
  /** The value of a numeric option, or undefined; throws `invalid-argument` if it is no number. */
  readonly number: (name: string) => number | undefined;
  /** The value of an option that is a whole number of at least `min`, or undefined. */
  readonly integer: (name: string, min: number) => number | undefined;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Forms of the call, without the leading "sotto". */
  readonly usage: readonly string[];
  /** Paragraphs of the help text. Lines are wrapped where it is shown, unless they begin with two spaces. */
  readonly description: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Least and greatest number of positional arguments. */
  readonly positionals: readonly [min: number, max: number];
  /** What the command is called with, and what that does. */
  readonly examples: readonly (readonly [call: string, meaning: string])[];
  /** Returns the exit status. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  help: { type: 'boolean', short: 'h', describe: 'Show this help.' },
  debug: { type: 'boolean', describe: 'Show the stack trace of an error.' },
};

/** A wrong call: shown with the pointer to the help text, exit status 2. */
export class UsageError extends SottoError {
  constructor(message: string) {
    super('invalid-argument', message);
  }
}

/**
 * Parses the arguments after the command's name.
 *
 * @throws UsageError for an unknown option, a missing or a superfluous value or argument.
 */
export function parseInvocation(command: Command, args: readonly string[], terminal: Terminal): Invocation {
  const options = { ...command.options, ...COMMON_OPTIONS };
  const values = new Map<string, string | boolean>();
  const positionals: string[] = [];
  const { tokens } = parseArgs({
    args: [...args],
    options: parserOptions(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = options[token.name];
    if (spec === undefined) throw unknownOption(token.rawName, Object.keys(options));
    if (spec.type === 'boolean') {
      if (token.value !== undefined) throw new UsageError(`--${token.name} takes no value (got "${token.value}")`);
      values.set(token.name, true);
    } else {
      const missing = token.value === undefined || (token.inlineValue === false && /^--[a-z]/.test(token.value));
      if (missing) throw new UsageError(`--${token.name} needs a value: --${token.name} ${spec.value ?? 'VALUE'}`);
      values.set(token.name, token.value);
    }
  }
  const [min, max] = command.positionals;
  if (!values.has('help')) {
    if (positionals.length < min) throw new UsageError(`an argument is missing: sotto ${command.usage[0]}`);
    if (positionals.length > max) throw new UsageError(`unexpected argument "${positionals[max]}": sotto ${command.usage[0]}`);
  }
  return invocation(values, positionals, terminal);
}

function parserOptions(
  options: Readonly<Record<string, OptionSpec>>,
): Record<string, { type: 'string' | 'boolean'; short?: string }> {
  const entries = Object.entries(options).map(
    ([name, { type, short }]) => [name, short === undefined ? { type } : { type, short }] as const,
  );
  return Object.fromEntries(entries);
}

function unknownOption(raw: string, names: readonly string[]): UsageError {
  const guess = nearest(raw.replace(/^-+/, ''), names);
  return new UsageError(`unknown option ${raw}${guess === undefined ? '' : `; did you mean --${guess}?`}`);
}

function invocation(
  values: ReadonlyMap<string, string | boolean>,
  positionals: readonly string[],
  terminal: Terminal,
): Invocation {
  const text = (name: string): string | undefined => values.get(name) as string | undefined;
  const number = (name: string): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const parsed = value.trim() === '' ? NaN : Number(value);
    if (Number.isNaN(parsed)) throw new UsageError(`--${name} is "${value}"; it must be a number`);
    return parsed;
  };
  const integer = (name: string, min: number): number | undefined => {
    const value = number(name);
    if (value !== undefined && (!Number.isSafeInteger(value) || value < min)) {
      throw new UsageError(`--${name} is ${text(name)}; it must be a whole number of at least ${min}`);
    }
    return value;
  };
  return { terminal, positionals, text, flag: (name) => values.get(name) === true, number, integer };
}
