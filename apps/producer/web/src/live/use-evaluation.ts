import { useEffect, useState } from 'preact/hooks';
import { get } from '../api/request.js';
import type { Evaluation, ModelView } from '../api/views.js';

/** The evaluation of the version of a model that runs take; undefined where there is none. */
export function useEvaluation({ name, version, versions = [] }: ModelView): Evaluation | undefined {
  const promoted = versions.find((each) => each.version === version);
  const path =
    promoted?.hasEvaluation === true
      ? `/v1/models/${encodeURIComponent(name)}/versions/${promoted.version}/evaluation`
      : undefined;
  const [found, setFound] = useState<{ path: string; evaluation: Evaluation }>();
  useEffect(() => {
    if (path === undefined) return;
    // Without it, the presets of the bundle are shown.
    get<Evaluation>(path).then(
      (evaluation) => setFound({ path, evaluation }),
      () => undefined,
    );
  }, [path]);
  return found?.path === path ? found?.evaluation : undefined;
}
