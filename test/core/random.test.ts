import { describe, expect, it } from 'vitest';
import { randomBytes } from '@sotto/core/random';
import { systemRandom } from '@sotto/core/system-random';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';

describe('random sources', () => {
  it('fills any length, beyond what Web Crypto hands out at once', () => {
    const data = randomBytes(systemRandom, 200_000);
    const counts = new Array<number>(256).fill(0);
    for (const byte of data) counts[byte] = (counts[byte] ?? 0) + 1;
    // χ² with 255 degrees of freedom: mean 255, standard deviation 22.6; ten of them make a false alarm impossible.
    const expected = data.length / 256;
    const chi2 = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chi2).toBeLessThan(255 + 226);
    expect(data.subarray(-1000).every((byte) => byte === 0)).toBe(false);
  });

  it('the deterministic source gives one stream per seed, in whatever portions', () => {
    const whole = randomBytes(unsafeDeterministicRandom('a'), 10_000);
    const source = unsafeDeterministicRandom('a');
    const portions = [1, 4095, 4097, 1807].map((length) => randomBytes(source, length));
    expect(Buffer.concat(portions).equals(Buffer.from(whole))).toBe(true);
    expect(Buffer.from(randomBytes(unsafeDeterministicRandom('b'), 16))).not.toEqual(Buffer.from(whole.subarray(0, 16)));
  });
});
