import './no-telemetry.js';
import { InferenceSession } from 'onnxruntime-node';
import type { GraphTensor } from './graph-tensor.js';
import { fromOrtTensor, toOrtTensor } from './graph-tensor.js';
import type { Provider } from './session-options.js';
import { sessionOptions } from './session-options.js';

/** ONNX Runtime refused a model: unreadable, invalid, or with an operator that it does not have. */
export class GraphLoadError extends Error {
  override readonly name = 'GraphLoadError';
  constructor(
    /** Path of the model, or `model in memory`. */
    readonly source: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`ONNX Runtime cannot load ${source}: ${problem}`, options);
  }
}

/** One loaded ONNX model. It runs on the thread that calls it, which is blocked meanwhile. */
export interface OnnxGraph {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * @param fetch names of the outputs to compute; all when left out
   * @throws Error from ONNX Runtime when an input is missing or of the wrong type or shape
   */
  run(
    inputs: Readonly<Record<string, GraphTensor>>,
    fetch?: readonly string[],
  ): Promise<Record<string, GraphTensor>>;
  release(): Promise<void>;
}

export interface OnnxGraphOptions {
  /** Threads that one operator is spread over; default 1. */
  readonly threads?: number | undefined;
  /** Default `cpu`. */
  readonly provider?: Provider | undefined;
}

/**
 * Loads one ONNX model from its path or its bytes.
 * @throws GraphLoadError
 */
export async function openGraph(
  model: string | Uint8Array,
  { threads = 1, provider = 'cpu' }: OnnxGraphOptions = {},
): Promise<OnnxGraph> {
  const session = await load(model, sessionOptions(threads, provider));
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    async run(inputs, fetch = session.outputNames) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, tensor]) => [name, toOrtTensor(tensor)]),
      );
      const results = await session.run(feeds, fetch);
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [name, fromOrtTensor(tensor)]),
      );
    },
    release: () => session.release(),
  };
}

async function load(
  model: string | Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  try {
    return typeof model === 'string'
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  } catch (error) {
    const source = typeof model === 'string' ? model : 'model in memory';
    throw new GraphLoadError(source, error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}
