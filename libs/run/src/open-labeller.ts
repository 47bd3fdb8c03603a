import { fingerprint } from '#inference/fingerprint.js';
import type { Provider } from '#inference/session-options.js';
import { startStageRunner } from '#inference/start-stage-runner.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { checkGolden } from '#model/bundle/check-golden.js';
import { layoutOf } from '#model/bundle/manifest.js';
import type { StageEngineOptions } from '#pipeline/engine/stage-engine.js';
import { StageEngine } from '#pipeline/engine/stage-engine.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import type { StageRunner, Tokenizer } from '#pipeline/ports.js';
import { startTokenizer } from '#tokenizer/start-tokenizer.js';
import { UsageError } from './usage-error.js';

export interface LabellerOptions {
  /** Inference threads. */
  readonly workers: number;
  readonly tokenizerThreads: number;
  readonly batchTokens: number;
  /** MiB. */
  readonly survivorMemory: number;
  /** The first and last stage that run here, 0-based; default all. */
  readonly stages?: readonly [first: number, last: number] | undefined;
  /** Default `cpu`. */
  readonly provider?: Provider | undefined;
}

/** How an engine differs from one that runs rows as soon as it can. */
export type EngineOptions = Pick<StageEngineOptions, 'telemetry' | 'patience'>;

/** A bundle at work: its tokenizer and its stages, each on threads of their own. */
export interface OpenLabeller {
  readonly tokenizer: Tokenizer;
  readonly runner: StageRunner;
  /** An engine by this policy; several may share the threads. */
  withPolicy(policy: ExitPolicy, options?: EngineOptions): StageEngine;
  close(): Promise<void>;
}

/**
 * Starts the threads of a bundle and lets it prove itself on its golden texts.
 * @throws UsageError for a bundle that this machine cannot run
 * @throws GraphLoadError, TokenizerFileError, GoldenMismatchError
 */
export async function openLabeller(bundle: Bundle, options: LabellerOptions): Promise<OpenLabeller> {
  const { directory, manifest, stageFiles: files } = bundle;
  const { provider = 'cpu', workers } = options;
  const layout = layoutOf(manifest);
  const all = [0, layout.stages.length - 1] as const;
  const { stages = all } = options;
  if (manifest.precision === 'fp16' && provider === 'cpu') {
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
    startStageRunner({ files, layout, workers, stages, provider }),
  ]);
  const close = async (): Promise<void> => {
    for (const started of starting) if (started.status === 'fulfilled') await started.value.close();
  };
  try {
    const [tokenizing, running] = starting;
    if (tokenizing.status === 'rejected') throw tokenizing.reason;
    if (running.status === 'rejected') throw running.reason;
    const [tokenizer, runner] = [tokenizing.value, running.value];
    if (stages[0] === all[0] && stages[1] === all[1]) {
      await checkGolden(bundle, runner, tokenizer, fingerprint(provider));
    } else {
      // Golden texts run through every exit, and so through stages that are not served here.
      const whole = await startStageRunner({ files, layout, workers: 1, provider });
      try {
        await checkGolden(bundle, whole, tokenizer, fingerprint(provider));
      } finally {
        await whole.close();
      }
    }
    return {
      tokenizer,
      runner,
      withPolicy: (policy, engine) =>
        new StageEngine(runner, layout, policy, {
          batchTokens: options.batchTokens,
          survivorBytes: options.survivorMemory * 2 ** 20,
          lastStage: stages[1],
          ...engine,
        }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
