/** Times the stage engine on rows that were tokenised before. */
import { openLabeller } from '#run/open-labeller.js';
import { openBundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { policyOfSpeed } from '#pipeline/exit-policy.js';
import { answerOnce } from './answer-once.js';
import { StageLog } from './stage-log.js';
import { timed } from './timed.js';

await answerOnce<'engine.child.js'>(async ({ bundle, speed, workers, batchTokens, tokens }) => {
  const opened = await openBundle(bundle);
  const layout = layoutOf(opened.manifest);
  // Labels the golden texts on every thread, which warms the sessions up.
  const labeller = await openLabeller(opened, {
    workers,
    batchTokens,
    tokenizerThreads: 1,
    survivorMemory: 256,
  });
  const log = new StageLog();
  const engine = labeller.withPolicy(policyOfSpeed(speed, layout), { telemetry: log });
  const { result: labels, ...times } = await timed(() => engine.label(tokens));
  await labeller.close();
  return { ...times, labels, stages: log.work(layout.stages.length) };
});
