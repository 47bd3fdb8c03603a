import { useEffect, useState } from 'preact/hooks';
import type { ModelView } from '../../../src/model-desk.js';
import { get } from '../api/request.js';
import type { Evaluation } from '../api/views.js';

/**
 * The evaluation of the version of a model that runs take.
 * @returns undefined where there is none, and `asking` before it is here
 */
export function useEvaluation({ name, version, versions }: ModelView): Evaluation | undefined | 'asking' {
  const promoted = versions.find((each) => each.version === version);
  const path =
    promoted?.hasEvaluation === true
      ? `/v1/models/${encodeURIComponent(name)}/versions/${promoted.version}/evaluation`
      : undefined;
  const [found, setFound] = useState<{ path: string; evaluation: Evaluation | undefined }>();
  useEffect(() => {
    if (path === undefined) return;
    get<Evaluation>(path).then(
      (evaluation) => setFound({ path, evaluation }),
      // Without it, the presets of the bundle are shown.
      () => setFound({ path, evaluation: undefined }),
    );
  }, [path]);
  if (path === undefined) return undefined;
  return found?.path === path ? found.evaluation : 'asking';
}
