import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('keeps ONNX Runtime from leaving a device id and events in the home folder', () => {
  const home = mkdtempSync(join(tmpdir(), 'sluice-home-'));
  try {
    const cli = join(import.meta.dirname, '../apps/cli/bin/sluice.js');
    const model = join(import.meta.dirname, '../models/spam');
    const { status, stderr } = spawnSync(
      process.execPath,
      [cli, 'predict', 'Hello.', '--model', model, '-q'],
      {
        env: { PATH: process.env['PATH'], HOME: home, XDG_CACHE_HOME: join(home, 'cache') },
        encoding: 'utf8',
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(home, { recursive: true })).toEqual([]);
  } finally {
    rmSync(home, { recursive: true });
  }
});
