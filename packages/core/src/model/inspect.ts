/**
 * Looks at every layer of a model, past the first one that has no private gradient.
 *
 * @module
 */
import { SottoError } from '../errors.ts';
import type { Shape } from '../ops/ops.ts';
import { Compiler, inputShape } from './compile.ts';
import type { CompileOptions } from './compile.ts';
import { repairLayer } from './repair.ts';
import type { Repair } from './repair.ts';
import { flattenModel, topologyOf, usedTwice } from './topology.ts';
import type { FlatLayer } from './topology.ts';
import type { LayersModelLike, Topology } from './types.ts';

/** What was found out about a layer. */
export interface LayerInspection {
  readonly layer: FlatLayer;
  /** Numbers in its weights. */
  readonly parameters: number;
  /** Why it is refused, where it is. */
  readonly error: SottoError | undefined;
  /** What would let it pass, where that is known and was checked. */
  readonly repair: Repair | undefined;
  /** False where the shapes that it reads could not be found out, because they come from a layer that was refused. */
  readonly checked: boolean;
}

/** Inspects all layers, in an order in which values are known before they are read. */
export function inspectModel(model: LayersModelLike | Topology, options: CompileOptions = {}): readonly LayerInspection[] {
  const flat = flattenModel(topologyOf(model));
  const compiler = new Compiler(model, options);
  for (const { value, config } of flat.inputs) compiler.addInput(value, inputShape(config));
  const known = shapesOf(model);
  /** Values whose shapes are not known. */
  const unknown = new Set<string>();
  const found: LayerInspection[] = [];
  const pending = [...flat.layers];
  // One that is used several times is refused whatever it reads, perhaps its own output.
  const inputsOf = (layer: FlatLayer): readonly string[] => (layer.calls.length > 1 ? layer.calls[0]! : layer.calls.flat());
  for (;;) {
    const at = pending.findIndex((layer) => inputsOf(layer).every((value) => compiler.has(value) || unknown.has(value)));
    if (at < 0) break;
    const [layer] = pending.splice(at, 1) as [FlatLayer];
    const inspection = inputsOf(layer).some((value) => unknown.has(value))
      ? { layer, parameters: 0, error: undefined, repair: undefined, checked: false }
      : inspectLayer(compiler, layer);
    found.push(inspection);
    const output = `${layer.path}:0`;
    if (compiler.has(output)) continue;
    const shape = known.get(layer.path);
    if (shape === undefined) unknown.add(output);
    else compiler.define(output, shape);
  }
  for (const layer of pending) {
    const error = new SottoError(
      'invalid-argument',
      `layer ${layer.path} is not connected to the inputs; connect it or leave it out`,
      {
        details: { layer: layer.path, why: 'it is not connected to the inputs', cure: 'connect it or leave it out' },
      },
    );
    found.push({ layer, parameters: 0, error, repair: undefined, checked: true });
  }
  return found;
}

function inspectLayer(compiler: Compiler, layer: FlatLayer): LayerInspection {
  const attempt = (candidate: FlatLayer): number | SottoError => {
    try {
      if (candidate.calls.length > 1) return usedTwice(candidate.path, candidate.calls.length);
      return compiler.addLayer(candidate);
    } catch (error) {
      return SottoError.from(error);
    }
  };
  const inputShapes = (layer.calls[0] ?? []).map((value) => compiler.shapeOf(value));
  const first = attempt(layer);
  if (typeof first === 'number') return { layer, parameters: first, error: undefined, repair: undefined, checked: true };
  const repair = layer.calls.length > 1 ? undefined : repairLayer(layer, inputShapes);
  const second =
    repair === undefined
      ? first
      : attempt({ ...layer, className: repair.className, config: { layer: layer.config.layer, values: repair.values } });
  const helps = typeof second === 'number';
  return { layer, parameters: helps ? second : 0, error: first, repair: helps ? repair : undefined, checked: true };
}

/** Output shapes that the model itself knows, by layer name: those of a `tf.LayersModel`, none of a topology. */
function shapesOf(model: LayersModelLike | Topology): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const layer of ('layers' in model ? model.layers : undefined) ?? []) {
    const shape = outputShapeOf(layer);
    const sizes = Array.isArray(shape) ? shape.slice(1) : [];
    if (sizes.length > 0 && sizes.every((size): size is number => typeof size === 'number')) shapes.set(layer.name, sizes);
  }
  return shapes;
}

/** tfjs throws where a layer has several calls with shapes of their own, which it then has no one shape for. */
function outputShapeOf(layer: { readonly outputShape?: unknown }): unknown {
  try {
    return layer.outputShape;
  } catch {
    return undefined;
  }
}
