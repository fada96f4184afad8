/** Which floats fast mode is trusted with: those of engines here pass, and products of fewer bits are refused. */
import { onnxEngine } from '@sotto/core/onnx';
import { referenceEngine, referenceOps } from '@sotto/core/ops';
import type { Engine, Ops, Program, ReferenceTensor } from '@sotto/core/ops';
import { afterEach, describe, expect, it } from 'vitest';
import { checkFloatRules } from '../../../packages/dp/src/training/float-rules.ts';
import { engines } from '../../core/ops/support.ts';

type Tensor = ReferenceTensor;

/** Rounds to a number of significant bits, to nearest or towards zero. */
const kept =
  (bits: number, how: (x: number) => number) =>
  ({ shape, data }: Tensor): Tensor => ({
    shape,
    data: data.map((x) => {
      if (x === 0 || !Number.isFinite(x)) return x;
      const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - bits + 1);
      return how(x / unit) * unit;
    }),
  });

/** The float64 loops, but with the operands of some products rounded. */
function shortProducts(
  change: (ops: Ops<Tensor>, round: (x: Tensor) => Tensor) => Partial<Ops<Tensor>>,
  round: (x: Tensor) => Tensor,
): Engine {
  const ops: Ops<Tensor> = { ...referenceOps, ...change(referenceOps, round) };
  const wrap = (program: Program): Program => ({
    ...program,
    // Only the float64 loops build it.
    build: (_, inputs) => program.build(ops as never, inputs),
  });
  return { ...referenceEngine, name: 'short', compile: (program) => referenceEngine.compile(wrap(program)) };
}

const check = (engine: Engine): Promise<void> => checkFloatRules(engine.name, (program) => engine.compile(program));

describe('the floats of an engine', () => {
  it.each(engines)('are those of fast mode: $name', async (engine) => {
    await check(engine);
  });

  const tf32 = kept(11, Math.round);
  const products: [string, RegExp, Parameters<typeof shortProducts>[0]][] = [
    ['all products', /a product/, (ops, r) => ({ matMul: (a, b, ta, tb) => ops.matMul(r(a), r(b), ta, tb) })],
    ['plain products', /a product is/, (ops, r) => ({ matMul: (a, b, ta, tb) => (ta || tb ? ops.matMul(a, b, ta, tb) : ops.matMul(r(a), r(b))) })],
    ['first transposed', /first transposed/, (ops, r) => ({ matMul: (a, b, ta, tb) => (ta === true && tb !== true ? ops.matMul(r(a), r(b), ta, tb) : ops.matMul(a, b, ta, tb)) })],
    ['second transposed', /second transposed/, (ops, r) => ({ matMul: (a, b, ta, tb) => (ta !== true && tb === true ? ops.matMul(r(a), r(b), ta, tb) : ops.matMul(a, b, ta, tb)) })],
    ['both transposed', /both transposed/, (ops, r) => ({ matMul: (a, b, ta, tb) => (ta === true && tb === true ? ops.matMul(r(a), r(b), ta, tb) : ops.matMul(a, b, ta, tb)) })],
    ['columns', /with a column/, (ops, r) => ({ matMul: (a, b, ta, tb) => (b.shape.length === 2 && b.shape[1] === 1 ? ops.matMul(r(a), r(b), ta, tb) : ops.matMul(a, b, ta, tb)) })],
    ['rows', /with a row/, (ops, r) => ({ matMul: (a, b, ta, tb) => (a.shape.length === 2 && a.shape[0] === 1 ? ops.matMul(r(a), r(b), ta, tb) : ops.matMul(a, b, ta, tb)) })],
    ['batches', /of each row/, (ops, r) => ({ matMul: (a, b, ta, tb) => (a.shape.length === 3 ? ops.matMul(r(a), r(b), ta, tb) : ops.matMul(a, b, ta, tb)) })],
    ['one operand', /a product/, (ops, r) => ({ matMul: (a, b, ta, tb) => ops.matMul(r(a), b, ta, tb) })],
    ['convolutions', /a convolution/, (ops, r) => ({ conv2d: (x, k, options) => ops.conv2d(r(x), r(k), options) })],
  ]; // prettier-ignore
  it.each(products)('are refused where TF32 is used for %s', async (_, message, change) => {
    const refusal = check(shortProducts(change, tf32));
    await expect(refusal).rejects.toThrow(message);
    await expect(refusal).rejects.toThrow(/fewer than 24 bits.*TF32/);
  });

  it.each([
    ['cut to 11 bits', kept(11, Math.trunc)],
    ['rounded to 8 bits', kept(8, Math.round)],
    ['rounded to 16 bits', kept(16, Math.round)],
  ])('are refused where operands are %s', async (_, round) => {
    const change = products[0]![2];
    await expect(check(shortProducts(change, round))).rejects.toThrow(/fewer than 24 bits/);
  });

  it('pass where operands are rounded to float32', async () => {
    await check(shortProducts(products[0]![2], kept(24, Math.round)));
  });
});

describe('an engine on CUDA', () => {
  const before = process.env['NVIDIA_TF32_OVERRIDE'];
  afterEach(() => {
    if (before === undefined) delete process.env['NVIDIA_TF32_OVERRIDE'];
    else process.env['NVIDIA_TF32_OVERRIDE'] = before;
  });

  it('tells NVIDIA’s libraries to keep full precision, and others tell nothing', () => {
    delete process.env['NVIDIA_TF32_OVERRIDE'];
    onnxEngine();
    expect(process.env['NVIDIA_TF32_OVERRIDE']).toBeUndefined();
    onnxEngine({ provider: 'cuda' });
    expect(process.env['NVIDIA_TF32_OVERRIDE']).toBe('0');
  });
});
