import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { HubAccess } from '#hub/hub-access.js';
import { readHubAccess } from '#hub/hub-access.js';
import type { PullProgress, PullResult } from '#hub/pull-model.js';
import { pullModel } from '#hub/pull-model.js';
import type { Repository } from '#hub/repository.js';
import { parseRepository } from '#hub/repository.js';
import { openModel } from '#model/import/open-model.js';
import { checkpointFacts, checkpointJson, checkpointLines } from '../import/checkpoint-view.js';
import { stopOnSignals } from '../label/stop-on-signals.js';
import { openDisplay } from '../terminal/open-display.js';
import { pullView } from '../terminal/pull-view.js';
import { bytesText, countText } from '../terminal/quantity.js';
import type { OutputOptions } from './output-options.js';
import { noteLine, printResult, tableLayout, withOutputOptions } from './output-options.js';

const examples = `
Examples:
  $ sluice pull textattack/bert-base-uncased-SST-2 --out sst2
  $ sluice pull google-bert/bert-base-chinese@main          # a branch, tag or commit; into bert-base-chinese
  $ sluice pull my-team/fastbert --include 'Epoch_*.bin' --include '*.json' --out fastbert
  $ HF_TOKEN=hf_… sluice pull my-team/private-model         # private and gated models
  $ HF_ENDPOINT=https://hub.example.com sluice pull my-team/model

Pulled are config.json, the tokenizer and the weights in one format: safetensors, or else pytorch_model.bin. All files are of
one commit and are checked against its checksums. What was interrupted goes on when the same command is given again.
HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME and HF_HUB_DOWNLOAD_TIMEOUT (seconds of silence) are read as elsewhere.`;

interface PullFlags extends OutputOptions {
  readonly out?: string | undefined;
  readonly include: readonly string[];
  readonly force?: true | undefined;
}

export function addPullCommand(program: Command): void {
  const command = program
    .command('pull')
    .description('download a model from the Hugging Face Hub: only the files that are needed')
    .argument('<id>', 'of the model, such as owner/name, or owner/name@revision')
    .option('-o, --out <dir>', 'directory of the model (default: its name)')
    .addOption(
      new Option('--include <pattern>', 'pull these files besides, such as *.bin; may be given several times')
        .argParser((pattern: string, before: readonly string[]) => [...before, pattern])
        .default([], 'none'),
    )
    .option('--force', 'replace another commit that was pulled to the directory')
    .addHelpText('after', examples)
    .action((id: string, flags: PullFlags) => pull(id, flags));
  withOutputOptions(command);
}

async function pull(id: string, flags: PullFlags): Promise<void> {
  const repository = parseRepository(id);
  const access = await readHubAccess(process.env);
  if (access.tokenWithheld) {
    noteLine(flags, `${access.endpoint} is not encrypted, so the token is not sent there.`);
  }
  const directory = flags.out ?? repository.id.split('/').at(-1)!;
  const { commit, files } = await pullWithDisplay(repository, directory, access, flags);
  const { model, lines } = await describeModel(directory);
  printResult(flags, { ...repository, commit, directory, files, model }, () => [
    summary(repository, commit, files),
    '',
    ...lines,
    '',
    directory,
  ]);
}

function summary({ id, revision }: Repository, commit: string, files: PullResult['files']): string {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const kept = files.filter((file) => file.kept).length;
  const were = kept === 0 ? '' : kept === files.length ? '; all were here' : `; ${kept} were here`;
  return `Pulled ${id}@${revision}, commit ${commit.slice(0, 12)}: ${countText(files.length)} files, ${bytesText(bytes)}${were}`;
}

/** Downloads with the live picture on standard error, and stops on Ctrl-C so that it can be gone on with. */
async function pullWithDisplay(
  repository: Repository,
  directory: string,
  access: HubAccess,
  { include, force, quiet, json }: PullFlags,
): Promise<PullResult> {
  const display = openDisplay(process.stderr, process.env, quiet === true || json === true, pullView);
  const stop = stopOnSignals();
  let begun: number | undefined;
  const onProgress = (progress: PullProgress): void => {
    const { phase, bytes, totalBytes } = progress;
    if (phase === 'pulling') begun ??= performance.now();
    const elapsedMs = begun === undefined ? 0 : performance.now() - begun;
    display.update({ ...progress, fraction: totalBytes === 0 ? 1 : bytes / totalBytes, elapsedMs });
  };
  let end: 'finished' | 'stopped' = 'stopped';
  try {
    const result = await pullModel({
      repository,
      directory,
      include,
      force: force === true,
      access,
      signal: stop.signal,
      onNote: (note) => display.note(note),
      onProgress,
    });
    end = 'finished';
    return result;
  } finally {
    display.close(end);
    stop.release();
  }
}

/** What the pulled model is. That it cannot be read takes nothing from the pull: its files are what they should be. */
async function describeModel(directory: string): Promise<{ model: object; lines: string[] }> {
  try {
    const checkpoint = await openModel(directory);
    try {
      const facts = await checkpointFacts(checkpoint, checkpoint.config);
      const next = [
        '',
        'Next:',
        `  $ sluice compile ${directory} --calibrate texts.jsonl --out models/${basename(resolve(directory))}`,
      ];
      return {
        model: checkpointJson(facts),
        lines: [...checkpointLines(facts, tableLayout()), ...(facts.config.exits.length > 0 ? next : [])],
      };
    } finally {
      await checkpoint.close();
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { model: { problem }, lines: [`It cannot be read as it is: ${problem}`] };
  }
}
