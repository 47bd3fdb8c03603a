/** The process of one training: it is told what to train, tells how it goes, and ends with its parent. */
import { runTraining } from './run-training.js';
import type { FromTraining, ToTraining } from './training-process.js';

const stop = new AbortController();

const tell = (message: FromTraining): void =>
  void process.send?.(message, (error: Error | null) => {
    if (error !== null) process.exit();
  });

process.on('message', (message: ToTraining) => {
  if (message.kind === 'stop') return stop.abort();
  runTraining(message.request, { signal: stop.signal, onNews: (news) => tell({ kind: 'news', news }) }).then(
    (outcome) => tell({ kind: 'done', outcome }),
    (error: unknown) => {
      const failed = error instanceof Error ? error : new Error(String(error));
      const { name, message, stack } = failed;
      const code = 'code' in failed ? String(failed.code) : undefined;
      tell({ kind: 'failed', name, message, stack, code });
    },
  );
});
process.on('disconnect', () => process.exit());
