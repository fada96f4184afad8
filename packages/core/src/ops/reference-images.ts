/**
 * The image operations of the reference implementation.
 *
 * @module
 */
import type { Conv2dOptions, Shape, Window2d } from './ops.ts';
import type { ReferenceTensor } from './reference-loops.ts';
import * as shapes from './shapes.ts';
import { sizeOf } from './shapes.ts';

type T = ReferenceTensor;

/** Visits every (output position, window position) pair whose input position lies within the image. */
export function slide(
  height: number,
  width: number,
  outHeight: number,
  outWidth: number,
  size: readonly [number, number],
  window: Window2d,
  visit: (out: number, inWindow: number, input: number) => void,
): void {
  for (let oy = 0; oy < outHeight; oy++) {
    for (let ox = 0; ox < outWidth; ox++) {
      for (let ky = 0; ky < size[0]; ky++) {
        const y = oy * window.strides[0] - window.pads[0] + ky * window.dilations[0];
        if (y < 0 || y >= height) continue;
        for (let kx = 0; kx < size[1]; kx++) {
          const x = ox * window.strides[1] - window.pads[1] + kx * window.dilations[1];
          if (x >= 0 && x < width) visit(oy * outWidth + ox, ky * size[1] + kx, y * width + x);
        }
      }
    }
  }
}

/** Visits every product of a convolution: output element, kernel element, input element. */
function products(
  x: Shape,
  kernel: Shape,
  out: Shape,
  options: Conv2dOptions,
  visit: (o: number, k: number, i: number) => void,
): void {
  const [n, ci, height, width] = x as [number, number, number, number];
  const [co, perGroup, kh, kw] = kernel as [number, number, number, number];
  const [, , oh, ow] = out as [number, number, number, number];
  const outPerGroup = co / options.groups;
  for (let b = 0; b < n; b++) {
    for (let c = 0; c < co; c++) {
      const firstInput = Math.floor(c / outPerGroup) * perGroup;
      for (let d = 0; d < perGroup; d++) {
        const o0 = (b * co + c) * oh * ow;
        const k0 = (c * perGroup + d) * kh * kw;
        const i0 = (b * ci + firstInput + d) * height * width;
        slide(height, width, oh, ow, [kh, kw], options, (o, k, i) => visit(o0 + o, k0 + k, i0 + i));
      }
    }
  }
}

/** See {@link Ops.conv2d}. */
export function conv2d(x: T, kernel: T, options: Conv2dOptions): T {
  const shape = shapes.conv2dShape(x.shape, kernel.shape, options);
  const data = new Float64Array(sizeOf(shape));
  products(x.shape, kernel.shape, shape, options, (o, k, i) => {
    data[o]! += kernel.data[k]! * x.data[i]!;
  });
  return { shape, data };
}

/** See {@link Ops.conv2dInputGradient}. */
export function conv2dInputGradient(gradient: T, kernel: T, inputShape: Shape, options: Conv2dOptions): T {
  shapes.sameShape('conv2dInputGradient', gradient.shape, shapes.conv2dShape(inputShape, kernel.shape, options));
  const data = new Float64Array(sizeOf(inputShape));
  products(inputShape, kernel.shape, gradient.shape, options, (o, k, i) => {
    data[i]! += kernel.data[k]! * gradient.data[o]!;
  });
  return { shape: inputShape, data };
}

/** See {@link Ops.patches}. */
export function patches(x: T, size: readonly [number, number], window: Window2d): T {
  const shape = shapes.patchesShape(x.shape, size, window);
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const [oh, ow] = shapes.windowShape('patches', x.shape, size, window);
  const data = new Float64Array(sizeOf(shape));
  const cells = size[0] * size[1];
  for (let plane = 0; plane < n * c; plane++) {
    slide(height, width, oh, ow, size, window, (o, k, i) => {
      data[(plane * cells + k) * oh * ow + o] = x.data[plane * height * width + i]!;
    });
  }
  return { shape, data };
}
