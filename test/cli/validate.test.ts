/** `sotto validate`: tables, JSON, exit status, and models read from and written to files without tfjs-node. */
import { loadModelFile, saveModelFile } from '@sotto/core/node';
import '@tensorflow/tfjs-backend-cpu';
import * as core from '@tensorflow/tfjs-core';
import { input, layers, model, sequential } from '@tensorflow/tfjs-layers';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sotto } from './terminal.ts';

let folder = '';
let fit = '';
let unfit = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-validate-'));
  fit = await saveModelFile(
    sequential({ layers: [layers.dense({ units: 2, inputShape: [3], name: 'out' })] }),
    join(folder, 'fit'),
  );
  unfit = await saveModelFile(
    sequential({
      layers: [
        layers.dense({ units: 16, inputShape: [3], name: 'hidden' }),
        layers.batchNormalization({ name: 'norm' }),
        layers.dense({ units: 2, name: 'out' }),
      ],
    }),
    join(folder, 'unfit'),
  );
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('sotto validate', () => {
  it('accepts a model that can be trained privately', async () => {
    const { status, stdout } = await sotto('validate', fit);
    expect(status).toBe(0);
    expect(stdout).toMatch(/out\s+Dense\s+8\s+private/);
    expect(stdout).toMatch(/^ok: 8 parameters can be trained privately$/m);
  });

  it('refuses one that cannot, naming layer, reason and cure', async () => {
    const { status, stdout } = await sotto('validate', unfit);
    expect(status).toBe(1);
    expect(stdout).toMatch(/norm\s+BatchNormalization\s+32\s+refused\n\s+batch normalisation mixes the examples/);
    expect(stdout).toMatch(/→ use groupNormalization, or freeze the layer/);
    expect(stdout).toMatch(/^unfit: 1 of 3 layers cannot be trained privately; --fix DIR mends all of them$/m);
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('speaks JSON', async () => {
    const { status, stdout } = await sotto('validate', unfit, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      layers: [{ layer: 'hidden', status: 'private' }, { layer: 'norm', status: 'refused' }, { status: 'private' }],
    });
  });

  it('writes a mended model with its weights', async () => {
    const { status, stdout } = await sotto('validate', unfit, '--fix', join(folder, 'mended'));
    expect(status).toBe(0);
    expect(stdout).toMatch(/norm: batch normalisation is replaced by group normalisation in 2 groups of 8 channels/);
    const mended = join(folder, 'mended', 'model.json');
    expect((await sotto('validate', mended)).status).toBe(0);
    const [before, after] = [await loadModelFile(unfit), await loadModelFile(mended)];
    expect([...after.getLayer('hidden').getWeights()[0]!.dataSync()]).toEqual([
      ...before.getLayer('hidden').getWeights()[0]!.dataSync(),
    ]);
    const json = JSON.parse((await sotto('validate', unfit, '--fix', join(folder, 'again'), '--json')).stdout) as object;
    expect(json).toMatchObject({ ok: true, fixed: { changes: [{ layer: 'norm' }], newWeights: [] } });
  });

  it('says what is wrong with the file', async () => {
    const broken = join(folder, 'broken.json');
    await writeFile(broken, '{');
    expect(await sotto('validate', broken)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/broken.json is not JSON; give the path/),
    });
    await writeFile(broken, '{"weights": []}');
    expect(await sotto('validate', broken)).toMatchObject({ status: 1, stderr: expect.stringMatching(/has no modelTopology/) });
    expect(await sotto('validate', join(folder, 'absent.json'))).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/cannot be read/),
    });
    expect(await sotto('validate')).toMatchObject({ status: 2 });
    for (const [content, message] of [
      ['null', /has no modelTopology/],
      ['[]', /has no modelTopology/],
      ['{"modelTopology": null}', /has no modelTopology/],
      ['{"modelTopology": []}', /has no modelTopology/],
      ['{"modelTopology": {"a": 1}}', /broken.json holds no layers model \(model: class_name is not a name\); give/],
      ['{"format": "graph-model", "modelTopology": {"node": []}}', /is a graph model, which has operations and no layers/],
    ] as const) {
      await writeFile(broken, content);
      const { status, stderr } = await sotto('validate', broken);
      expect([status, stderr]).toEqual([1, expect.stringMatching(message)]);
      expect(stderr).not.toMatch(/defect/);
    }
  });

  it('takes the folder of a model', async () => {
    expect(await sotto('validate', join(folder, 'fit'))).toMatchObject({ status: 0, stderr: '' });
    expect(await sotto('validate', folder)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/model.json cannot be read/),
    });
  });

  it('says what is wrong with the weights', async () => {
    const place = join(folder, 'weights');
    const path = await saveModelFile(sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] }), place);
    const file = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await writeFile(join(place, 'bare.json'), JSON.stringify({ ...file, weightsManifest: undefined }));
    const bare = await sotto('validate', join(place, 'bare.json'));
    expect([bare.status, bare.stdout]).toEqual([0, expect.stringMatching(/^weights: the file lists no weights/m)]);
    await writeFile(join(place, 'weights.bin'), Buffer.alloc(5));
    const short = await sotto('validate', path);
    expect([short.status, short.stdout]).toEqual([
      1,
      expect.stringMatching(/^weights: the files have 5 bytes and should have 32;/m),
    ]);
    await expect(loadModelFile(path)).rejects.toThrow(/have 5 bytes and should have 32/);
    await rm(join(place, 'weights.bin'));
    const missing = await sotto('validate', path, '--json');
    expect([missing.status, JSON.parse(missing.stdout)]).toEqual([
      1,
      expect.objectContaining({
        ok: true,
        weights: { ok: false, why: "weights.bin is missing; put it beside the model's file" },
      }),
    ]);
  });

  it.each<[string, () => ReturnType<typeof sequential>, RegExp]>([
    [
      'nothing to train',
      () => sequential({ layers: [layers.dense({ units: 2, inputShape: [2], trainable: false })] }),
      /^unfit: the model has no trainable weights; unfreeze a layer or add one$/m,
    ],
    [
      'a recurrent layer',
      () =>
        sequential({
          layers: [layers.simpleRNN({ units: 2, inputShape: [3, 2], recurrentInitializer: 'zeros' }), layers.dense({ units: 1 })],
        }),
      /SimpleRNN.*refused\n\s+recurrent layers are not implemented\n\s+→ use convolutions or attention/,
    ],
    [
      'a regulariser',
      () => sequential({ layers: [layers.dense({ units: 2, inputShape: [2], kernelRegularizer: 'l1l2' })] }),
      /kernel_regularizer is not part of an example's loss\n\s+→ remove it/,
    ],
  ])('tells of %s what to do about it', async (name, build, message) => {
    const path = await saveModelFile(build(), join(folder, name.replaceAll(' ', '-')));
    const { status, stdout } = await sotto('validate', path);
    expect([status, stdout]).toEqual([1, expect.stringMatching(message)]);
  });

  it('looks into models within models, and refuses layers that are used twice', async () => {
    const inner = sequential({ layers: [layers.dense({ units: 4, inputShape: [4], name: 'deep' })], name: 'inner' });
    const outer = sequential({ layers: [layers.dense({ units: 4, inputShape: [3] }), inner] });
    const nested = await sotto('validate', await saveModelFile(outer, join(folder, 'nested')));
    expect([nested.status, nested.stdout]).toEqual([0, expect.stringMatching(/^inner\/deep\s+Dense\s+20\s+private$/m)]);
    const [a, b] = [input({ shape: [4] }), input({ shape: [4] })];
    const twice = layers.dense({ units: 4, name: 'twice' });
    const both = [twice.apply(a), twice.apply(b)] as SymbolicTensor[];
    const shared = model({ inputs: [a, b], outputs: layers.add().apply(both) as SymbolicTensor });
    const told = await sotto('validate', await saveModelFile(shared, join(folder, 'shared')));
    expect([told.status, told.stdout]).toEqual([1, expect.stringMatching(/it is used 2 times, and weights/)]);
  });
});

