/** Privacy on the CPU provider: an example's numbers do not depend on its place in the run. */
import { onnxEngine } from '@sotto/core/onnx';
import { describe } from 'vitest';
import { layersKeepPlaces } from '../engines/layer-places.ts';
import { operationsKeepPlaces } from '../ops/places.ts';

const engine = onnxEngine();

describe('onnx (cpu)', () => {
  describe('operations', () => {
    operationsKeepPlaces(() => engine);
  });
  describe('layers', () => {
    layersKeepPlaces(() => engine, [5, 25, 32]);
  });
});
