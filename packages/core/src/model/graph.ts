/**
 * From a `tf.LayersModel` (or its topology) to a graph of layer kinds, and its forward and backward passes.
 *
 * The batch axis never appears in a layer's shapes: a kind maps one example to one example, so a model that compiles has
 * per-example gradients that do not depend on the other examples. Kinds that would mix examples have no rule and are refused by name.
 *
 * @module
 */
import { SottoError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Ops, Shape } from '../ops/ops.ts';
import { sizeOf } from '../ops/shapes.ts';
import { activationName, isElementwise } from './layers/activation.ts';
import { changeLayout } from './layers/layout.ts';
import { layerKinds, refusedKinds } from './kinds.ts';
import type { BuiltLayer, Forward, GradientRecord, LayerConfig, LayersModelLike, ParameterSpec, Topology } from './types.ts';

/** One node. Values are numbered: first the model's inputs, then the nodes in order. */
export interface ModelNode {
  readonly layer: string;
  readonly className: string;
  /** The canonical activation name where this is an activation. */
  readonly activation: string | undefined;
  readonly inputs: readonly number[];
  readonly built: BuiltLayer;
  readonly parameters: readonly ParameterSpec[];
}

/** A compiled model. */
export interface ModelGraph {
  /** Shapes of the inputs without the batch axis. */
  readonly inputShapes: readonly Shape[];
  readonly nodes: readonly ModelNode[];
  /** Value numbers of the outputs. */
  readonly outputs: readonly number[];
  readonly outputShapes: readonly Shape[];
  readonly trainable: readonly ParameterSpec[];
  readonly frozen: readonly ParameterSpec[];
  /** D: the length of the flat vector of trainable parameters. */
  readonly parameterCount: number;
  readonly frozenCount: number;
}

interface SerializedLayer {
  readonly className: string;
  readonly config: LayerConfig;
  /** One entry per call of the layer; each lists the layers and output indices that it reads. */
  readonly calls: readonly (readonly (readonly [string, number, number])[])[];
}

function fail(message: string): never {
  throw new SottoError('invalid-argument', `model: ${message}`);
}

type JsonObject = Readonly<Record<string, Json>>;

function object(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`${what} is not an object`);
  return value as JsonObject;
}

function list(value: unknown, what: string): readonly Json[] {
  if (!Array.isArray(value)) return fail(`${what} is not a list`);
  return value as readonly Json[];
}

function text(value: Json | undefined, what: string): string {
  if (typeof value !== 'string' || value === '') return fail(`${what} is not a name`);
  return value;
}

/** The topology of a model, whatever form it was given in. */
export function topologyOf(model: LayersModelLike | Topology): Topology {
  const raw = 'toJSON' in model ? model.toJSON(null, false) : model;
  const found = object(raw, 'the topology');
  // model.json wraps it twice: {modelTopology: {model_config: {class_name, config}}}.
  const inner = found['modelTopology'] ?? found['model_config'];
  if (inner !== undefined) return topologyOf(object(inner, 'the topology') as unknown as Topology);
  return { class_name: text(found['class_name'], 'class_name'), config: found['config'] };
}

function readLayer(value: Json, reads: (layer: JsonObject) => SerializedLayer['calls']): SerializedLayer {
  const layer = object(value, 'a layer');
  const values = object(layer['config'], 'a layer’s config');
  const name = text(values['name'] ?? layer['name'], 'a layer’s name');
  return { className: text(layer['class_name'], 'class_name'), config: { layer: name, values }, calls: reads(layer) };
}

/** Layers in order, with the names of the model's inputs and outputs. */
function readTopology(topology: Topology): {
  layers: SerializedLayer[];
  inputs: string[];
  outputs: (readonly [string, number])[];
} {
  if (topology.class_name === 'Sequential') {
    const items = list(Array.isArray(topology.config) ? topology.config : object(topology.config, 'config')['layers'], 'layers');
    const layers: SerializedLayer[] = [];
    let previous: string | undefined;
    for (const item of items) {
      let layer = readLayer(item, () => []);
      if (previous === undefined && layer.className !== 'InputLayer') {
        const input: LayerConfig = { layer: `${layer.config.layer}_input`, values: layer.config.values };
        layers.push({ className: 'InputLayer', config: input, calls: [] });
        previous = input.layer;
      }
      if (previous !== undefined) layer = { ...layer, calls: [[[previous, 0, 0]]] };
      layers.push(layer);
      previous = layer.config.layer;
    }
    if (previous === undefined) return fail('it has no layers; add some');
    return { layers, inputs: [layers[0]!.config.layer], outputs: [[previous, 0]] };
  }
  if (topology.class_name !== 'Model' && topology.class_name !== 'Functional') {
    throw new SottoError('unsupported', `model: class ${topology.class_name} is not known; use tf.sequential or tf.model`);
  }
  const config = object(topology.config, 'config');
  const layers = list(config['layers'], 'layers').map((item) =>
    readLayer(item, (layer) =>
      list(layer['inbound_nodes'], 'inbound_nodes').map((call) =>
        list(call, 'an inbound node').map((edge) => {
          const [name, node, tensor] = list(edge, 'an edge');
          return [text(name, 'a layer’s name'), Number(node), Number(tensor)] as const;
        }),
      ),
    ),
  );
  const ends = (key: string): (readonly [string, number])[] =>
    list(config[key], key).map((end) => {
      const [name, node] = list(end, key);
      return [text(name, key), Number(node)] as const;
    });
  return { layers, inputs: ends('input_layers').map(([name]) => name), outputs: ends('output_layers') };
}

