/** The conformance suite on ONNX Runtime's WebGPU provider, on a graphics processor in software. */
import { onnxEngine } from '@sotto/core/onnx';
import { describe } from 'vitest';
import { conformsToOps } from '../ops/conformance.ts';
import { fewPlaceCases, operationsKeepPlaces } from '../ops/places.ts';
import { clipsInBothForms } from './clipping-forms.ts';
import { conformsToMemory } from './device-memory.ts';
import { conformsToLayers } from './layers.ts';
import { trainsOnDevice } from './resident.ts';
import { softwareGpu } from './software-gpu.ts';

const missing = softwareGpu();

// Skipped where SwiftShader is not installed; with CI=true softwareGpu has thrown already.
describe.skipIf(missing !== undefined)(`onnx (webgpu)${missing === undefined ? '' : `: ${missing}`}`, () => {
  conformsToOps(onnxEngine({ provider: 'webgpu' }), 1e-4);
  conformsToMemory(() => onnxEngine({ provider: 'webgpu' }));
  // Nodes without a kernel on the device are refused, so that nothing moves but what the memory itself counts.
  trainsOnDevice(() => onnxEngine({ provider: 'webgpu' }), true);
  conformsToLayers(() => onnxEngine({ provider: 'webgpu' }), true);
  clipsInBothForms(() => onnxEngine({ provider: 'webgpu' }), 1e-4, 1e-4, true);
  operationsKeepPlaces(() => onnxEngine({ provider: 'webgpu' }), [5, 25], fewPlaceCases);
});
