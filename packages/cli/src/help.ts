/**
 * Help texts.
 *
 * @module
 */
import { COMMON_OPTIONS, type Command, type OptionSpec } from './command.ts';
import type { Terminal } from './terminal.ts';

const MAX_WIDTH = 100;

/** Breaks a paragraph into lines of at most `width` columns. */
export function wrap(text: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.join('\n');
}

function widthOf(terminal: Terminal): number {
  return Math.min(MAX_WIDTH, Math.max(40, terminal.columns()));
}

function optionLabel(name: string, spec: OptionSpec): string {
  const value = spec.type === 'string' ? ` ${spec.value ?? 'VALUE'}` : '';
  return `${spec.short === undefined ? '' : `-${spec.short}, `}--${name}${value}`;
}

/** Two columns: labels to the left, wrapped texts to the right. */
function columns(rows: readonly (readonly [string, string])[], width: number): string {
  const left = Math.min(26, Math.max(...rows.map(([label]) => label.length)));
  return rows
    .map(([label, text]) => {
      const indent = ' '.repeat(left + 4);
      const body = wrap(text, width - indent.length).replaceAll('\n', `\n${indent}`);
      return label.length > left ? `  ${label}\n${indent}${body}` : `  ${label.padEnd(left)}  ${body}`;
    })
    .join('\n');
}

/** The help text of one command. */
export function commandHelp(command: Command, terminal: Terminal): string {
  const width = widthOf(terminal);
  const bold = (text: string): string => terminal.style('bold', text);
  const paragraphs = command.description.map((text) => (text.startsWith('  ') ? text : wrap(text, width)));
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(
    ([name, spec]) => [optionLabel(name, spec), spec.describe] as const,
  );
  const sections = [
    wrap(`sotto ${command.name}: ${command.summary}`, width).replace(`sotto ${command.name}`, bold),
    `${bold('Usage')}\n${command.usage.map((line) => `  sotto ${line}`).join('\n')}`,
    ...paragraphs,
    `${bold('Options')}\n${columns(options, width)}`,
  ];
  if (command.examples.length > 0) {
    const shown = command.examples.map(
      ([call, meaning]) => `  ${terminal.style('cyan', call)}\n      ${wrap(meaning, width - 6).replaceAll('\n', '\n      ')}`,
    );
    sections.push(`${bold('Examples')}\n${shown.join('\n')}`);
  }
  return `${sections.join('\n\n')}\n`;
}

export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly Command[];
}

/** The list of all commands. */
export function overview(groups: readonly CommandGroup[], terminal: Terminal): string {
  const width = widthOf(terminal);
  const bold = (text: string): string => terminal.style('bold', text);
  const sections = [
    wrap(
      'sotto trains models on data that nobody may see: differential privacy, federated rounds, secure aggregation, and a privacy ledger that anyone can verify.',
      width,
    ).replace('sotto', bold),
    `${bold('Usage')}\n  sotto COMMAND [OPTIONS]\n  sotto COMMAND --help`,
    ...groups.map(
      ({ title, commands }) =>
        `${bold(title)}\n${columns(
          commands.map(({ name, summary }) => [name, summary]),
          width,
        )}`,
    ),
    `${bold('Begin here')}\n  ${terminal.style('cyan', 'sotto demo')}          four hospitals train one model in about a minute\n  ${terminal.style('cyan', 'sotto verify DIR')}    check what they claim about it`,
    wrap(
      'Exit status: 0 done, 1 failed or found a fault, 2 wrong call or configuration, 130 interrupted. NO_COLOR=1 switches colours off. Errors are one line; --debug adds the stack trace.',
      width,
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}
