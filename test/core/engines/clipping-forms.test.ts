/** Every clipping rule in both forms on the engines that run here without a device. */
import { describe } from 'vitest';
import { engines } from '../ops/support.ts';
import { clipsInBothForms } from './clipping-forms.ts';

describe.each(engines)('$name', (engine) => {
  const isExact = engine.name === 'reference';
  clipsInBothForms(() => engine, isExact ? 1e-10 : 1e-5, isExact ? 1e-10 : 1e-4);
});
