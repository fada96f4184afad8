/**
 * The error function, 2/√π ∫₀ˣ e^(−t²) dt.
 *
 * @module
 */
import { definePrimitive } from '../primitive.ts';
import type { Primitive } from '../primitive.ts';

const TWO_OVER_SQRT_PI = 1.1283791670955126;

/** erf(x) to about 2·10⁻¹⁶ absolute: the power series below 3, the continued fraction of erfc above (Abramowitz and Stegun 7.1.6 and 7.1.14). */
function erfOf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (a > 6) return Math.sign(x);
  let value: number;
  if (a < 3) {
    // e^(−x²)·Σ 2ⁿ x^(2n+1)/(1·3·…·(2n+1)): all terms positive, so nothing cancels.
    let term = a;
    let sum = a;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
    }
    value = TWO_OVER_SQRT_PI * Math.exp(-a * a) * sum;
  } else {
    let fraction = a;
    for (let n = 60; n >= 1; n--) fraction = a + n / 2 / fraction;
    value = 1 - (Math.exp(-a * a) * TWO_OVER_SQRT_PI) / 2 / fraction;
  }
  return x < 0 ? -value : value;
}

/** See {@link Ops.erf}. */
export const erf: Primitive<object> = definePrimitive({
  name: 'erf',
  shape: ([x]) => x!,
  reference: ([x]) => x!.data.map(erfOf),
  onnx: (emit, [x]) => emit.op('Erf', [x!]),
  tfjs: (tfjs, [x]) => tfjs.erf(x!),
  place: 'elementwise',
  derivative(ops, { inputs: [x], gradient }) {
    const slope = ops.mul(ops.constant([TWO_OVER_SQRT_PI], []), ops.exp(ops.neg(ops.mul(x!, x!))));
    return [ops.mul(gradient, slope)];
  },
  cases: [{ shapes: [[3, 5]], attributes: {}, map: (x) => 5 * x }],
});
