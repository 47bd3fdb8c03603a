import type { WorkerCard } from '#queue/worker-registry.js';

/**
 * Why a run cannot begin.
 * @param workers those that serve its bundle
 * @param begun runtimes that it has labels of already
 */
export function whyItWaits(
  model: string,
  workers: readonly Pick<WorkerCard, 'fingerprint'>[],
  begun: readonly string[],
): string {
  if (begun.length === 0 || workers.length === 0) return `No worker serves the model ${model} yet.`;
  const there = new Set(workers.map(({ fingerprint }) => fingerprint));
  return (
    `The run has labels of the runtime ${begun.join(' or ')}, and goes on with no other; the workers of the model ${model} ` +
    `have ${[...there].join(' and ')}. Start a worker of the former, or submit the run anew.`
  );
}

/**
 * Why a run that stands still may do so: stages that no worker serves, named as `SLUICE_STAGES` has them, from 1.
 * @param workers those that serve its bundle
 * @param runtimes whose labels it takes
 * @param stages of the bundle
 * @returns undefined where each stage has a worker
 */
export function unservedStages(
  model: string,
  workers: readonly WorkerCard[],
  runtimes: readonly string[],
  stages: number,
): string | undefined {
  const served = new Set(
    workers
      .filter(({ fingerprint }) => runtimes.includes(fingerprint))
      .flatMap((worker) => worker.stages.map(({ stage }) => stage)),
  );
  const missing = Array.from({ length: stages }, (_, stage) => stage).filter((stage) => !served.has(stage));
  if (missing.length === 0) return undefined;
  const names = missing.map((stage) => stage + 1).join(', ');
  const which = missing.length === stages ? '' : `${missing.length === 1 ? 'stage' : 'stages'} ${names} of `;
  return `No worker serves ${which}the model ${model} now; the run goes on when one does.`;
}
