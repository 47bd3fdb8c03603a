import { defineConfig } from 'vitest/config';

const conditions = ['sluice-source', 'module', 'node', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['apps/**/*.spec.ts', 'libs/**/*.spec.ts', 'test/**/*.spec.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: ['test/install-services.ts'],
    pool: 'forks',
    maxWorkers: 2,
  },
});
