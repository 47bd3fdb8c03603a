/** Child processes written in TypeScript beside the tests: bundled from the sources into one file that Node runs. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'vite';

/** @returns path of the bundled script */
export async function buildChild(name: string, outDir: string): Promise<string> {
  const conditions = ['sluice-source', 'module', 'node', 'default'];
  await build({
    configFile: false,
    logLevel: 'error',
    root: fileURLToPath(new URL('..', import.meta.url)),
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    build: {
      ssr: fileURLToPath(new URL(name, import.meta.url)),
      outDir,
      rollupOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  });
  return join(outDir, 'child.mjs');
}
