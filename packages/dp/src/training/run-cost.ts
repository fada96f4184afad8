/**
 * About how long a run of a program takes, from its recorded graph: what depends on the number of examples, and what does not. Only the ratio of the two is used, to
 * choose how many examples a run takes, so rough figures do; they are those of ONNX Runtime on one core with AVX2.
 *
 * @module
 */
import { recordProgram, sizeOf } from '@sotto/core/ops';
import type { Graph, GraphNode, Program } from '@sotto/core/ops';

/** Nanoseconds of a run of n examples: `perRun` + n·`perExample`. */
export interface RunCost {
  readonly perRun: number;
  readonly perExample: number;
}

const FLOPS_PER_NS = 75;
/** For each float that a node reads or writes. */
const NS_PER_FLOAT = 0.12;
const NS_PER_NODE = 2500;
/** Telling a lane, and its answer. */
const NS_PER_RUN = 150_000;
/** Adding a sum to the others. */
const NS_PER_OUTPUT = 1;

/** Fits the cost of two sizes. */
export function runCost(program: (n: number) => Program): RunCost {
  const [few, many] = [8, 24];
  const [less, more] = [few, many].map((n) => graphNs(recordProgram(program(n)))) as [number, number];
  const perExample = (more - less) / (many - few);
  return { perRun: Math.max(0, less - few * perExample), perExample };
}

function graphNs(graph: Graph): number {
  const outputs = Object.values(graph.outputs).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return NS_PER_RUN + NS_PER_OUTPUT * outputs + graph.nodes.reduce((sum, node) => sum + nodeNs(node), 0);
}

function nodeNs(node: GraphNode): number {
  if (node.operation === 'input' || node.operation === 'constant' || node.operation === 'reshape') return 0;
  const floats = sizeOf(node.shape) + node.inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return NS_PER_NODE + floats * NS_PER_FLOAT + flopsOf(node) / FLOPS_PER_NS;
}

/** Of products; other operations are counted by what they move. */
function flopsOf(node: GraphNode): number {
  const [a, b] = node.inputs;
  switch (node.operation) {
    case 'matMul':
      return 2 * sizeOf(node.shape) * a!.shape.at(node.attributes.transposeA ? -2 : -1)!;
    case 'conv2d':
      return 2 * sizeOf(node.shape) * sizeOf(b!.shape.slice(1));
    case 'conv2dInputGradient':
      return 2 * sizeOf(a!.shape) * sizeOf(b!.shape.slice(1));
    default:
      return 0;
  }
}
