import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { registerGradients } from '../nn/kernel-gradients.js';
import type { BackendName } from './backend-names.js';
import { backendNames } from './backend-names.js';

export interface ChosenBackend {
  readonly name: BackendName;
  /** Why it is this one, for the user. */
  readonly why: string;
}

/** The backend that was asked for does not load. */
export class BackendError extends Error {
  override readonly name = 'BackendError';

  constructor(
    readonly backend: BackendName,
    readonly reason: string,
  ) {
    super(`The backend ${backend} does not load: ${reason}`);
  }
}

/** What is said where TensorFlow's own backend does not load. */
const BUILD_IT = 'deploy/build-tfjs-node.sh builds node, which is several times as fast';

/**
 * Loads the fastest backend that this machine has, or the one that is asked for, and makes it the one that computes.
 * @throws BackendError
 */
export async function chooseBackend(wanted?: BackendName): Promise<ChosenBackend> {
  if (wanted !== undefined) {
    const reason = await load(wanted);
    if (reason !== undefined) throw new BackendError(wanted, reason);
    return { name: wanted, why: 'asked for' };
  }
  const reasons: string[] = [];
  for (const name of backendNames) {
    const reason = await load(name);
    if (reason === undefined) {
      if (name === 'wasm' || name === 'cpu') reasons.push(BUILD_IT);
      return { name, why: reasons.join('; ') || 'the fastest there is' };
    }
    reasons.push(`no ${name}: ${reason}`);
  }
  throw new BackendError('cpu', reasons.join('; '));
}

/** @returns why it does not load; undefined where it does, and computes from now on */
async function load(name: BackendName): Promise<string | undefined> {
  try {
    switch (name) {
      case 'node-gpu':
        return await loadNode('@tensorflow/tfjs-node-gpu');
      case 'node':
        return await loadNode('@tensorflow/tfjs-node');
      case 'wasm':
        await import('@tensorflow/tfjs-backend-wasm');
        return await start('wasm');
      case 'cpu':
        await import('@tensorflow/tfjs-backend-cpu');
        return await start('cpu');
    }
  } catch (error) {
    return firstLine(error);
  }
}

async function loadNode(packageName: string): Promise<string | undefined> {
  const folder = process.env['SLUICE_TFJS_NODE'];
  const require = createRequire(folder === undefined ? import.meta.url : join(resolve(folder), 'index.js'));
  try {
    require.resolve(packageName);
  } catch {
    return `${packageName} is not ${folder === undefined ? 'installed' : `in ${folder}`}`;
  }
  require(packageName);
  return start('tensorflow');
}

async function start(backend: string): Promise<string | undefined> {
  const started = await tf.setBackend(backend);
  await tf.ready();
  registerGradients();
  return started ? undefined : 'it does not start';
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}
