import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BitSource } from '../../../packages/dp/src/noise/bit-source.ts';
import { sharedMemory } from '../../../packages/dp/src/fused/kernel.ts';
import { createFastGaussian } from '../../../packages/dp/src/noise/fast-gaussian.ts';
import type { FastGaussian } from '../../../packages/dp/src/noise/fast-gaussian.ts';
import { rectangleTable, TAIL } from '../../../packages/dp/src/noise/rectangle-table.ts';
import type { RectangleTable } from '../../../packages/dp/src/noise/rectangle-table.ts';
import { ORACLE_BITS, oracleDensity } from './fast-oracle.ts';

const ONES = 0xffffffff;
const ONE = 1n << ORACLE_BITS;
const SIGN = 2 ** 31;

/** A source of the given words, after which only zeros come. */
function scripted(words: readonly number[]): { word(): number; fill(target: Uint32Array): void; used(): number } {
  let next = 0;
  const word = (): number => words[next++] ?? 0;
  return { word, fill: (target) => target.set(Array.from(target, word)), used: () => next };
}

/** One sample from the given words. */
function sample(gaussian: FastGaussian, words: readonly number[]): number {
  const out = new Float64Array(1);
  gaussian.fill(out, scripted(words));
  return out[0]!;
}

/** What the sampler does with a stream of words, told again in integers of 384 bits, with all bits of a point at once. */
function expected(table: RectangleTable, words: readonly number[]): number {
  const { scaleBits, cells, rectangles, boxes, heights, boxHeights, kappa } = table;
  const stream = [...words];
  const draw = (): number => stream.shift() ?? 0;
  const round = (y: bigint, negative: boolean): number => {
    const magnitude = Number((y << BigInt(scaleBits)) >> ORACLE_BITS);
    return negative ? -1 - magnitude : magnitude;
  };
  const first = draw();
  const more = scaleBits > 24 ? draw() & 63 : 0;
  const index = first % 8192;
  if (index < rectangles) {
    // The place in the cell: 18 bits of the word, then 6 of the byte.
    const place = (BigInt((first >>> 13) % 2 ** 18) << 6n) | BigInt(more);
    return round((BigInt(cells[index]!) << (ORACLE_BITS - 6n)) + (place << (ORACLE_BITS - 30n)), first >= SIGN);
  }
  for (;;) {
    const [lead, place] = [draw(), draw()];
    const i = boxes[lead % 8192]!;
    const tail = i === TAIL;
    let g = 0;
    if (tail) {
      let word = draw();
      for (; word === 0; word = draw()) g += 32;
      g += Math.clz32(word);
    }
    const width = ONE >> (tail ? 2n : 6n);
    // Further words belong to y and v in turn, but only where the known bits leave the comparison open: so the point is compared at every depth.
    let [y, v, depth] = [BigInt(place), BigInt((lead >>> 13) % 2 ** 18), 0n];
    const begin = (BigInt(i) << (ORACLE_BITS - 6n)) + (tail ? (BigInt(g) * ONE) / 4n : 0n);
    const floor = (BigInt(heights[i]!) << ORACLE_BITS) >> 8n;
    const height = (((BigInt(boxHeights[i]!) * BigInt(kappa)) << ORACLE_BITS) >> 40n) >> (tail ? BigInt(g + 5) : 0n);
    for (;;) {
      const at = (numerator: bigint): bigint => begin + ((numerator * width) >> (32n + 32n * depth));
      const above = (numerator: bigint): bigint => floor + ((numerator * height) >> (18n + 32n * depth));
      const verdict = compare({ negative: lead >= SIGN, ys: [at(y), at(y + 1n)], heights: [above(v), above(v + 1n)] }, scaleBits);
      if (verdict === true) return round(begin + ((BigInt(place) * width) >> 32n), lead >= SIGN);
      if (verdict === false) break;
      [y, v, depth] = [(y << 32n) | BigInt(draw()), (v << 32n) | BigInt(draw()), depth + 1n];
    }
  }
}

/** Whether a rectangle of points lies under the curve, above it, or across it. */
function compare(
  { negative, ys, heights }: { negative: boolean; ys: readonly [bigint, bigint]; heights: readonly [bigint, bigint] },
  scaleBits: number,
): boolean | undefined {
  const delta = ONE >> BigInt(scaleBits + 1);
  const curve = ys.map((y) => oracleDensity(negative ? y + delta : y - delta)).sort((a, b) => (a < b ? -1 : 1));
  if (heights[1] <= curve[0]!) return true;
  return heights[0] >= curve[1]! ? false : undefined;
}

const random = (seed: string): BitSource => new BitSource(unsafeDeterministicRandom(seed));

