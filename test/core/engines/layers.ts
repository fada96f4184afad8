/** Every kind of layer on an engine: losses, per-example gradients, norms and weighted sums in both forms, against the float64 loops. */
import type { Engine } from '@sotto/core/ops';
import { it } from 'vitest';
import { checkEngines } from '../../dp/training/support/gradients.ts';
import { layerCases } from '../../dp/training/support/layer-cases.ts';

/**
 * What a graphics processor in software computes in a few seconds each, because it compiles every shader anew: one case for each way in which layers use the
 * operations, which have been tested one by one.
 */
const FEW = [
  'activation gelu',
  'conv2d valid',
  'conv2d of one channel',
  'depthwise conv2d',
  'global max pooling 1d',
  'group normalisation of an image',
  'embedding with positions and attention',
  'residual block of images',
];

/** A machine with other work takes a minute for the shaders of one model. */
const TIMEOUT_MS = 240_000;

/** Runs the layer cases on an engine; `few` of them where each takes seconds, unless `SOTTO_ALL_LAYERS` is set. */
export function conformsToLayers(engine: () => Engine, few: boolean = false): void {
  const cases =
    few && process.env['SOTTO_ALL_LAYERS'] === undefined
      ? FEW.map((name) => layerCases.find((example) => example.name === name)!)
      : layerCases;
  it.each(cases)(
    'differentiates $name as the reference does',
    async (example) => {
      await checkEngines({ ...example, tolerance: Math.max(1e-4, example.tolerance ?? 0) }, [engine()]);
    },
    TIMEOUT_MS,
  );
}
