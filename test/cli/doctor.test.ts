import { describe, expect, it } from 'vitest';
import { examinationText } from '../../packages/cli/src/doctor/examination.ts';
import type { Examination } from '../../packages/cli/src/doctor/examination.ts';
import { memoryTerminal, sotto } from './terminal.ts';

const example: Examination = {
  sotto: '0.1.0',
  machine: {
    node: 'v24.21.0',
    platform: 'linux x64',
    processor: 'A Processor',
    cores: 8,
    usableCores: 4,
    memoryBytes: 16 * 2 ** 30,
    freeMemoryBytes: 3.25 * 2 ** 30,
  },
  engines: [
    {
      name: 'onnx-cuda',
      usable: false,
      why: 'the CUDA libraries are needed; docs/engines.md tells how to install them on this and on every other machine (and the runtime’s own)',
    },
    {
      name: 'onnx-webgpu',
      usable: true,
      device: 'google swiftshader',
      software: true,
      library: 'onnxruntime-node 1.30.0',
      speed: { matMul: 0.0123, conv2d: 0.5 },
    },
    {
      name: 'onnx-cpu',
      usable: true,
      device: 'CPU, 4 threads',
      software: false,
      library: 'onnxruntime-node 1.30.0',
      speed: { matMul: 123.4, conv2d: 99.96 },
    },
  ],
  auto: {
    choice: 'ONNX Runtime on the CPU, because it is fast',
    candidates: [{ name: 'ONNX Runtime on the CPU', chosen: true, why: 'it is fast' }],
  },
  tools: [
    { name: 'chromium', version: '141.0', purpose: 'browser tests' },
    { name: 'nvidia-smi', version: undefined, purpose: 'a driver' },
  ],
};

describe('sotto doctor', () => {
  it('shows engines, the choice, what is missing with its cure, and other programs', () => {
    const text = examinationText(example, memoryTerminal(100));
    expect(text).toBe(`Machine
  Sotto 0.1.0, Node 24.21.0, linux x64
  A Processor, 4 of 8 cores for this process
  16.0 GiB of memory, 3.3 GiB free

Engines  (GFLOP/s of products and convolutions; other work on the machine lowers them)
  engine       matMul  conv2d  computes on                               library
  onnx-webgpu   0.012    0.50  google swiftshader (imitated, for tests)  onnxruntime-node 1.30.0
  onnx-cpu        123   100.0  CPU, 4 threads                            onnxruntime-node 1.30.0

engine: 'auto'
  ONNX Runtime on the CPU, because it is fast

Not usable here
  onnx-cuda  ONNX Runtime on an NVIDIA graphics processor
    the CUDA libraries are needed; docs/engines.md tells how to install them on this and on every
    other machine

Other programs
  chromium    141.0    browser tests
  nvidia-smi  missing  a driver
`);
  });

  it('looks at this machine', async () => {
    const { status, stdout, stderr } = await sotto('doctor', '--quick', '--json');
    expect([status, stderr]).toEqual([0, '']);
    const found = JSON.parse(stdout) as Examination;
    expect(found.machine.node).toBe(process.version);
    expect(found.engines).toHaveLength(9);
    expect(found.engines.find(({ name }) => name === 'onnx-cpu')).toMatchObject({ usable: true });
    for (const engine of found.engines) {
      if (engine.usable) expect(engine.device, engine.name).not.toBe('');
      else expect(engine.why, engine.name).toMatch(/install/);
    }
    expect(found.auto.candidates.at(-1)).toMatchObject({ chosen: true });
    expect(found.engines.some((engine) => engine.usable && engine.speed !== undefined)).toBe(false);
  });
});
