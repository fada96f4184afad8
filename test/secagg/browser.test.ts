import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../packages/core/src/bytes.ts';
import type { PageSetup, PageStep } from './browser/member.ts';
import { contextOf, identityOf, inputFor, NOW, TestServer, trust } from './network.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['@sotto/source', 'browser', 'import', 'default'] },
    build: {
      write: false,
      minify: false,
      lib: { entry: fileURLToPath(new URL('browser/member.ts', import.meta.url)), formats: ['iife'], name: 'sotto' },
    },
  });
  const outputs = Array.isArray(built) ? built : [built];
  for (const output of outputs) {
    if (!('output' in output)) continue;
    for (const chunk of output.output) if (chunk.type === 'chunk') return chunk.code;
  }
  throw new Error('vite gave no code');
}

const call = (page: Page, expression: string): Promise<PageStep> => page.evaluate(expression);

describe('the client half in a browser', () => {
  // Without a browser there is nothing to test; with CI=true that is a failure of the set-up.
  it.skipIf(executablePath === undefined && process.env['CI'] !== 'true')(
    'takes part in a round of a Node coordinator',
    async () => {
      const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
      try {
        const code = await bundle();
        const context = contextOf();
        const server = new TestServer(context);
        const ids = ['anna', 'bert', 'carl'];
        const pages = new Map<string, Page>();
        const records: string[] = [];
        const wire = {
          ...context,
          modelHash: toHex(context.modelHash),
          planHash: toHex(context.planHash),
          coordinatorKey: toHex(context.coordinatorKey),
        };
        for (const id of ids) {
          const page = await browser.newPage();
          await page.addScriptTag({ content: code });
          pages.set(id, page);
          const identity = identityOf(id);
          const setup: PageSetup = {
            id,
            context: wire,
            certificate: toHex(identity.certificate),
            signingSeed: toHex(identity.signingSeed),
            trustDomain: trust.trustDomain,
            rootKey: toHex(trust.rootKey),
          };
          const first = await call(page, `sotto.start(${JSON.stringify(setup)})`);
          expect(server.receive(id, fromHex(first.outgoing[0]!)).type).toBe('accepted');
        }
        const send = (id: string, input: unknown): Promise<PageStep> =>
          call(pages.get(id)!, `sotto.step(${JSON.stringify(id)}, ${JSON.stringify(input)})`);
        for (let stage = 0; stage < 5; stage++) {
          for (const [id, message] of server.close()) {
            let step = await send(id, { message: toHex(message), nowMs: NOW });
            if (step.phase === 'ready-for-input')
              step = await send(id, { vectors: inputFor(context, id).map((vector) => [...vector]) });
            records.push(...step.records);
            for (const answer of step.outgoing) expect(server.receive(id, fromHex(answer)).type).toBe('accepted');
            if (stage === 4) expect(step.phase).toBe('done');
          }
        }
        const expected = context.vectors.map((vector, v) => {
          const sum = new Uint32Array(vector.length);
          for (const id of ids) for (const [e, value] of inputFor(context, id)[v]!.entries()) sum[e]! += value;
          return sum;
        });
        expect(server.result!.sums).toEqual(expected);
        expect(records.filter((key) => key.startsWith('contributed')).length).toBe(3);
        expect(records.filter((key) => key.startsWith('answered')).length).toBe(3);
      } finally {
        await browser.close();
      }
    },
  );
});
