import { describe, expect, it } from 'vitest';
import { nearest } from '../../packages/cli/src/nearest.ts';

const commands = ['demo', 'verify', 'authority', 'coordinator', 'client', 'epsilon', 'delta', 'calibrate', 'curve', 'compare'];

describe('nearest', () => {
  it.each([
    ['dmeo', 'demo'],
    ['verfiy', 'verify'],
    ['coord', 'coordinator'],
    ['cal', 'calibrate'],
    ['epsilom', 'epsilon'],
  ])('takes %s for %s', (given, meant) => {
    expect(nearest(given, commands)).toBe(meant);
  });

  it.each(['xyzzy', 'c', 'help-me-please', ''])('has no guess for %j', (given) => {
    expect(nearest(given, commands)).toBeUndefined();
  });
});
