/** The accountants run in a browser as they are: bundled with Vite, run in headless Chromium, same figures as in Node. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { figures } from './browser-entry.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
const missing = executablePath === undefined && process.env['CI'] !== 'true';

describe('in a browser', () => {
  // Without a browser there is nothing to test; with CI=true that is a failure of the set-up.
  it.skipIf(missing)('gives the same figures (skipped where no Chromium is installed)', async () => {
    const bundle = await build({
      configFile: false,
      logLevel: 'silent',
      resolve: { conditions: ['@sotto/source', 'browser', 'import', 'default'] },
      build: {
        write: false,
        minify: false,
        lib: { entry: fileURLToPath(new URL('browser-entry.ts', import.meta.url)), formats: ['es'], fileName: 'bundle' },
      },
    });
    const output = (Array.isArray(bundle) ? bundle[0] : bundle) as { output: readonly { code?: string }[] };
    const code = output.output[0]?.code ?? '';
    expect(code).not.toMatch(/from ["']node:|require\(/);
    if (executablePath === undefined) throw new Error('no Chromium is installed');
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.addScriptTag({ content: code, type: 'module' });
      await page.waitForFunction('globalThis.figures !== undefined');
      const inBrowser = (await page.evaluate('globalThis.figures()')) as Record<string, number>;
      const here = figures();
      expect(Object.keys(inBrowser)).toEqual(Object.keys(here));
      // ECMAScript leaves the last digit of exp and log to the engine.
      for (const [name, value] of Object.entries(here)) {
        expect(Math.abs(inBrowser[name]! - value), name).toBeLessThanOrEqual(1e-9 * Math.abs(value));
      }
    } finally {
      await browser.close();
    }
  });
});
