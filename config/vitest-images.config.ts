/** Of `npm run test:images`: builds the images, and labels and trains with them. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../vitest.config.js';

export default mergeConfig(
  base,
  defineConfig({
    root: '.',
    test: { include: ['test/images/images.ts'], testTimeout: 30 * 60_000, hookTimeout: 30 * 60_000, bail: 1 },
  }),
);
