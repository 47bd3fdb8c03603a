import { fingerprint } from '#inference/fingerprint.js';
import { startStageRunner } from '#inference/start-stage-runner.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { checkGolden } from '#model/bundle/check-golden.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { StageEngine } from '#pipeline/engine/stage-engine.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import type { RowLabeller, StageRunner, Telemetry, Tokenizer } from '#pipeline/ports.js';
import { UsageError } from '../usage-error.js';
import { startTokenizer } from '#tokenizer/start-tokenizer.js';

export interface LabellerOptions {
  readonly workers: number;
  readonly tokenizerThreads: number;
  readonly batchTokens: number;
  /** MiB. */
  readonly survivorMemory: number;
}

/** A bundle at work: its tokenizer and its stages, each on threads of their own. */
export interface OpenLabeller {
  readonly tokenizer: Tokenizer;
  readonly runner: StageRunner;
  /** A labeller by this policy; several may share the threads. */
  withPolicy(policy: ExitPolicy, telemetry?: Telemetry): RowLabeller;
  close(): Promise<void>;
}

/**
 * Starts the threads of a bundle and lets it prove itself on its golden texts.
 * @throws UsageError for a bundle that this machine cannot run
 * @throws GraphLoadError, TokenizerFileError, GoldenMismatchError
 */
export async function openLabeller(bundle: Bundle, options: LabellerOptions): Promise<OpenLabeller> {
  const { directory, manifest, stageFiles } = bundle;
  const layout = layoutOf(manifest);
  if (manifest.precision === 'fp16') {
    throw new UsageError(
      `${directory} is an fp16 bundle, which needs CUDA; labelling here runs on the processor. Compile the checkpoint to int8 or fp32.`,
    );
  }
  const starting = await Promise.allSettled([
    startTokenizer({
      directory,
      rule: manifest.specialTokens,
      maxLength: manifest.maxLength,
      threads: options.tokenizerThreads,
    }),
    startStageRunner({ files: stageFiles, layout, workers: options.workers }),
  ]);
  const close = async (): Promise<void> => {
    for (const started of starting) if (started.status === 'fulfilled') await started.value.close();
  };
  try {
    const [tokenizing, running] = starting;
    if (tokenizing.status === 'rejected') throw tokenizing.reason;
    if (running.status === 'rejected') throw running.reason;
    const [tokenizer, runner] = [tokenizing.value, running.value];
    await checkGolden(bundle, runner, tokenizer, fingerprint());
    return {
      tokenizer,
      runner,
      withPolicy: (policy, telemetry) =>
        new StageEngine(runner, layout, policy, {
          batchTokens: options.batchTokens,
          survivorBytes: options.survivorMemory * 2 ** 20,
          telemetry,
        }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