function inputShape(config: LayerConfig): Shape {
  const raw = config.values['batch_input_shape'];
  if (!Array.isArray(raw)) return fail(`layer ${config.layer} has no input shape; set inputShape on the first layer`);
  const sizes = (raw as readonly Json[]).slice(1);
  return sizes.map((size) => {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1) {
      return fail(`input ${config.layer} has the shape [${sizes.map(String).join(', ')}]; every size must be known, so set it`);
    }
    return size;
  });
}

/** Compiles a model. Throws `unsupported`, naming the layer and the cure, for what cannot be trained privately. */
export function compileModel(model: LayersModelLike | Topology): ModelGraph {
  const { layers, inputs, outputs } = readTopology(topologyOf(model));
  const byName = new Map(layers.map((layer) => [layer.config.layer, layer]));
  const values = new Map<string, number>();
  const shapes: Shape[] = [];
  inputs.forEach((name) => {
    const layer = byName.get(name) ?? fail(`input ${name} is not a layer`);
    values.set(`${name}/0`, shapes.length);
    shapes.push(inputShape(layer.config));
  });
  const nodes: ModelNode[] = [];
  const specs = { trainable: [] as ParameterSpec[], frozen: [] as ParameterSpec[] };
  const counts = { trainable: 0, frozen: 0 };

  // Values of images may be held channels first; `shapes` are then in that order.
  const channelsFirst: boolean[] = shapes.map(() => false);
  const converted = new Map<string, number>();
  const inLayout = (value: number, first: boolean): number => {
    if (channelsFirst[value] === first || shapes[value]!.length !== 3) return value;
    const key = `${value}/${first}`;
    const known = converted.get(key);
    if (known !== undefined) return known;
    const built = changeLayout(shapes[value]!, first);
    nodes.push({ layer: '', className: 'Layout', activation: undefined, inputs: [value], built, parameters: [] });
    shapes.push(built.outputShape);
    channelsFirst.push(first);
    converted.set(key, shapes.length - 1);
    return shapes.length - 1;
  };

  const addNode = (className: string, config: LayerConfig, inbound: readonly number[]): number => {
    const kind = layerKinds.get(className);
    if (kind === undefined) {
      const cure =
        refusedKinds[className] ?? `this kind has no rule for private training; use ${[...layerKinds.keys()].join(', ')}`;
      throw new SottoError('unsupported', `layer ${config.layer} (${className}): ${cure}`, { details: { layer: config.layer } });
    }
    const raw = config.values['activation'];
    const activation = className === 'Activation' && typeof raw === 'string' ? activationName(raw) : undefined;
    const layout = activation !== undefined && isElementwise(activation) ? 'any' : (kind.layout ?? 'last');
    const first = layout === 'first' || (layout === 'any' && inbound.every((value) => channelsFirst[value]));
    const from = inbound.map((value) => inLayout(value, first));
    const built = kind.build(
      config,
      from.map((value) => shapes[value]!),
    );
    const group = config.values['trainable'] === false ? 'frozen' : 'trainable';
    const parameters = built.weights.map(({ name, shape }): ParameterSpec => {
      const size = sizeOf(shape);
      const spec = { name: `${config.layer}/${name}`, shape, size, trainable: group === 'trainable', offset: counts[group] };
      counts[group] += size;
      specs[group].push(spec);
      return spec;
    });
    nodes.push({ layer: config.layer, className, activation, inputs: from, built, parameters });
    shapes.push(built.outputShape);
    channelsFirst.push(first && built.outputShape.length === 3);
    return shapes.length - 1;
  };

  // Functional models list layers in any order, so each is built once all that it reads is known.
  const pending = layers.filter((layer) => layer.className !== 'InputLayer');
  for (const { config, calls } of pending) {
    if (calls.length > 1) {
      throw new SottoError(
        'unsupported',
        `layer ${config.layer} is used ${calls.length} times; weights that are used twice are not implemented, so use one layer per call`,
      );
    }
  }
  while (pending.length > 0) {
    const at = pending.findIndex((layer) =>
      layer.calls.every((call) => call.every(([name, node]) => values.has(`${name}/${node}`))),
    );
    if (at < 0) return fail(`layers ${pending.map((layer) => layer.config.layer).join(', ')} are not connected to the inputs`);
    const [layer] = pending.splice(at, 1) as [SerializedLayer];
    const { config, className } = layer;
    const from = (layer.calls[0] ?? []).map(([name, node]) => values.get(`${name}/${node}`)!);
    let value = addNode(className, config, from);
    const after = config.values['activation'];
    if (className !== 'Activation' && typeof after === 'string' && activationName(after) !== 'linear') {
      value = addNode('Activation', { layer: config.layer, values: { activation: after } }, [value]);
    }
    values.set(`${config.layer}/0`, value);
  }
  if ('weights' in model) checkWeights(model, [...specs.trainable, ...specs.frozen]);
  const ends = outputs.map(([name, node]) =>
    inLayout(values.get(`${name}/${node}`) ?? fail(`output ${name} is not a layer`), false),
  );
  return {
    inputShapes: shapes.slice(0, inputs.length),
    nodes,
    outputs: ends,
    outputShapes: ends.map((value) => shapes[value]!),
    trainable: specs.trainable,
    frozen: specs.frozen,
    parameterCount: counts.trainable,
    frozenCount: counts.frozen,
  };
}