describe('model files', () => {
  it('come back as they were written', async () => {
    const net = sequential({
      layers: [layers.conv2d({ filters: 2, kernelSize: 2, inputShape: [3, 3, 1] }), layers.flatten(), layers.dense({ units: 2 })],
    });
    const path = await saveModelFile(net, join(folder, 'round'));
    const at = core.randomUniform([2, 3, 3, 1], 0, 1, 'float32', 5);
    const back = await loadModelFile(path);
    expect([...(back.predict(at) as core.Tensor).dataSync()]).toEqual([...(net.predict(at) as core.Tensor).dataSync()]);
  });

  it('may not reach for other files, nor miss their own', async () => {
    const file = JSON.parse(await readFile(fit, 'utf8')) as { weightsManifest: { paths: string[] }[] };
    const path = join(folder, 'fit', 'other.json');
    file.weightsManifest[0]!.paths = ['../unfit/weights.bin'];
    await writeFile(path, JSON.stringify(file));
    await expect(loadModelFile(path)).rejects.toThrow(/lie outside its folder/);
    file.weightsManifest[0]!.paths = ['gone.bin'];
    await writeFile(path, JSON.stringify(file));
    await expect(loadModelFile(path)).rejects.toThrow(/gone.bin, the weights of .*, cannot be read/);
  });
});
