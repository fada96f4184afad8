import type { RandomSource } from '@sotto/core/random';

/** A fast reproducible source for statistics (sfc32, seeded by FNV-1a of the text). Nothing secret comes from it. */
export function statisticalRandom(seed: string): RandomSource {
  let hash = 0x811c9dc5;
  for (const char of seed) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  let [a, b, c, counter] = [hash | 0, 0x9e3779b9 | 0, 0x243f6a88 | 0, 1];
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t;
  };
  for (let i = 0; i < 20; i++) next();
  return {
    fill(target) {
      if ((target.byteOffset & 3) === 0 && (target.length & 3) === 0) {
        const words = new Int32Array(target.buffer, target.byteOffset, target.length >> 2);
        for (let i = 0; i < words.length; i++) words[i] = next();
        return;
      }
      for (let i = 0, word = 0; i < target.length; i++) {
        if ((i & 3) === 0) word = next();
        target[i] = word >>> (8 * (i & 3));
      }
    },
  };
}

/** A source that hands out the given 32-bit words in order, then zeros. */
export function wordsRandom(words: readonly number[]): RandomSource {
  let at = 0;
  return {
    fill(target) {
      const view = new Uint32Array(target.buffer, target.byteOffset, target.length >> 2);
      for (let i = 0; i < view.length; i++) view[i] = words[at++] ?? 0;
    },
  };
}

/** A uniform number in (0, 1) with 32 bits. */
export function uniform(random: RandomSource): number {
  const word = new Uint32Array(1);
  random.fill(new Uint8Array(word.buffer));
  return (word[0]! + 0.5) / 2 ** 32;
}

/** Standard normals by Box and Muller: the plain method, independent of the library's inversion and of its exact sampler. */
export function boxMuller(random: RandomSource, count: number): Float64Array {
  const words = new Uint32Array(2 * Math.ceil(count / 2));
  random.fill(new Uint8Array(words.buffer));
  const out = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log((words[i]! + 0.5) / 2 ** 32));
    const angle = (2 * Math.PI * (words[i + 1]! + 0.5)) / 2 ** 32;
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}

/** ‖x‖ */
export function norm(x: Float64Array): number {
  return Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
}

/** Σ of the gradients, each brought to a norm of at most C; one with a NaN or infinity counts as zero. */
export function clippedSum(gradients: readonly Float64Array[], clipNorm: number, dimension: number): Float64Array {
  const sum = new Float64Array(dimension);
  for (const gradient of gradients) {
    const length = norm(gradient);
    if (!Number.isFinite(length)) continue;
    const factor = length > clipNorm ? clipNorm / length : 1;
    for (let j = 0; j < dimension; j++) sum[j] = sum[j]! + factor * gradient[j]!;
  }
  return sum;
}

/** The sum with independent normal noise of the given standard deviation in every coordinate. */
export function withNoise(sum: Float64Array, standardDeviation: number, random: RandomSource): Float64Array {
  const noise = boxMuller(random, sum.length);
  return sum.map((value, j) => value + standardDeviation * noise[j]!);
}

/** A gradient with one coordinate. */
export function dirac(dimension: number, coordinate: number, value: number): Float64Array {
  const gradient = new Float64Array(dimension);
  gradient[coordinate] = value;
  return gradient;
}
