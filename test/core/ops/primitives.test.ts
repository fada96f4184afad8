/** The rules of the primitives that `Ops` has methods for. */
import { describe } from 'vitest';
import { namedPrimitives } from '../../../packages/core/src/ops/primitives/index.ts';
import { keepsItsRules } from './primitive-rules.ts';

describe.each(namedPrimitives.map((primitive) => ({ name: primitive.name, primitive })))('$name', ({ primitive }) => {
  keepsItsRules(primitive);
});
