/**
 * Windows over images as TensorFlow.js tensors `[n, C, H, W]`, for the operations that slide them.
 *
 * @module
 */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Window2d } from '../ops.ts';
import type { Tfjs } from '../primitive.ts';

/** The image with zeros (or another value) around, so that windows need no padding of their own. */
export function padImage(tfjs: Tfjs, x: Tensor, { pads: [top, left, bottom, right] }: Window2d, value: number = 0): Tensor {
  if (top + left + bottom + right === 0) return x;
  return tfjs.pad(
    x,
    [
      [0, 0],
      [0, 0],
      [top, bottom],
      [left, right],
    ],
    value,
  );
}

/** The strided view of a padded image that one cell of the window sees. */
export function cellOf(
  tfjs: Tfjs,
  x: Tensor,
  [ky, kx]: readonly [number, number],
  [oh, ow]: readonly [number, number],
  { dilations, strides: [sy, sx] }: Window2d,
): Tensor {
  const [n, c] = x.shape as [number, number, number, number];
  const [y0, x0] = [ky * dilations[0], kx * dilations[1]];
  return tfjs.stridedSlice(x, [0, 0, y0, x0], [n, c, y0 + (oh - 1) * sy + 1, x0 + (ow - 1) * sx + 1], [1, 1, sy, sx]);
}

/** Inserts zeros between the elements of the last two axes. */
export function spread(tfjs: Tfjs, x: Tensor, [sy, sx]: readonly [number, number]): Tensor {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (sy === 1 && sx === 1) return x;
  const apart: Tensor4D = tfjs.reshape(x, [n * c * h, 1, w, 1]);
  const spaced = tfjs.pad(apart, [
    [0, 0],
    [0, sy - 1],
    [0, 0],
    [0, sx - 1],
  ]);
  return tfjs.slice(tfjs.reshape(spaced, [n, c, h * sy, w * sx]), [0, 0, 0, 0], [n, c, (h - 1) * sy + 1, (w - 1) * sx + 1]);
}
