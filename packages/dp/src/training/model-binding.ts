/**
 * A tfjs model as training sees it: its graph, its weights as one flat vector, and what its inputs and targets must look like.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { compileModel, idInputs, readWeights, topologyOf, weightByName } from '@sotto/core/model';
import type { ModelGraph, Topology } from '@sotto/core/model';
import { tensor } from '@tensorflow/tfjs-core';
import { tableOf } from './examples.ts';
import type { ExampleTable } from './examples.ts';
import { frozenWeights } from './gradient-parts.ts';
import { checkIds } from './ids.ts';
import { readTensors } from './inputs.ts';
import type { InputSlot, Tensors } from './inputs.ts';
import { metricsOf } from './evaluation-logs.ts';
import { checkLabels, labelHint } from './labels.ts';
import type { MetricRule } from './metrics.ts';
import { createObjective } from './objective.ts';
import type { Objective } from './objective.ts';
import type { ModelOptions, TrainableModel } from './options.ts';

/** A model that training can read and write. */
export interface ModelBinding {
  readonly model: TrainableModel;
  readonly graph: ModelGraph;
  readonly objective: Objective;
  readonly topology: Topology;
  readonly frozen: Float32Array;
  /** Tells models apart whose checkpoints do not fit each other. */
  readonly fingerprint: string;
  readonly metrics: readonly MetricRule[];
  readonly inputs: readonly InputSlot[];
  readonly targets: readonly InputSlot[];
  readExamples(x: Tensors, y: Tensors, xName: string, yName: string): Promise<ExampleTable>;
  readWeights(): Float64Array;
  writeWeights(flat: Float64Array): void;
}

/** Compiles a model for private training. */
export function bindModel(
  model: TrainableModel,
  { loss, lossWeights, kinds, metrics }: Pick<ModelOptions, 'loss' | 'lossWeights' | 'kinds' | 'metrics'>,
): ModelBinding {
  const graph = compileModel(model, { kinds });
  if (graph.parameterCount === 0)
    throw new SottoError('invalid-argument', 'the model has no trainable parameters; unfreeze a layer');
  const objective = createObjective(graph, loss, lossWeights);
  const inputs = graph.inputShapes.map((shape, i): InputSlot => ({ name: `x${i}`, layer: graph.inputNames[i]!, shape }));
  const ids = idInputs(graph);
  const targets = objective.targets.map(({ name, output, shape, loss: own, outputIndex }): InputSlot => ({
    name,
    layer: output,
    shape,
    hint: (example) => labelHint(own, example, graph.outputShapes[outputIndex]!),
  }));
  return {
    model,
    graph,
    objective,
    topology: topologyOf(model),
    frozen: frozenWeights(model, graph),
    // Without the names of layers, which tfjs counts up within a process.
    fingerprint: JSON.stringify(
      [...graph.trainable, ...graph.frozen].map(({ name, shape, trainable }) => [
        name.slice(name.lastIndexOf('/') + 1),
        shape,
        trainable,
      ]),
    ),
    metrics: metricsOf(graph, objective, metrics),
    inputs,
    targets,
    async readExamples(x, y, xName, yName) {
      const features = readTensors(xName, x, inputs);
      const labels = readTensors(yName, y, targets);
      const table = tableOf([...features.specs, ...labels.specs], [...features.values, ...labels.values]);
      for (const id of ids) await checkIds(features.specs[id.input]!.argument, features.values[id.input]!, id);
      for (const [i, target] of objective.targets.entries())
        await checkLabels(labels.specs[i]!.argument, labels.values[i]!, target.loss, graph.outputShapes[target.outputIndex]!);
      return table;
    },
    readWeights: () => readWeights(model, graph, 'trainable'),
    writeWeights: (flat) => writeWeights(model, graph, flat),
  };
}

function writeWeights(model: TrainableModel, graph: ModelGraph, flat: Float64Array): void {
  for (const spec of graph.trainable) {
    const value = tensor(Float32Array.from(flat.subarray(spec.offset, spec.offset + spec.size)), [...spec.shape]);
    weightByName(model.weights, spec.name).write(value);
    value.dispose();
  }
}
