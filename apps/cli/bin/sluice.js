#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../../../dist/apps/cli/src/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('sluice is not built yet. In the checkout, run: npm ci && npm run build');
  process.exit(1);
}
await import(main.href);
