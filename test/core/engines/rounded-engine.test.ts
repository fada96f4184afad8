/** The suites of the engines on an engine of one's own: what docs/engines.md shows runs here. */
import { describe } from 'vitest';
import { conformsToOps } from '../ops/conformance.ts';
import { operationsKeepPlaces } from '../ops/places.ts';
import { clipsInBothForms } from './clipping-forms.ts';
import { layersKeepPlaces } from './layer-places.ts';
import { conformsToLayers } from './layers.ts';
import { roundedEngine } from './rounded-engine.ts';

describe('an engine of one’s own', () => {
  conformsToOps(roundedEngine, 1e-5);
  conformsToLayers(() => roundedEngine, true);
  clipsInBothForms(() => roundedEngine, 1e-5, 1e-4, true);
  operationsKeepPlaces(() => roundedEngine, [5]);
  layersKeepPlaces(() => roundedEngine, [5]);
});
