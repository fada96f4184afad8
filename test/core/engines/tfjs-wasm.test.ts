/** The conformance suite on TensorFlow.js's WebAssembly backend. */
import { tfjsEngine } from '@sotto/core/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { setBackend } from '@tensorflow/tfjs-core';
import { describe } from 'vitest';
import { conformsToOps } from '../ops/conformance.ts';
import { operationsKeepPlaces } from '../ops/places.ts';
import { clipsInBothForms } from './clipping-forms.ts';
import { conformsToMemory } from './device-memory.ts';
import { layersKeepPlaces } from './layer-places.ts';
import { conformsToLayers } from './layers.ts';

await setBackend('wasm');

describe('tfjs (wasm)', () => {
  conformsToOps(tfjsEngine(), 1e-4);
  conformsToMemory(tfjsEngine);
  conformsToLayers(tfjsEngine);
  clipsInBothForms(tfjsEngine, 1e-5, 1e-4);
  operationsKeepPlaces(tfjsEngine, [5, 25, 32]);
  layersKeepPlaces(tfjsEngine, [5, 25]);
});
