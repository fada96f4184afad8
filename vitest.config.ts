import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

/** Tests run the packages from source: the condition `@sotto/source` in each package's `exports` names the .ts file. */
const conditions = ['@sotto/source', ...defaultServerConditions];

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