/** Compares the shapes that were read from the topology with those of the model's own weights: some tfjs layers do not serialise all options. */
function checkWeights(model: LayersModelLike, specs: readonly ParameterSpec[]): void {
  const actual = new Map(model.weights.map((weight) => [weight.name.replace(/_\d+$/, ''), weight.shape]));
  for (const spec of specs) {
    const shape = actual.get(spec.name);
    if (shape !== undefined && shape.join() !== spec.shape.join()) {
      throw new SottoError(
        'unsupported',
        `weight ${spec.name} has the shape [${shape.join(', ')}], but the layer's serialised options give [${spec.shape.join(', ')}]; tfjs left an option out, so use its default`,
      );
    }
  }
}

/** A finished forward pass. */
export interface ModelForward<T> {
  /** The outputs, in the model's order. */
  readonly outputs: readonly T[];
  /** The value of any node or input, by number. */
  readonly values: readonly T[];
  /** Per-example gradient records of the trainable parameters, in their order, given gradients of some values. */
  backward(gradients: ReadonlyMap<number, T>): readonly GradientRecord<T>[];
}

/** Cuts a flat vector into the tensors of its parameters. */
export function unpackParameters<T>(ops: Ops<T>, flat: T, specs: readonly ParameterSpec[]): T[] {
  return specs.map((spec) => ops.reshape(ops.slice(flat, [spec.offset], [spec.size]), spec.shape));
}

/**
 * Runs a model forward on a batch and remembers what the backward pass needs.
 *
 * @param inputs `[n, …input shape]` each.
 * @param trainable Tensors of `graph.trainable`, in its order.
 * @param frozen Tensors of `graph.frozen`, in its order.
 */
export function forwardModel<T>(
  ops: Ops<T>,
  graph: ModelGraph,
  inputs: readonly T[],
  trainable: readonly T[],
  frozen: readonly T[] = [],
): ModelForward<T> {
  const tensorOf = new Map<ParameterSpec, T>();
  graph.trainable.forEach((spec, i) => tensorOf.set(spec, trainable[i]!));
  graph.frozen.forEach((spec, i) => tensorOf.set(spec, frozen[i]!));
  const values: T[] = [...inputs];
  const passes: Forward<T>[] = [];
  for (const node of graph.nodes) {
    const pass = node.built.forward(
      ops,
      node.inputs.map((value) => values[value]!),
      node.parameters.map((spec) => tensorOf.get(spec)!),
    );
    passes.push(pass);
    values.push(pass.output);
  }
  return {
    outputs: graph.outputs.map((value) => values[value]!),
    values,
    backward: (gradients) => backwardModel(ops, graph, passes, gradients),
  };
}

function backwardModel<T>(
  ops: Ops<T>,
  graph: ModelGraph,
  passes: readonly Forward<T>[],
  gradients: ReadonlyMap<number, T>,
): readonly GradientRecord<T>[] {
  const first = graph.inputShapes.length;
  // A value's gradient is needed where a trainable parameter lies before it.
  const needed: boolean[] = graph.inputShapes.map(() => false);
  for (const node of graph.nodes)
    needed.push(node.parameters.some((spec) => spec.trainable) || node.inputs.some((value) => needed[value]));
  const flowing = new Map(gradients);
  const records = new Map<ParameterSpec, GradientRecord<T>>();
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    const gradient = flowing.get(first + i);
    if (gradient === undefined || !needed[first + i]) continue;
    const result = passes[i]!.backward(
      gradient,
      node.inputs.map((value) => needed[value]!),
    );
    node.parameters.forEach((spec, w) => {
      if (spec.trainable) records.set(spec, result.weights[w]!);
    });
    node.inputs.forEach((value, k) => {
      const part = result.inputs[k];
      if (!needed[value] || part === undefined) return;
      const sum = flowing.get(value);
      flowing.set(value, sum === undefined ? part : ops.add(sum, part));
    });
  }
  return graph.trainable.map((spec) => {
    const record = records.get(spec);
    if (record === undefined)
      throw new SottoError('invalid-argument', `parameter ${spec.name} has no path to the loss; freeze its layer or connect it`);
    return record;
  });
}
