/**
 * From a `tf.LayersModel` (or its topology) to a graph of layer kinds.
 *
 * The batch axis never appears in a layer's shapes: a kind maps one example to one example, and the compiler follows the batch axis through every
 * kind's forward and backward pass. So a model that compiles has per-example gradients that do not depend on the other examples.
 *
 * @module
 */
import { SottoError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Shape } from '../ops/ops.ts';
import { sizeOf } from '../ops/shapes.ts';
import { checkLayerKeepsExamplesApart } from './check-layer.ts';
import type { ModelGraph, ModelNode } from './graph.ts';
import { activationName, isElementwise } from './layers/activation.ts';
import { changeLayout } from './layers/layout.ts';
import { layerKinds, refusalOf } from './kinds.ts';
import { flattenModel, topologyOf, usedTwice } from './topology.ts';
import type { FlatLayer } from './topology.ts';
import type { DrawSpec, LayerConfig, LayerKind, LayersModelLike, ParameterSpec, Topology } from './types.ts';

/** Options of {@link compileModel}. */
export interface CompileOptions {
  /** Further layer kinds, or other rules for known ones. Each is checked to keep examples apart. */
  readonly kinds?: readonly LayerKind[] | undefined;
}

/** Compiles a model. Throws `unsupported`, naming the layer and the cure, for what cannot be trained privately. */
export function compileModel(model: LayersModelLike | Topology, options: CompileOptions = {}): ModelGraph {
  const flat = flattenModel(topologyOf(model));
  const compiler = new Compiler(model, options);
  for (const { value, config } of flat.inputs) compiler.addInput(value, inputShape(config));
  const pending = [...flat.layers];
  for (const layer of pending) if (layer.calls.length > 1) throw usedTwice(layer.path, layer.calls.length);
  // Functional models list layers in any order, so each is built once all that it reads is known.
  while (pending.length > 0) {
    const at = pending.findIndex((layer) => layer.calls.every((call) => call.every((value) => compiler.has(value))));
    if (at < 0) {
      const names = pending.map((layer) => layer.path).join(', ');
      throw new SottoError('invalid-argument', `model: layers ${names} are not connected to the inputs`);
    }
    const [layer] = pending.splice(at, 1) as [FlatLayer];
    compiler.addLayer(layer);
  }
  return compiler.finish(flat);
}

/** The shape of one example of an input. */
export function inputShape(config: LayerConfig): Shape {
  const raw = config.values['batch_input_shape'];
  if (!Array.isArray(raw))
    throw new SottoError(
      'invalid-argument',
      `model: layer ${config.layer} has no input shape; set inputShape on the first layer`,
    );
  const sizes = (raw as readonly Json[]).slice(1);
  return sizes.map((size) => {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1) {
      const shown = sizes.map(String).join(', ');
      throw new SottoError(
        'invalid-argument',
        `model: input ${config.layer} has the shape [${shown}]; every size must be known, so set it`,
      );
    }
    return size;
  });
}

/** A weight's name as the topology gives it: tfjs appends a number where a name is taken. */
export const plainName = (name: string): string => name.replace(/_\d+$/, '');

/** Builds the nodes of a model one layer after the other. */
export class Compiler {
  readonly #kinds: ReadonlyMap<string, LayerKind>;
  readonly #model: LayersModelLike | undefined;
  readonly #values = new Map<string, number>();
  readonly #shapes: Shape[] = [];
  /** Values of images may be held channels first; their shapes are then in that order. */
  readonly #channelsFirst: boolean[] = [];
  readonly #converted = new Map<string, number>();
  readonly #nodes: ModelNode[] = [];
  readonly #specs = { trainable: [] as ParameterSpec[], frozen: [] as ParameterSpec[] };
  readonly #counts = { trainable: 0, frozen: 0 };
  readonly #draws: DrawSpec[] = [];
  #inputs = 0;

  constructor(model: LayersModelLike | Topology, { kinds = [] }: CompileOptions) {
    this.#kinds =
      kinds.length === 0 ? layerKinds : new Map([...layerKinds, ...kinds.map((kind) => [kind.className, kind] as const)]);
    this.#model = 'weights' in model ? model : undefined;
  }

  addInput(value: string, shape: Shape): void {
    this.#inputs++;
    this.define(value, shape);
  }

  /** A value of a known shape that no layer computes. */
  define(value: string, shape: Shape): void {
    this.#values.set(value, this.#shapes.length);
    this.#shapes.push(shape);
    this.#channelsFirst.push(false);
  }

  has(value: string): boolean {
    return this.#values.has(value);
  }

  /** The shape of a value's example in tfjs's order of axes. */
  shapeOf(value: string): Shape {
    const number = this.#values.get(value)!;
    const shape = this.#shapes[number]!;
    return this.#channelsFirst[number] ? [...shape.slice(1), shape[0]!] : shape;
  }

