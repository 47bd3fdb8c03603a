/** Leads rows from file to file as `sluice label` does, one phase after the other, and measures each. */
import { openLabeller } from '#run/open-labeller.js';
import { openCorpus } from '#corpus/open-corpus.js';
import { createRowWriter } from '#corpus/row-writer.js';
import { fingerprint } from '#inference/fingerprint.js';
import { openBundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { DedupingLabeller } from '#pipeline/engine/deduping-labeller.js';
import { policyOfSpeed } from '#pipeline/exit-policy.js';
import { labelRun } from '#pipeline/label-run.js';
import { LocalChunkLabeller } from '#pipeline/local-chunk-labeller.js';
import type { Corpus, CorpusChunk, RowWriter } from '#pipeline/ports.js';
import type { StageLayout } from '#pipeline/stage-layout.js';
import { RunDirectory } from '#pipeline/run-directory/run-directory.js';
import { mainThreadCpuSeconds } from '../process-usage.js';
import { answerOnce } from './answer-once.js';
import { KnownLabels } from './known-labels.js';
import { PhaseClock } from './phase-clock.js';
import { StageLog } from './stage-log.js';

const CHUNK_ROWS = 1024;

await answerOnce<'phases.child.js'>(async (task) => {
  const clock = new PhaseClock(['start', 'read', 'tokenise', 'label', 'format', 'commit', 'merge']);
  clock.enter('start');
  const bundle = await openBundle(task.bundle);
  const layout = layoutOf(bundle.manifest);
  const policy = policyOfSpeed(task.speed, layout);
  const settings = {
    files: [],
    bundle: bundle.hash,
    format: 'jsonl',
    policy,
    options: {},
    fingerprint: fingerprint(),
    chunkRows: CHUNK_ROWS,
  };
  const run = await RunDirectory.open(`${task.out}.run`, settings);
  const corpus = await openCorpus({ paths: [task.corpus], chunkRows: CHUNK_ROWS });
  const { workers, batchTokens } = task;
  const labeller = await openLabeller(bundle, {
    workers,
    batchTokens,
    tokenizerThreads: 1,
    survivorMemory: 256,
  });

  const begun = performance.now();
  clock.enter('read');
  const chunks: CorpusChunk[] = [];
  for await (const chunk of corpus.chunks()) chunks.push(chunk);

  clock.enter('tokenise');
  const tokens = await Promise.all(chunks.map(({ texts }) => labeller.tokenizer.tokenize(texts)));

  clock.enter('label');
  const log = new StageLog();
  const engine = new DedupingLabeller(labeller.withPolicy(policy, { telemetry: log }), layout.labels.length);
  const mainBefore = mainThreadCpuSeconds();
  const labels = await Promise.all(tokens.map((columns) => engine.label(columns)));
  const mainAfter = mainThreadCpuSeconds();
  clock.leave();
  splitLabelling(clock, log, layout.stages, mainAfter, mainBefore);

  const known = new KnownLabels(chunks, labels);
  const result = await labelRun(
    {
      run,
      corpus: replayed(corpus, chunks),
      labeller: new LocalChunkLabeller(known, known),
      writer: clockedWriter(
        createRowWriter({
          format: 'jsonl',
          fields: corpus.fields,
          labels: layout.labels,
          probabilities: false,
        }),
        clock,
      ),
      labels: layout.labels,
      layers: bundle.manifest.geometry.layers,
    },
    {
      output: task.out,
      // One after the other, so that only one phase runs at a time.
      chunksInFlight: 1,
      onProgress: ({ phase }) => {
        if (phase === 'merging') clock.enter('merge');
        else if (phase === 'labelling') clock.enter('commit');
      },
    },
  );
  clock.leave();
  const wallSeconds = (performance.now() - begun) / 1000;
  await labeller.close();
  await corpus.close();
  await run.close();
  return {
    cpuSeconds: clock.all,
    wallSeconds,
    rows: result.report.rows,
    outputSha256: result.success.sha256,
  };
});

/**
 * Labelling runs on several threads at once: the main thread finds rows of the same tokens and forms batches, the others
 * run stages. What is not the main
 * thread's is given to the stages in proportion to the time that they took.
 */
function splitLabelling(
  clock: PhaseClock,
  log: StageLog,
  stages: readonly StageLayout[],
  mainAfter: number | undefined,
  mainBefore: number | undefined,
): void {
  const work = log.work(stages.length);
  const inStages = work.reduce((sum, { seconds }) => sum + seconds, 0);
  const all = clock.seconds('label');
  const batching =
    mainAfter === undefined || mainBefore === undefined
      ? Math.max(0, all - inStages)
      : mainAfter - mainBefore;
  const parts = work.map(({ stage, seconds }): [string, number] => [
    stageName(stage, stages[stage]!),
    inStages === 0 ? 0 : ((all - batching) * seconds) / inStages,
  ]);
  clock.split('label', new Map([['batching', batching], ...parts]));
}

/** `stage 1, exit 0`, `stage 2, layers 1–2`. */
function stageName(stage: number, { layers }: StageLayout): string {
  return `stage ${stage + 1}, ${layers === undefined ? 'exit 0' : `layers ${layers.join('–')}`}`;
}

/** A corpus that was read before. */
function replayed(corpus: Corpus, chunks: readonly CorpusChunk[]): Corpus {
  return {
    async *chunks() {
      yield* chunks;
    },
    reread: (planned) => corpus.reread(planned),
    verify: (planned) => corpus.verify(planned),
    bytes: corpus.bytes,
    close: () => corpus.close(),
  };
}

/** Formatting stands within committing, which goes on behind it. */
function clockedWriter(writer: RowWriter, clock: PhaseClock): RowWriter {
  return {
    format: writer.format,
    head: () => writer.head(),
    async rows(chunk, labels) {
      clock.enter('format');
      const bytes = await writer.rows(chunk, labels);
      clock.enter('commit');
      return bytes;
    },
  };
}
