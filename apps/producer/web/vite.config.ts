import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const outDir = at('../../../dist/apps/producer/web');

/** Puts a compressed copy beside each asset, so that the producer compresses nothing while it works. */
const compressed: Plugin = {
  name: 'compressed',
  async closeBundle() {
    const folder = join(outDir, 'assets');
    for (const name of await readdir(folder)) {
      const bytes = await readFile(join(folder, name));
      await writeFile(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
      await writeFile(join(folder, `${name}.br`), brotliCompressSync(bytes));
    }
  },
};

export default defineConfig({
  root: at('.'),
  logLevel: 'warn',
  resolve: { conditions: ['sluice-source', 'module', 'browser', 'import', 'default'] },
  build: {
    outDir,
    emptyOutDir: true,
    // The first to know light-dark() of CSS.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // In the page they would be forbidden by its policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [compressed],
  // `npx vite apps/producer/web` against a producer that runs.
  server: { proxy: { '/v1': 'http://127.0.0.1:9480', '/docs': 'http://127.0.0.1:9480' } },
});
