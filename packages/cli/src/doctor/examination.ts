/**
 * What `sotto doctor` finds out, and its text for people.
 *
 * @module
 */
import type { EngineCandidate, EngineName, EngineProbe } from '@sotto/core/node';
import { table } from '../demo/table.ts';
import { wrap } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import type { Machine, Tool } from './machine.ts';

/** The findings; this is also the JSON form. */
export interface Examination {
  readonly sotto: string;
  readonly machine: Machine;
  readonly engines: readonly EngineProbe[];
  readonly auto: { readonly choice: string; readonly candidates: readonly EngineCandidate[] };
  readonly tools: readonly Tool[];
}

/** What an engine is for, where it is more than a name. */
const PURPOSES: { readonly [K in EngineName]?: string } = {
  'onnx-cuda': 'ONNX Runtime on an NVIDIA graphics processor',
  'onnx-webgpu': 'ONNX Runtime on any graphics processor',
  'onnx-cpu': 'ONNX Runtime on the CPU, what everything falls back on',
  'tfjs-webgpu': 'TensorFlow.js on any graphics processor',
  'tfjs-wasm': 'TensorFlow.js on WebAssembly',
  'tfjs-node': 'TensorFlow beneath TensorFlow.js',
  'tfjs-node-gpu': 'TensorFlow beneath TensorFlow.js, with CUDA',
};

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
const rate = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2));

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

/** The findings as a text of at most the terminal's width, tables aside. */
export function examinationText(found: Examination, terminal: Terminal): string {
  const { machine, engines, tools } = found;
  const bold = (text: string): string => terminal.style('bold', text);
  const dim = (text: string): string => terminal.style('dim', text);
  const width = Math.min(100, Math.max(40, terminal.columns())) - 2;
  const chosen = found.auto.candidates.find((candidate) => candidate.chosen);
  const usable = engines.filter((engine) => engine.usable);
  const measured = usable.some((engine) => engine.speed !== undefined);
  const rows = usable.map((engine) => {
    const speeds = measured
      ? [engine.speed, engine.speed].map((speed, i) => (speed === undefined ? '' : rate(i === 0 ? speed.matMul : speed.conv2d)))
      : [];
    const device = engine.software ? `${engine.device} ${terminal.style('yellow', '(imitated, for tests)')}` : engine.device;
    return [terminal.style('green', engine.name), ...speeds, device, dim(engine.library)];
  });
  const head = ['engine', ...(measured ? ['matMul', 'conv2d'] : []), 'computes on', 'library'];
  const missing = engines.flatMap((engine) => (engine.usable ? [] : [engine]));
  /** Without what a library said itself, which is in the JSON form. */
  const shortWhy = (why: string): string => why.replace(/ \(.*\)$/s, '');
  const sections = [
    `${bold('Machine')}\n${indent(
      [
        `Sotto ${found.sotto}, Node ${machine.node.slice(1)}, ${machine.platform}`,
        `${machine.processor}, ${machine.usableCores} of ${machine.cores} cores for this process`,
        `${gib(machine.memoryBytes)} of memory, ${gib(machine.freeMemoryBytes)} free`,
      ].join('\n'),
    )}`,
    `${bold('Engines')}${measured ? dim('  (GFLOP/s of products and convolutions; other work on the machine lowers them)') : ''}\n${indent(table([head.map(dim), ...rows], measured ? [1, 2] : []))}`,
    `${bold("engine: 'auto'")}\n${indent(wrap(chosen === undefined ? 'nothing' : found.auto.choice, width))}`,
    ...(missing.length === 0
      ? []
      : [
          `${bold('Not usable here')}\n${indent(missing.map(({ name, why }) => `${name}${dim(`  ${PURPOSES[name] ?? ''}`)}\n${indent(wrap(shortWhy(why), width - 2))}`).join('\n'))}`,
        ]),
    `${bold('Other programs')}\n${indent(
      table(
        tools.map(({ name, version, purpose }) => [
          version === undefined ? name : terminal.style('green', name),
          version ?? 'missing',
          dim(purpose),
        ]),
      ),
    )}`,
  ];
  return `${sections.join('\n\n')}\n`;
}
