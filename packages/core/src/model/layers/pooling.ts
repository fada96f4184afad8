/**
 * Max, average and global pooling, over images and sequences.
 *
 * @module
 */
import type { Ops, Pool2dOptions, Shape } from '../../ops/ops.ts';
import { sizeOf } from '../../ops/shapes.ts';
import { integers, refuse } from '../config.ts';
import type { Forward, LayerConfig, LayerKind } from '../types.ts';
import { readWindow, requireChannelsLast, requireImage, slide } from './windows.ts';

type Pool = <T>(ops: Ops<T>, x: T, options: Pool2dOptions) => Forward<T>;

const maxPool: Pool = (ops, x, options) => {
  const y = ops.maxPool2d(x, options);
  return { output: y, backward: (g) => ({ inputs: [ops.maxPool2dGradient(x, y, g, options)], weights: [] }) };
};

/** Elements of the image, padding excluded, that each window covers. */
function coverage(input: Shape, size: readonly [number, number], options: Pool2dOptions): Float64Array {
  const [oh, ow] = slide('average pooling', input, size, options);
  const along = (count: number, axis: 0 | 1): number[] =>
    Array.from({ length: count }, (_, o) => {
      let covered = 0;
      for (let k = 0; k < size[axis]; k++) {
        const at = o * options.strides[axis] - options.pads[axis] + k;
        if (at >= 0 && at < input[1 + axis]!) covered++;
      }
      return covered;
    });
  const columns = along(ow, 1);
  return Float64Array.from(along(oh, 0).flatMap((rows) => columns.map((count) => rows * count)));
}

const averagePool: Pool = (ops, x, options) => {
  const shape = ops.shapeOf(x);
  const input = shape.slice(1);
  const c = input[0]!;
  const [oh, ow] = slide('average pooling', input, options.size, options);
  const ones = ops.constant(new Float64Array(c * sizeOf(options.size)).fill(1), [c, 1, ...options.size]);
  const weights = ops.constant(
    coverage(input, options.size, options).map((count) => 1 / count),
    [1, 1, oh, ow],
  );
  const conv = { strides: options.strides, pads: options.pads, dilations: options.dilations, groups: c };
  return {
    output: ops.mul(ops.conv2d(x, ones, conv), weights),
    backward: (g) => ({ inputs: [ops.conv2dInputGradient(ops.mul(g, weights), ones, shape, conv)], weights: [] }),
  };
};

function pooling2d(className: string, pool: Pool): LayerKind {
  return {
    className,
    layout: 'first',
    build(config, [image]) {
      requireChannelsLast(config);
      const input = requireImage(config, image);
      const size = integers(config, 'pool_size', 2, 1, [2, 2]) as [number, number];
      const window = readWindow(config, input, size, size);
      return {
        outputShape: [input[0]!, ...slide(className, input, size, window)],
        weights: [],
        forward: (ops, [x]) => pool(ops, x!, { ...window, size }),
      };
    },
  };
}

function requireSequence(config: LayerConfig, input: Shape | undefined): [number, number] {
  if (input?.length !== 2) throw refuse(config, 'its input is not a sequence', 'give it inputs [steps, channels]');
  return input as [number, number];
}

function pooling1d(className: string, pool: Pool): LayerKind {
  return {
    className,
    build(config, [input]) {
      const [steps, channels] = requireSequence(config, input);
      const [size] = integers(config, 'pool_size', 1, 1, [2]) as [number];
      const [stride] = integers(config, 'strides', 1, 1, [size]) as [number];
      // A sequence is an image of one column: [channels, steps, 1].
      const image: Shape = [channels, steps, 1];
      const window = readWindow({ ...config, values: { ...config.values, strides: [stride, 1] } }, image, [size, 1], [size, 1]);
      const options: Pool2dOptions = { ...window, size: [size, 1] };
      const [count] = slide(className, image, [size, 1], window);
      return {
        outputShape: [count, channels],
        weights: [],
        forward<T>(ops: Ops<T>, [x]: readonly T[]): Forward<T> {
          const n = ops.shapeOf(x!)[0]!;
          const toImage = (t: T, length: number) => ops.reshape(ops.transpose(t, [0, 2, 1]), [n, channels, length, 1]);
          const toSequence = (t: T, length: number) => ops.transpose(ops.reshape(t, [n, channels, length]), [0, 2, 1]);
          const inner = pool(ops, toImage(x!, steps), options);
          return {
            output: toSequence(inner.output, count),
            backward: (g) => ({ inputs: [toSequence(inner.backward(toImage(g, count), [true]).inputs[0]!, steps)], weights: [] }),
          };
        },
      };
    },
  };
}

/** Pooling over all positions: the whole of each channel. */
function globalPooling(className: string, rank: 2 | 3, kind: 'max' | 'average'): LayerKind {
  return {
    className,
    layout: rank === 3 ? 'first' : 'last',
    build(config, [input]) {
      requireChannelsLast(config);
      const shape = rank === 3 ? requireImage(config, input) : requireSequence(config, input);
      const channels = rank === 3 ? shape[0]! : shape[1]!;
      const positions = sizeOf(shape) / channels;
      const axis = rank === 3 ? 2 : 1;
      return {
        outputShape: [channels],
        weights: [],
        forward<T>(ops: Ops<T>, [x]: readonly T[]): Forward<T> {
          const n = ops.shapeOf(x!)[0]!;
          const flat = ops.reshape(x!, rank === 3 ? [n, channels, positions] : [n, positions, channels]);
          const back = (g: T) => ops.reshape(g, rank === 3 ? [n, channels, 1] : [n, 1, channels]);
          if (kind === 'average') {
            const scale = ops.constant([1 / positions], []);
            return {
              output: ops.reshape(ops.mul(ops.sum(flat, [axis]), scale), [n, channels]),
              backward: (g) => ({
                inputs: [ops.reshape(ops.broadcastTo(ops.mul(back(g), scale), ops.shapeOf(flat)), ops.shapeOf(x!))],
                weights: [],
              }),
            };
          }
          const most = ops.max(flat, [axis]);
          return {
            output: ops.reshape(most, [n, channels]),
            backward(g) {
              // Equal maxima share the gradient evenly, which is a subgradient.
              const hits = ops.equal(flat, most);
              const share = ops.div(back(g), ops.sum(hits, [axis]));
              return { inputs: [ops.reshape(ops.mul(hits, share), ops.shapeOf(x!))], weights: [] };
            },
          };
        },
      };
    },
  };
}

export const poolingKinds: readonly LayerKind[] = [
  pooling2d('MaxPooling2D', maxPool),
  pooling2d('AveragePooling2D', averagePool),
  pooling1d('MaxPooling1D', maxPool),
  pooling1d('AveragePooling1D', averagePool),
  globalPooling('GlobalMaxPooling2D', 3, 'max'),
  globalPooling('GlobalAveragePooling2D', 3, 'average'),
  globalPooling('GlobalMaxPooling1D', 2, 'max'),
  globalPooling('GlobalAveragePooling1D', 2, 'average'),
];
