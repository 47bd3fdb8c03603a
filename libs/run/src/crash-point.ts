import type { OnStep } from '#pipeline/run-directory/run-steps.js';
import { runSteps } from '#pipeline/run-directory/run-steps.js';
import { UsageError } from './usage-error.js';

/**
 * For fault tests: `SLUICE_CRASH_AT=ok-written:3` kills the process, as kill -9 does, when chunk 3 reaches that step of
 * the commit protocol; without a chunk, when any does.
 * @throws UsageError for a step that does not exist
 */
export function crashPoint(setting: string | undefined): OnStep | undefined {
  if (setting === undefined || setting === '') return undefined;
  const [step, chunk] = setting.split(':');
  if (!runSteps.some((known) => known === step)) {
    throw new UsageError(
      `SLUICE_CRASH_AT names no step of the commit protocol; they are ${runSteps.join(', ')}.`,
    );
  }
  return (reached, at) => {
    if (reached === step && (chunk === undefined || Number(chunk) === at))
      process.kill(process.pid, 'SIGKILL');
  };
}