/** A word whose low bits are the case, the bits above it v's (or a place's), the highest the sign. */
const leadWord = (index: number, v: number, negative: boolean): number => (negative ? SIGN : 0) + v * 8192 + index;

/**
 * Streams of points that leave the comparison with the curve open as long as they can: v agrees with the boundary in its first bits, then in its first word, and so on, and ends
 * just below it or just above it, or never leaves it.
 */
function adversarialStreams(table: RectangleTable, seed: string, points: number): number[][] {
  const { scaleBits, boxes, heights, boxHeights, kappa } = table;
  const bits = random(seed);
  const deepest = 4;
  return Array.from({ length: points }, (_, n) => {
    const tail = n % 5 === 0;
    const index = tail ? boxes.indexOf(TAIL) : bits.word() % boxes.indexOf(TAIL);
    const i = boxes[index]!;
    const negative = bits.word() % 2 === 1;
    const g = tail ? n % 4 : 0;
    const places = Array.from({ length: deepest + 1 }, () => bits.word());
    const width = ONE >> (tail ? 2n : 6n);
    const place = places.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
    const y = (BigInt(i) << (ORACLE_BITS - 6n)) + (BigInt(g) * ONE) / 4n + ((place * width) >> BigInt(32 * places.length));
    const delta = ONE >> BigInt(scaleBits + 1);
    const above = oracleDensity(negative ? y + delta : y - delta) - ((BigInt(heights[i]!) << ORACLE_BITS) >> 8n);
    const height = (((BigInt(boxHeights[i]!) * BigInt(kappa)) << ORACLE_BITS) >> 40n) >> (tail ? BigInt(g + 5) : 0n);
    // The boundary's digits: 18 bits, then words.
    const boundary = (above << BigInt(18 + 32 * deepest)) / height;
    const digit = (d: number): number => Number((boundary >> BigInt(32 * (deepest - d))) & (d === 0 ? 0x3ffffn : 0xffffffffn));
    const streams: number[][] = [];
    for (let depth = 0; depth <= deepest; depth++) {
      for (const step of [-1, 0, 1]) {
        const last = digit(depth) + step;
        if (last < 0 || last > (depth === 0 ? 0x3ffff : ONES)) continue;
        for (const rest of [0, ONES]) {
          const vs = Array.from({ length: deepest + 1 }, (__, d) => (d < depth ? digit(d) : d === depth ? last : rest));
          const words = [
            leadWord(8191, 0, false),
            ...(scaleBits > 24 ? [77] : []),
            leadWord(index, vs[0]!, negative),
            places[0]!,
          ];
          if (tail) words.push(2 ** (31 - g));
          for (let d = 1; d <= deepest; d++) words.push(places[d]!, vs[d]!);
          // What is tried after a rejection is accepted.
          streams.push([...words, 3, 1, 4, 1, 5, 9, 2, 6, 5]);
        }
      }
    }
    return streams;
  }).flat();
}

/**
 * Streams of points where the curve crosses a corner of what the first words leave open: v is at one end of its interval, and y's further words decide.
 */
function cornerStreams(table: RectangleTable, seed: string, points: number): number[][] {
  const { scaleBits, boxes, heights, boxHeights, kappa } = table;
  const bits = random(seed);
  const lead = [leadWord(8191, 0, false), ...(scaleBits > 24 ? [77] : [])];
  const streams: number[][] = [];
  while (streams.length < 8 * points) {
    const index = bits.word() % boxes.indexOf(TAIL);
    const i = boxes[index]!;
    const negative = bits.word() % 2 === 1;
    const v = bits.word() % 2 ** 18;
    const floor = (BigInt(heights[i]!) << ORACLE_BITS) >> 8n;
    const height = floor + (((BigInt(boxHeights[i]!) * BigInt(kappa) * BigInt(v)) << ORACLE_BITS) >> 58n);
    const delta = ONE >> BigInt(scaleBits + 1);
    const cell = BigInt(i) << (ORACLE_BITS - 6n);
    const under = (place: bigint): boolean => {
      const y = cell + (place << (ORACLE_BITS - 70n));
      return height < oracleDensity(negative ? y + delta : y - delta);
    };
    // The place, in 64 bits, where the curve is as high as v·η: it falls, except before the middle.
    let [low, high] = [i === 0 ? 1n << 63n : 0n, 1n << 64n];
    if (!under(low) || under(high)) continue;
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      if (under(middle)) low = middle;
      else high = middle;
    }
    const [place, next] = [Number(low >> 32n), Number(low & 0xffffffffn)];
    for (const [at, rest] of [
      [v, 0],
      [v - 1, ONES],
    ] as const) {
      if (at < 0) continue;
      for (const y of [0, Math.max(0, next - 1), Math.min(ONES, next + 2), ONES])
        streams.push([
          ...lead,
          leadWord(index, at, negative),
          place,
          y,
          rest,
          ONES - y,
          rest,
          1,
          rest,
          3,
          1,
          4,
          1,
          5,
          9,
          2,
          6,
          5,
        ]);
    }
  }
  return streams;
}

