/**
 * `npm run test:tfjs-node`: builds TensorFlow.js' native backend where SLUICE_TFJS_NODE names none, and runs the tests of
 * training on it.
 */
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const built = process.env['SLUICE_TFJS_NODE'] ?? join(homedir(), '.cache/sluice/tfjs-node');
const binding = 'node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node';

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(join(built, binding))) run('bash', ['deploy/build-tfjs-node.sh', built]);
run('npx', ['vitest', 'run', 'test/training', 'test/cli-train.spec.ts'], {
  SLUICE_TFJS_NODE: built,
  SLUICE_TEST_BACKEND: 'node',
  // What TensorFlow says of the processor.
  TF_CPP_MIN_LOG_LEVEL: '2',
});
