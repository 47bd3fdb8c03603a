import type { InferenceSession } from 'onnxruntime-node';

/** Where graphs run. */
export type Provider = 'cpu' | 'cuda';

/**
 * How every graph of ours is loaded.
 * @param threads threads that one operator is spread over
 */
export function sessionOptions(threads: number, provider: Provider): InferenceSession.SessionOptions {
  return {
    // What CUDA has no kernel for runs on the processor.
    executionProviders: provider === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    // A memory pattern is kept for each shape of the input, and our batches have hundreds.
    enableMemPattern: false,
    // Sessions share cores: a waiting pool thread must sleep, not spin.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}