/** How many streams give another sample than they should; a table may claim to be another one. */
function mistakes(
  table: RectangleTable,
  streams: readonly number[][],
  backend: 'auto' | 'javascript' = 'auto',
  truth: RectangleTable = table,
): number {
  const gaussian = createFastGaussian(table.scaleBits, { backend, table });
  const differs = (words: readonly number[]): boolean => {
    try {
      return sample(gaussian, words) !== expected(truth, words);
    } catch {
      return true;
    }
  };
  return streams.filter(differs).length;
}

describe('fast Gaussian against the same told in integers', () => {
  it.each([0, 1, 5, 6, 16, 24, 25, 27, 30])('makes samples of random words as it should at k = %d', (scaleBits) => {
    const table = rectangleTable(scaleBits);
    const bits = random(`words ${scaleBits}`);
    const streams = Array.from({ length: 400 }, (_, n) => {
      const words = Array.from({ length: 24 }, () => bits.word());
      // Half of them are left over by the rectangles, and some lie in the tail.
      if (n % 2 === 1) words[0] = (words[0]! | 8191) >>> 0;
      const lead = scaleBits > 24 ? 2 : 1;
      if (n % 8 === 3) words[lead] = (words[lead]! | 8191) >>> 0;
      return words;
    });
    expect(mistakes(table, streams)).toBe(0);
    expect(mistakes(table, streams, 'javascript')).toBe(0);
  });

  it.each([0, 6, 24, 30])('decides points at the curve as it should at k = %d', (scaleBits) => {
    const table = rectangleTable(scaleBits);
    const streams = adversarialStreams(table, `curve ${scaleBits}`, 12);
    expect(streams.length).toBeGreaterThan(300);
    expect(mistakes(table, streams)).toBe(0);
    expect(mistakes(table, streams.slice(0, 200), 'javascript')).toBe(0);
    expect(mistakes(table, cornerStreams(table, `corner ${scaleBits}`, 12))).toBe(0);
    // Both verdicts occur.
    const accepted = streams.filter(
      (words) => Math.abs(sample(createFastGaussianOnce(table), words)) > 2 ** scaleBits / 64,
    ).length;
    expect(accepted).toBeGreaterThan(streams.length / 4);
    expect(accepted).toBeLessThan((3 * streams.length) / 4 + streams.length / 8);
  });

  it('is caught where a rectangle or a box is a unit off', () => {
    const table = rectangleTable(24);
    const streams = adversarialStreams(table, 'units', 20);
    const higher = { ...table, heights: table.heights.map((n, i) => (i === 0 ? n : n + 1)) };
    expect(mistakes(higher, streams, 'auto', table)).toBeGreaterThan(streams.length / 20);
    const wider = { ...table, kappa: table.kappa + 2 ** 14 };
    expect(mistakes(wider, streams, 'auto', table)).toBeGreaterThan(0);
  });

  it('holds far out in the tail, where doubles do not reach', () => {
    const table = rectangleTable(24);
    const index = table.boxes.indexOf(TAIL);
    // g = 30, 70: y = 11.5 and 21.5. Boxes there are much higher than the curve, so v must be nearly 0.
    for (const g of [27, 30, 70]) {
      const zeros = [...Array.from({ length: Math.floor(g / 32) }, () => 0), 2 ** (31 - (g % 32))];
      for (const v of [0, 1]) {
        const words = [8191, leadWord(index, v, false), 123456789, ...zeros, ...Array.from({ length: 24 }, () => 0), 1, 7, 7, 7];
        const z = sample(createFastGaussianOnce(table), words);
        expect(z).toBe(expected(table, words));
        if (v === 0) expect(z / 2 ** 24).toBeCloseTo(255 / 64 + g / 4 + 123456789 / 2 ** 34, 5);
      }
    }
  });

  it('refuses to go on where only a broken source leads', () => {
    const table = rectangleTable(26);
    const index = table.boxes.indexOf(TAIL);
    const broken = /random source gave 2048 bits that no fair one gives; it is broken/;
    // 116 quarters beyond 3.98: 32.98 standard deviations, which 32-bit integers do not hold.
    const far = [8191, 0, leadWord(index, 0, false), 5, 0, 0, 0, 2 ** 11, ...Array.from({ length: 60 }, () => 0)];
    expect(() => createFastGaussian(26, { table }).fill(new Int32Array(1), scripted(far))).toThrow(broken);
    expect(sample(createFastGaussian(26, { table }), far) / 2 ** 26).toBeCloseTo(255 / 64 + 116 / 4, 3);
    // Nothing but zeros where the tail is divided, and one point for ever.
    expect(() => sample(createFastGaussian(24), [8191, leadWord(index, 0, false), 5])).toThrow(broken);
    const repeated = leadWord(index, 2 ** 18 - 1, true);
    const source = { word: () => repeated, fill: (target: Uint32Array) => target.fill(repeated) };
    expect(() => createFastGaussian(24).fill(new Float64Array(1), source)).toThrow(broken);
  });

  it('never returns a negative zero', () => {
    for (const backend of ['auto', 'javascript'] as const) {
      const gaussian = createFastGaussian(0, { backend });
      expect(Object.is(sample(gaussian, [0]), 0)).toBe(true);
      expect(Object.is(sample(gaussian, [SIGN]), -1)).toBe(true);
      // The same by the second stage.
      expect(Object.is(sample(gaussian, [8191, 0, 0]), 0)).toBe(true);
    }
  });
});

