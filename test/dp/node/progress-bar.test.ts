import { makePrivate } from '@sotto/dp';
import { progressBar } from '@sotto/dp/node';
import { describe, expect, it } from 'vitest';
import { options, smallModel, x, y } from '../training/support/two-moons.ts';

/** A stream that keeps what was written, and a clock that moves 50 ms at every look. */
function fixture(
  isTTY: boolean,
  columns = 100,
): { stream: { isTTY: boolean; columns: number; write(text: string): void }; written: string[]; now: () => number } {
  const written: string[] = [];
  let time = 0;
  return { stream: { isTTY, columns, write: (text) => void written.push(text) }, written, now: () => (time += 50) };
}

async function trained(isTTY: boolean, columns = 120): Promise<string[]> {
  const { stream, written, now } = fixture(isTTY, columns);
  const training = makePrivate(smallModel(), options({ privacy: { target: { epsilon: 3, delta: 1e-5 }, epochs: 5 } }));
  await training.fit(x, y, {
    callbacks: progressBar({ stream, training, now }),
    validationData: { x, y, outsideGuarantee: true },
  });
  return written;
}

describe('the progress bar', () => {
  it('draws one line again and again on a terminal, and leaves the last', async () => {
    const written = await trained(true);
    for (const text of written.slice(0, -1)) expect(text).toMatch(/^\r\u001b\[K▕.*▏/u);
    expect(written.at(-1)).toBe('\n');
    const last = written.at(-2)!;
    expect(last).toMatch(
      /█{24}▏ epoch 5\/5 {2}step 20\/20 {2}val_loss 0\.\d+ {2}val_acc [01]\.\d+ {2}ε 3.00 of 3.00 {2}\d+\.\d steps\/s, 0:0\d$/u,
    );
    expect(written[0]).toMatch(/▕ {24}▏ epoch 1\/5 {2}step 0\/20$/);
    // Time left is told on the way.
    expect(written.some((text) => /steps\/s, 0:0\d left$/.test(text))).toBe(true);
  });

  it('never fills the line, so that it can be drawn again', async () => {
    for (const columns of [20, 40, 60, 80]) {
      for (const text of await trained(true, columns)) {
        expect(text.replace(/\r\u001b\[K|\n/gu, '').length).toBeLessThan(columns);
      }
    }
  });

  it('writes a line for each tenth of the way elsewhere', async () => {
    const written = await trained(false);
    expect(written).toHaveLength(10);
    expect(written.join('')).not.toMatch(/[\r\u001b]/u);
    expect(written[0]).toMatch(/^epoch 1\/5, step 2\/20, .*left\n$/);
    expect(written.at(-1)).toMatch(/^trained: epoch 5\/5, step 20\/20, val_loss .*ε 3.00 of 3.00, .* steps\/s, 0:0\d\n$/);
  });

  it('shows how ε grows within an epoch', async () => {
    const { stream, written, now } = fixture(true, 120);
    const training = makePrivate(smallModel(), options({ privacy: { target: { epsilon: 3, delta: 1e-5 }, steps: 40 } }));
    await training.fit(x, y, { stepsPerEpoch: 40, callbacks: progressBar({ stream, training, now }) });
    const seen = written.flatMap((text) => [...(/ε (\d+\.\d+) of 3\.00/gu.exec(text)?.slice(1) ?? [])].map(Number));
    const steps = new Set(seen);
    expect(steps.size).toBeGreaterThanOrEqual(3);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen[0]).toBeLessThan(2);
    expect(seen.at(-1)).toBe(3);
  });

  it.each([true, false])('ends its line where training fails or is cancelled (terminal: %s)', async (isTTY) => {
    for (const how of ['cancelled', 'failed'] as const) {
      const { stream, written, now } = fixture(isTTY);
      const training = makePrivate(smallModel(), options());
      const controller = new AbortController();
      let steps = 0;
      const onBatchEnd = (): void => {
        if (++steps < 3) return;
        if (how === 'failed') throw new Error('the disk is full');
        controller.abort();
      };
      const callbacks = [progressBar({ stream, training, now, delta: 1e-5 }), { onBatchEnd }];
      await expect(training.fit(x, y, { steps: 10, signal: controller.signal, callbacks })).rejects.toThrow(
        how === 'failed' ? 'the disk is full' : 'cancelled after 3 of 10',
      );
      const text = written.join('');
      expect(text.endsWith('\n')).toBe(true);
      expect(text.split('\n').at(-2)).toMatch(
        isTTY ? /▏ epoch 1\/\d+ {2}step 3\/10 / : /^stopped: epoch 1\/\d+, step 3\/10, ε /u,
      );
    }
  });

  it('writes nothing where training is refused or cancelled before it begins', async () => {
    const { stream, written, now } = fixture(true);
    const training = makePrivate(smallModel(), options());
    const callbacks = progressBar({ stream, training, now });
    await expect(training.fit(x, y, { steps: 3, signal: AbortSignal.abort(), callbacks })).rejects.toThrow('after 0 of 3');
    await expect(training.fit(x, x, { steps: 3, callbacks })).rejects.toThrow();
    expect(written).toEqual([]);
  });

  it('shows no privacy without a δ', async () => {
    const { stream, written, now } = fixture(false);
    const training = makePrivate(smallModel(), options());
    await training.fit(x, y, { steps: 3, callbacks: progressBar({ stream, training, now }) });
    expect(written.join('')).not.toContain('ε');
    await training.fit(x, y, { steps: 3, callbacks: progressBar({ stream, training, now, delta: 1e-5 }) });
    expect(written.join('')).toMatch(/ε [0-9]+\.[0-9]+, /u);
  });
});
