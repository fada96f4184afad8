/**
 * Which inputs of a model hold ids of a table's rows, so that false ids can be refused before anything is trained on them.
 *
 * @module
 */
import { recordProgram } from '../ops/graph.ts';
import type { GraphNode } from '../ops/graph.ts';
import type { Program } from '../ops/engine.ts';
import { reverse } from '../ops/primitives/reverse.ts';
import type { ModelGraph, ModelNode } from './graph.ts';

/** An input whose elements are, all of them, ids of the rows of a layer's table: whole numbers from 0 to `rows` − 1. */
export interface IdInput {
  /** Its number among the model's inputs. */
  readonly input: number;
  /** The layer that looks the rows up. */
  readonly layer: string;
  readonly rows: number;
}

/**
 * The inputs that reach a layer with `idRows` as they are, perhaps in another shape or order. An input that several layers read is told once for each. Inputs of which
 * only some elements can be ids, or that something is computed from first, are not told: the layer itself makes NaN of false ids.
 */
export function idInputs(graph: ModelGraph): readonly IdInput[] {
  const found: IdInput[] = [];
  // The inputs of which a value holds all elements, and nothing else but zeros.
  const carried: ReadonlySet<number>[] = graph.inputShapes.map((_, i) => new Set([i]));
  for (const node of graph.nodes) {
    const { idRows } = node.built;
    if (idRows !== undefined)
      for (const input of carried[node.inputs[0]!]!) found.push({ input, layer: node.layer, rows: idRows });
    const passed = [...passedOn(graph, node, carried)].flatMap((place) => [...carried[node.inputs[place]!]!]);
    carried.push(new Set(passed));
  }
  return found;
}

/** The places of the inputs that a layer passes on as they are: none where it computes anything. */
function passedOn(graph: ModelGraph, node: ModelNode, carried: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  const none = new Set<number>();
  if (node.parameters.length > 0 || node.inputs.every((value) => carried[value]!.size === 0)) return none;
  const program: Program = {
    name: node.layer,
    inputs: node.inputs.map((value, place) => ({ name: `${place}`, shape: [1, ...shapeOf(graph, value)] })),
    build: (ops, inputs) => ({
      output: node.built.forward(
        ops,
        node.inputs.map((_, place) => inputs[`${place}`]!),
        [],
      ).output,
    }),
  };
  const places = new Set<number>();
  const visit = (value: GraphNode): boolean => {
    switch (value.operation) {
      case 'input':
        places.add(Number(value.attributes.name));
        return true;
      case 'apply':
        return value.attributes.primitive === reverse && value.inputs.every(visit);
      case 'reshape':
      case 'transpose':
      case 'broadcastTo':
      case 'concat':
      case 'pad':
        return value.inputs.every(visit);
      default:
        return false;
    }
  };
  const { output } = recordProgram(program).outputs;
  return visit(output!) ? places : none;
}

/** The shape of one example of a value: an input or what a node gives. */
function shapeOf(graph: ModelGraph, value: number): readonly number[] {
  const first = graph.inputShapes.length;
  return value < first ? graph.inputShapes[value]! : graph.nodes[value - first]!.built.outputShape;
}
