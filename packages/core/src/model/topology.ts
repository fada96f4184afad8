/**
 * Reading the serialised topology of a `tf.LayersModel`: a flat list of layers with what each reads. Models within models are dissolved into
 * their layers.
 *
 * @module
 */
import { SottoError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { LayerConfig, LayersModelLike, Topology } from './types.ts';

/** A layer with the values that it reads. A value's key is `<path>:<tensor>`: every layer is called once, and tfjs counts the calls of
 * models within models in a way of its own. */
export interface FlatLayer {
  /** Names of the models around the layer and its own, joined by `/`. */
  readonly path: string;
  readonly className: string;
  readonly config: LayerConfig;
  /** One list of values for each call of the layer. */
  readonly calls: readonly (readonly string[])[];
  /** Whether the layer, or a model around it, is marked as not trainable. */
  readonly frozen: boolean;
}

/** A model as a list of layers. */
export interface FlatModel {
  readonly inputs: readonly { readonly name: string; readonly value: string; readonly config: LayerConfig }[];
  readonly layers: readonly FlatLayer[];
  readonly outputs: readonly { readonly name: string; readonly value: string }[];
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

/**
 * The topology of a model, whatever form it was given in. That of a model itself says which layers are frozen, also where tfjs keeps that to itself, as
 * for models within models: so the topology alone gives the same graph.
 */
export function topologyOf(model: LayersModelLike | Topology): Topology {
  if (!('toJSON' in model)) return unwrap(object(model, 'the topology'));
  const topology = unwrap(object(model.toJSON(null, false), 'the topology'));
  if (model.trainableWeights === undefined) return topology;
  const trainable = new Set(model.trainableWeights.map(({ name }) => name));
  /** For each layer, whether some of its weights are trainable, and whether some are not. */
  const layers = new Map<string, { some: boolean }>();
  for (const { name } of model.weights) {
    const layer = name.slice(0, name.lastIndexOf('/'));
    const known = layers.get(layer);
    layers.set(layer, { some: (known?.some ?? false) || trainable.has(name) });
  }
  return mapLayers(topology, (path, layer) => {
    const own = path.slice(path.lastIndexOf('/') + 1);
    if (layers.get(own)?.some === false) layer['config'] = { ...object(layer['config'], 'a layer’s config'), trainable: false };
  });
}

function unwrap(found: JsonObject): Topology {
  // model.json wraps it twice: {modelTopology: {model_config: {class_name, config}}}.
  const inner = found['modelTopology'] ?? found['model_config'];
  if (inner !== undefined) return unwrap(object(inner, 'the topology'));
  return { class_name: text(found['class_name'], 'class_name'), config: found['config'] };
}

/** A copy of a topology in which every layer that is no model may be changed, given its path. */
export function mapLayers(topology: Topology, change: (path: string, layer: Record<string, Json>) => void): Topology {
  const copy = JSON.parse(JSON.stringify(topology)) as Topology;
  const visit = ({ config }: Topology, prefix: string): void => {
    const items = list(Array.isArray(config) ? config : object(config, 'config')['layers'], 'layers');
    for (const item of items) {
      const layer = object(item, 'a layer') as Record<string, Json>;
      const { name, className, config: inner } = readLayer(layer, () => []);
      if (MODEL_CLASSES.has(className)) visit({ class_name: className, config: inner }, `${prefix}${name}/`);
      else change(prefix + name, layer);
    }
  };
  visit(copy, '');
  return copy;
}

const MODEL_CLASSES: ReadonlySet<string> = new Set(['Sequential', 'Model', 'Functional']);

/** A layer's name and which of its outputs. */
type Edge = readonly [name: string, tensor: number];

interface RawLayer {
  readonly name: string;
  readonly className: string;
  readonly values: JsonObject;
  /** What `config` holds for a model within the model, which older files write as a list. */
  readonly config: Json;
  readonly inbound: readonly (readonly Edge[])[];
}

function readLayer(value: Json, inbound: (layer: JsonObject) => RawLayer['inbound']): RawLayer {
  const layer = object(value, 'a layer');
  const className = text(layer['class_name'], 'class_name');
  const config = layer['config'] ?? {};
  const values = Array.isArray(config) ? {} : object(config, 'a layer’s config');
  const name = text(values['name'] ?? layer['name'], 'a layer’s name');
  return { name, className, values, config, inbound: inbound(layer) };
}

/** The layers of one model, not yet dissolved, with the names of its inputs and its outputs. */
interface RawModel {
  readonly layers: readonly RawLayer[];
  readonly inputs: readonly string[];
  readonly outputs: readonly Edge[];
}

/** Where the shape of a Sequential's input is written: in its first layer, or in that of the model that is its first layer. */
function inputValues(layer: RawLayer): JsonObject {
  if (!MODEL_CLASSES.has(layer.className)) return layer.values;
  const inner = readModel({ class_name: layer.className, config: layer.config });
  const first = inner.layers.find(({ name }) => name === inner.inputs[0]);
  return first === undefined ? {} : first.values;
}

function readSequential(topology: Topology): RawModel {
  const items = list(Array.isArray(topology.config) ? topology.config : object(topology.config, 'config')['layers'], 'layers');
  const layers: RawLayer[] = [];
  for (const item of items) {
    const layer = readLayer(item, () => []);
    if (layers.length === 0) {
      if (layer.className === 'InputLayer') {
        layers.push(layer);
        continue;
      }
      const values = inputValues(layer);
      layers.push({ name: `${layer.name}_input`, className: 'InputLayer', values, config: null, inbound: [] });
    }
    layers.push({ ...layer, inbound: [[[layers.at(-1)!.name, 0]]] });
  }
  const last = layers.at(-1);
  if (last === undefined) return fail('it has no layers; add some');
  return { layers, inputs: [layers[0]!.name], outputs: [[last.name, 0]] };
}

function readEdge(edge: Json): Edge {
  const [name, , tensor] = list(edge, 'an edge');
  return [text(name, 'a layer’s name'), Number(tensor ?? 0)];
}

function readModel(topology: Topology): RawModel {
  if (topology.class_name === 'Sequential') return readSequential(topology);
  if (!MODEL_CLASSES.has(topology.class_name)) {
    throw new SottoError('unsupported', `model: class ${topology.class_name} is not known; use tf.sequential or tf.model`);
  }
  const config = object(topology.config, 'config');
  const layers = list(config['layers'], 'layers').map((item) =>
    readLayer(item, (layer) =>
      list(layer['inbound_nodes'], 'inbound_nodes').map((call) => list(call, 'an inbound node').map(readEdge)),
    ),
  );
  const ends = (key: string): Edge[] => list(config[key], key).map(readEdge);
  return { layers, inputs: ends('input_layers').map(([name]) => name), outputs: ends('output_layers') };
}

/** The layers of a model in the order of the file, models within it dissolved. */
export function flattenModel(topology: Topology): FlatModel {
  const layers: FlatLayer[] = [];
  /** Values that are other values: inputs and outputs of models within the model. */
  const aliases = new Map<string, string>();
  const resolve = (value: string): string => {
    const target = aliases.get(value);
    return target === undefined ? value : resolve(target);
  };
  const visit = (model: RawModel, prefix: string, frozen: boolean, given: readonly string[] | undefined): void => {
    for (const layer of model.layers) {
      const path = prefix + layer.name;
      const stopped = frozen || layer.values['trainable'] === false;
      const calls = layer.inbound.map((call) => call.map(([name, tensor]) => `${prefix}${name}:${tensor}`));
      if (layer.className === 'InputLayer') {
        const bound = given?.[model.inputs.indexOf(layer.name)];
        if (bound !== undefined) aliases.set(`${path}:0`, bound);
      } else if (MODEL_CLASSES.has(layer.className)) {
        if (calls.length > 1) throw usedTwice(path, calls.length);
        const inner = readModel({ class_name: layer.className, config: layer.config });
        inner.outputs.forEach(([name, tensor], i) => aliases.set(`${path}:${i}`, `${path}/${name}:${tensor}`));
        visit(inner, `${path}/`, stopped, calls[0] ?? []);
      } else {
        const config = { layer: layer.name, values: layer.values };
        layers.push({ path, className: layer.className, config, calls, frozen: stopped });
      }
    }
  };
  const outer = readModel(topology);
  visit(outer, '', false, undefined);
  const named = new Map(outer.layers.map((layer) => [layer.name, layer]));
  return {
    inputs: outer.inputs.map((name) => {
      const layer = named.get(name) ?? fail(`input ${name} is not a layer`);
      return { name, value: `${name}:0`, config: { layer: name, values: layer.values } };
    }),
    layers: layers.map((layer) => ({ ...layer, calls: layer.calls.map((call) => call.map(resolve)) })),
    outputs: outer.outputs.map(([name, tensor]) => ({ name, value: resolve(`${name}:${tensor}`) })),
  };
}

/** The error about weights that several calls share. */
export function usedTwice(path: string, count: number): SottoError {
  const why = `it is used ${count} times, and weights that are used twice are not implemented`;
  const cure = 'use one layer for each call';
  return new SottoError('unsupported', `layer ${path}: ${why}; ${cure}`, { details: { layer: path, why, cure } });
}