  /** Adds a layer. Returns how many numbers its weights have. */
  addLayer(layer: FlatLayer): number {
    const before = this.#counts.trainable + this.#counts.frozen;
    const { className, frozen } = layer;
    const config: LayerConfig = frozen
      ? { layer: layer.config.layer, values: { ...layer.config.values, trainable: false } }
      : layer.config;
    const from = (layer.calls[0] ?? []).map((value) => this.#values.get(value)!);
    let value = this.#addNode(className, config, from, frozen);
    const after = config.values['activation'];
    if (className !== 'Activation' && typeof after === 'string' && activationName(after) !== 'linear')
      value = this.#addNode('Activation', { layer: config.layer, values: { activation: after } }, [value], frozen);
    this.#values.set(`${layer.path}:0`, value);
    return this.#counts.trainable + this.#counts.frozen - before;
  }

  #inLayout(value: number, first: boolean): number {
    if (this.#channelsFirst[value] === first || this.#shapes[value]!.length !== 3) return value;
    const key = `${value}/${first}`;
    const known = this.#converted.get(key);
    if (known !== undefined) return known;
    const built = changeLayout(this.#shapes[value]!, first);
    const node = { layer: '', className: 'Layout', activation: undefined, inputs: [value], built, parameters: [], draws: [] };
    const made = this.#push(node, first);
    this.#converted.set(key, made);
    return made;
  }

  #push(node: ModelNode, channelsFirst: boolean): number {
    this.#nodes.push(node);
    this.#shapes.push(node.built.outputShape);
    this.#channelsFirst.push(channelsFirst);
    return this.#shapes.length - 1;
  }

  #addNode(className: string, config: LayerConfig, inbound: readonly number[], frozen: boolean): number {
    const { layer } = config;
    const kind = this.#kinds.get(className);
    if (kind === undefined) {
      const { why, cure } = refusalOf(className);
      throw new SottoError('unsupported', `layer ${layer} (${className}): ${why}; ${cure}`, { details: { layer, why, cure } });
    }
    const raw = config.values['activation'];
    const activation = className === 'Activation' && typeof raw === 'string' ? activationName(raw) : undefined;
    const layout = activation !== undefined && isElementwise(activation) ? 'any' : (kind.layout ?? 'last');
    const first = layout === 'first' || (layout === 'any' && inbound.every((value) => this.#channelsFirst[value]));
    const inputs = inbound.map((value) => this.#inLayout(value, first));
    const shapes = inputs.map((value) => this.#shapes[value]!);
    const built = kind.build(config, shapes);
    checkLayerKeepsExamplesApart(layer, className, built, shapes);
    const parameters = built.weights.map(({ name, shape }): ParameterSpec => {
      const full = `${layer}/${name}`;
      const group = frozen ? 'frozen' : 'trainable';
      const size = sizeOf(shape);
      const spec = { name: full, shape, size, trainable: group === 'trainable', offset: this.#counts[group] };
      this.#counts[group] += size;
      this.#specs[group].push(spec);
      return spec;
    });
    const draws = (built.draws ?? []).map((draw): DrawSpec => {
      const spec = { ...draw, layer, name: `draw${this.#draws.length}` };
      this.#draws.push(spec);
      return spec;
    });
    return this.#push(
      { layer, className, activation, inputs, built, parameters, draws },
      first && built.outputShape.length === 3,
    );
  }

  finish(flat: ReturnType<typeof flattenModel>): ModelGraph {
    const all = [...this.#specs.trainable, ...this.#specs.frozen];
    checkNames(all);
    if (this.#model !== undefined) checkWeights(this.#model, all);
    const outputs = flat.outputs.map(({ name, value }) => {
      const number = this.#values.get(value);
      if (number === undefined) throw new SottoError('invalid-argument', `model: output ${name} is not a layer`);
      return this.#inLayout(number, false);
    });
    return {
      inputNames: flat.inputs.map(({ name }) => name),
      inputShapes: this.#shapes.slice(0, this.#inputs),
      nodes: this.#nodes,
      outputs,
      outputNames: flat.outputs.map(({ name }) => name),
      outputShapes: outputs.map((value) => this.#shapes[value]!),
      trainable: this.#specs.trainable,
      frozen: this.#specs.frozen,
      parameterCount: this.#counts.trainable,
      frozenCount: this.#counts.frozen,
      draws: this.#draws,
    };
  }
}

/** Weights are found by name, so two of one name would be taken for each other. */
function checkNames(specs: readonly ParameterSpec[]): void {
  const seen = new Set<string>();
  for (const { name } of specs) {
    if (seen.has(name)) {
      throw new SottoError(
        'unsupported',
        `two weights are named ${name}, for two layers have one name; give the layers of models within the model names of their own`,
      );
    }
    seen.add(name);
  }
}

/** Compares the shapes that were read from the topology with those of the model's own weights: some tfjs layers do not serialise all options. */
function checkWeights(model: LayersModelLike, specs: readonly ParameterSpec[]): void {
  const actual = new Map(model.weights.map((weight) => [plainName(weight.name), weight.shape]));
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