const made = new Map<RectangleTable, FastGaussian>();
/** A sampler for a table, made once. */
function createFastGaussianOnce(table: RectangleTable): FastGaussian {
  const known = made.get(table) ?? createFastGaussian(table.scaleBits, { table });
  made.set(table, known);
  return known;
}

describe('fast Gaussian streams', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('do not depend on the size of the pool', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 9000 }),
        fc.constantFrom(0, 20, 24, 28),
        (pool, count, scaleBits) => {
          const gaussian = createFastGaussian(scaleBits);
          const [a, b] = [new Float64Array(count), new Float64Array(count)];
          gaussian.fill(a, new BitSource(unsafeDeterministicRandom('pools')));
          gaussian.fill(b, new BitSource(unsafeDeterministicRandom('pools'), pool));
          expect(b).toEqual(a);
        },
      ),
      { seed: 1, numRuns: 12 },
    );
  });

  it.each([0, 5, 13, 24, 25, 26, 28, 30])(
    'are equal in WebAssembly and JavaScript, as integers and doubles, at k = %d',
    (scaleBits) => {
      const [vector, plain] = [createFastGaussian(scaleBits), createFastGaussian(scaleBits, { backend: 'javascript' })];
      expect(vector.backend).toBe('wasm');
      expect(plain.backend).toBe('javascript');
      for (const count of [1, 2, 3, 7, 8, 9, 63, 8191, 8192, 8193, 40_000]) {
        const runs = [vector, plain].flatMap((gaussian) =>
          [new Float64Array(count), ...(scaleBits <= 26 ? [new Int32Array(count)] : [])].map((out) => {
            const source = random(`backends ${count}`);
            gaussian.fill(out, source);
            // Also how many words were drawn.
            return { samples: Float64Array.from(out), next: source.word() };
          }),
        );
        for (const run of runs) expect(run).toEqual(runs[0]);
      }
    },
  );

  it('fit 32-bit integers up to k = 26 only', () => {
    expect(() => createFastGaussian(27).fill(new Int32Array(4), random('wide'))).toThrow(
      /target is an Int32Array, which noise of 2\^27 units does not fit; up to 2\^26 it does/,
    );
  });

  it('fill memory that threads share', () => {
    const shared = new Int32Array(new SharedArrayBuffer(40_000));
    const own = new Int32Array(10_000);
    for (const target of [shared, own]) createFastGaussian(24).fill(target, random('shared'));
    expect([...shared]).toEqual([...own]);
  });

  it.each([0, 6, 20, 24, 25, 26])(
    'are the same where they are made in shared memory at k = %d, and touch nothing else there',
    (scaleBits) => {
      const shared = sharedMemory(3)!;
      const all = new Int32Array(shared.buffer);
      const [direct, plain] = [createFastGaussian(scaleBits, { shared }), createFastGaussian(scaleBits)];
      // Whole turns of the loops are made there; others, doubles and other memory are copied.
      for (const [begin, count] of [
        [0, 8],
        [5, 8192],
        [1, 40],
        [3, 9000],
        [11, 8192 + 4096],
        [2, 17],
        [7, 9003],
      ] as const) {
        const expected = new Int32Array(count);
        const [a, b] = [random(`shared ${count}`), random(`shared ${count}`)];
        plain.fill(expected, a);
        all.fill(77);
        const target = all.subarray(begin, begin + count);
        direct.fill(target, b);
        expect([...target]).toEqual([...expected]);
        expect(b.word()).toBe(a.word());
        expect(all.subarray(0, begin).every((value) => value === 77)).toBe(true);
        expect(all.subarray(begin + count).every((value) => value === 77)).toBe(true);
        for (const other of [
          new Float64Array(shared.buffer, 64, 16),
          new Int32Array(16),
          new Int32Array(new SharedArrayBuffer(64)),
        ]) {
          direct.fill(other, random('other'));
          const own = new Float64Array(16);
          plain.fill(own, random('other'));
          expect([...other]).toEqual([...own]);
        }
      }
    },
  );

  it('come from a copy where the host has no modules of two memories', () => {
    const { Module, Instance } = WebAssembly;
    const modules: number[] = [];
    vi.stubGlobal('WebAssembly', {
      ...{ Instance, Memory: WebAssembly.Memory },
      Module: function oneMemory(bytes: Uint8Array<ArrayBuffer>) {
        modules.push(bytes.length);
        if (modules.length > 1) throw new WebAssembly.CompileError('multiple memories are not allowed');
        return new Module(bytes);
      },
    });
    const shared = sharedMemory(1)!;
    const gaussian = createFastGaussian(24, { shared });
    expect([gaussian.backend, modules.length]).toEqual(['wasm', 2]);
    vi.unstubAllGlobals();
    const [target, own] = [new Int32Array(shared.buffer, 0, 800), new Int32Array(800)];
    gaussian.fill(target, random('one memory'));
    createFastGaussian(24).fill(own, random('one memory'));
    expect([...target]).toEqual([...own]);
  });

  it('come from JavaScript where the host has no WebAssembly or forbids it', () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(createFastGaussian(24).backend).toBe('javascript');
    const Module = vi.fn<() => object>(function refuse() {
      throw new Error('refused by the content security policy');
    });
    vi.stubGlobal('WebAssembly', { Module });
    expect(createFastGaussian(24).backend).toBe('javascript');
    expect(Module).toHaveBeenCalledOnce();
  });

  it.each([24, 30])('leave no noise behind in the memory of the kernel at k = %d, also where the source fails', (scaleBits) => {
    const shared = sharedMemory(1)!;
    const integers = scaleBits <= 26 ? [new Int32Array(10_000), new Int32Array(shared.buffer, 0, 10_000)] : [];
    for (const target of [new Float64Array(10_000), ...integers]) {
      for (const failAt of [Infinity, 4]) {
        const seen: Uint32Array[] = [];
        const bits = random('wiped');
        const source = {
          word: () => bits.word(),
          fill: (words: Uint32Array<ArrayBuffer>) => {
            seen.push(words);
            if (seen.length === failAt) throw new Error('no entropy');
            bits.fill(words);
          },
        };
        const gaussian = createFastGaussian(scaleBits, { shared });
        if (failAt === Infinity) gaussian.fill(target, source);
        else expect(() => gaussian.fill(target, source)).toThrow('no entropy');
        expect(seen.length).toBeGreaterThan(3);
        expect(seen.every((words) => words.every((word) => word === 0))).toBe(true);
        // Words, samples and positions lie behind the table in one memory.
        const { buffer, byteOffset } = seen[0]!;
        expect(byteOffset).toBe(2 * 8192 + 16 * 256 + 8 * 384);
        expect(new Uint8Array(buffer, byteOffset).every((byte) => byte === 0)).toBe(true);
      }
    }
  });

  it('hand out words in bulk as one by one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 70 }),
        (lengths, pool) => {
          const bulk = new BitSource(unsafeDeterministicRandom('bulk'), pool);
          const single = new BitSource(unsafeDeterministicRandom('bulk'), pool);
          for (const length of lengths) {
            const words = new Uint32Array(length);
            bulk.fill(words);
            expect([...words, bulk.word()]).toEqual(Array.from({ length: length + 1 }, () => single.word()));
          }
        },
      ),
      { seed: 2, numRuns: 40 },
    );
  });

  it('are wiped from the pool as they are handed out', () => {
    const pools: Uint8Array[] = [];
    const bits = new BitSource({
      fill(target) {
        pools.push(target);
        target.fill(1);
      },
    });
    bits.word();
    bits.fill(new Uint32Array(20));
    expect(pools).toHaveLength(1);
    const words = new Uint32Array(pools[0]!.buffer);
    expect(words.findIndex((word) => word !== 0)).toBe(21);
    bits.wipe();
    expect(words.every((word) => word === 0)).toBe(true);
  });
});
