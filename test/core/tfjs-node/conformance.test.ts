/**
 * The conformance suite on TensorFlow's own kernels, through @tensorflow/tfjs-node. Its binding is built by `scripts/tfjs-node-from-wheel.mjs` into a folder outside
 * the repository; where `SOTTO_TFJS_NODE` names that folder, as the heavy job of `.ci/run` does, its absence is an error.
 */
import { tfjsEngine, loadTfjsNode } from '@sotto/core/tfjs';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { defaultFolder } from '../../../scripts/lib/tfjs-node-folder.mjs';
import { clipsInBothForms } from '../engines/clipping-forms.ts';
import { conformsToMemory } from '../engines/device-memory.ts';
import { layersKeepPlaces } from '../engines/layer-places.ts';
import { conformsToLayers } from '../engines/layers.ts';
import { trainsOnDevice } from '../engines/resident.ts';
import { conformsToOps } from '../ops/conformance.ts';
import { operationsKeepPlaces } from '../ops/places.ts';

const folder = defaultFolder();
const required = process.env['SOTTO_TFJS_NODE'] !== undefined;
const CORE = 'node_modules/@tensorflow/tfjs-core';
/** The folder shares TensorFlow.js's modules with the checkout that built it. */
const isOurs = (): boolean =>
  existsSync(join(folder, '.binding.done')) &&
  existsSync(join(folder, CORE)) &&
  realpathSync(join(folder, CORE)) === realpathSync(join(import.meta.dirname, '../../..', CORE));
const built = required || isOurs();
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
const version = built ? await loadTfjsNode({ folder }) : undefined;
const engine = built ? tfjsEngine() : undefined;
/** Sizes in which places are promised; in others training is refused where the model's own check fails. */
const multiple = engine?.runMultiple ?? 1;

// Skipped where the binding was not built: it takes 0.6 GB of libraries, and the heavy job of .ci/run builds it and runs this file.
describe.skipIf(!built)(
  `tfjs (tensorflow)${built ? '' : ': not built for this checkout; run scripts/tfjs-node-from-wheel.mjs'}`,
  () => {
    it('is the native library', () => {
      expect(version).toMatch(/^\d+\.\d+\.\d+/);
      expect(engine!.name).toBe('tfjs (tensorflow)');
      expect(multiple).toBe(48);
    });

    conformsToOps(engine!, 1e-4);
    conformsToMemory(() => engine!);
    trainsOnDevice(() => engine!);
    conformsToLayers(() => engine!);
    clipsInBothForms(() => engine!, 1e-5, 1e-4);
    operationsKeepPlaces(() => engine!, [multiple, 2 * multiple]);
    layersKeepPlaces(() => engine!, [multiple, 2 * multiple]);
  },
);
