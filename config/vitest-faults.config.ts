/** Of `npm run test:faults`: the long versions of the faults that `npm test` has short ones of. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../vitest.config.js';

export default mergeConfig(
  base,
  defineConfig({
    root: '.',
    test: { include: ['test/fleet/long-faults.ts'], testTimeout: 30 * 60_000, hookTimeout: 30 * 60_000 },
  }),
);
