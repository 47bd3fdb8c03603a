import type { Settings } from '#config/settings-schema.js';
import { modelReference, versionName } from '#model/registry/model-name.js';
import type { RunOptions } from '#run/label-options.js';
import { inputRoots } from './input-path.js';
import type { RunFolders, SubmittedRun } from './run-folder.js';
import { toldPaths } from './told-paths.js';

/** Lower is sooner. */
const priorities = { high: 2, normal: 3, low: 4 } as const;

/** The version that the run was submitted for. */
export function modelOf({ request, version }: SubmittedRun): string {
  return version === undefined ? request.model : versionName(modelName(request.model), version);
}

/** Without its version. */
export const modelName = (reference: string): string => modelReference(reference)?.name ?? reference;

/** Among jobs. */
export const priorityOf = ({ request }: SubmittedRun): number => priorities[request.priority ?? 'normal'];

/** Name of the least certain rows in a run's folder. */
export const LEAST_CERTAIN = 'least-certain.json';

/** Name of a run's output in its folder. */
export function outputName({ outFormat = 'jsonl', compress = false }: SubmittedRun['request']): string {
  return `output.${outFormat}${compress ? '.gz' : ''}`;
}

/** As `sluice label` has them. */
export async function runOptions(
  { id, request, corpus }: SubmittedRun,
  folders: RunFolders,
  settings: Settings['producer'],
): Promise<RunOptions> {
  const { model: _model, speed: _speed, policy: _policy, priority: _priority, ...rest } = request;
  const roots = [folders.path(id, 'input'), ...(await inputRoots(settings.inputRoot))];
  return {
    ...rest,
    corpus,
    corpusNames: corpus.map((path) => toldPaths(path, roots)),
    out: folders.path(id, outputName(request)),
    outFormat: request.outFormat ?? 'jsonl',
    compress: request.compress ?? false,
    runDir: folders.path(id, 'run'),
    probabilities: request.probabilities ?? false,
    spreadsheetSafe: request.spreadsheetSafe ?? false,
    chunkRows: settings.feed.chunkRows,
    acceptFingerprint: false,
  };
}
