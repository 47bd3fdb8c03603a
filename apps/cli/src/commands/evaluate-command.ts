import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ReadOptions } from '#corpus/corpus-options.js';
import { corpusPaths } from '#corpus/corpus-paths.js';
import type { Manifest } from '#model/bundle/manifest.js';
import { makeFolder } from '#pipeline/run-directory/durable-write.js';
import { modelHelp, openBundleOf } from '../direct-model/open-bundle-of.js';
import { evaluateCorpus } from '../evaluate/evaluate-corpus.js';
import { evaluationLines } from '../evaluate/evaluation-view.js';
import { modelShape } from '../evaluate/model-shape.js';
import type { NamedPolicy } from '../evaluate/named-policies.js';
import { namedPolicies } from '../evaluate/named-policies.js';
import { withStandardInput } from '../evaluate/standard-input.js';
import { writeEvaluation } from '../evaluate/write-evaluation.js';
import { checkTask } from '#run/check-task.js';
import { fractionList, nameList, threadCount, wholeNumber } from '../option-values.js';
import { UsageError } from '#run/usage-error.js';
import { withCorpusFields } from './corpus-fields.js';
import type { OutputOptions } from './output-options.js';
import { noteLine, printResult, tableLayout, withOutputOptions } from './output-options.js';

const examples = `
Examples:
  $ sluice evaluate test.jsonl --model models/spam --label-field label
  $ sluice evaluate test.jsonl --model models/spam --label-field label --out evaluation    # plots, too
  $ sluice evaluate test.csv --model models/news --text-field body --speeds 0.1,0.3,0.5 --policy fast
  $ sluice evaluate mail.jsonl --model models/spam --no-timing --limit 1000 --json
  $ sluice evaluate 'test/*.jsonl.gz' --model models/spam --label-field label

Every row runs once through all exits; what each policy would have given follows from that. Without labels
there is agreement with the full depth, but no accuracy.
FLOPs are saved against the same model without early exits: at the rows' real lengths with attention and exits,
and by the count of the FastBERT paper, which has linear layers only and 128 tokens in every row.`;

interface EvaluateFlags extends OutputOptions, ReadOptions {
  readonly model: string;
  readonly speeds: readonly number[];
  readonly policy: readonly string[];
  readonly detail?: string | undefined;
  readonly positive?: string | undefined;
  readonly timing: boolean;
  readonly out?: string | undefined;
  readonly workers: number;
}

export function addEvaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .description('measure what each speed gives and saves on a corpus: accuracy, agreement, FLOPs, texts/s')
    .argument(
      '<corpus...>',
      'jsonl, csv, tsv, txt or parquet files, also .gz, or patterns; - for standard input',
    )
    .requiredOption('-m, --model <model>', modelHelp)
    .addOption(
      new Option('--speeds <a,b,…>', 'speeds to compare')
        .argParser(fractionList)
        .default([0, 0.05, 0.1, 0.2, 0.4], '0,0.05,0.1,0.2,0.4'),
    )
    .addOption(
      new Option(
        '--policy <names>',
        "also these, with commas between them: the bundle's presets, or JSON files of thresholds",
      )
        .argParser(nameList)
        .default(['balanced'], 'balanced'),
    )
    .option(
      '--detail <name>',
      'speed or policy whose exits, classes and confusion are shown (default: the first --policy)',
    )
    .option(
      '--positive <label>',
      'class that precision and recall are of (default: the second, of models of two)',
    )
    .option('-o, --out <dir>', 'directory for evaluation.json and the plots (SVG)')
    .option('--no-timing', 'do not time the stage engine')
    .option('--limit <rows>', 'stop after so many rows', wholeNumber(1))
    .option('--workers <n>', 'inference threads', threadCount, availableParallelism())
    .addHelpText('after', examples)
    .action(evaluate);
  withOutputOptions(withCorpusFields(command));
}

async function evaluate(corpus: readonly string[], flags: EvaluateFlags): Promise<void> {
  const paths = await corpusPaths(corpus);
  const bundle = await openBundleOf(flags.model, {
    pairs: flags.pairField !== undefined,
    onNote: (note) => noteLine(flags, note),
  });
  const { manifest } = bundle;
  checkTask(manifest, flags.pairField);
  if (manifest.problem !== 'single-label') {
    throw new UsageError(
      `evaluate compares single labels; the model's head is ${manifest.problem}. For a multi-label head sluice label --label-field reports how good its labels are.`,
    );
  }
  // Whatever may be wrong with the command is said before the long work.
  modelShape(manifest);
  const positive = positiveClass(manifest, flags.positive);
  const policies = await namedPolicies(manifest, flags.speeds, flags.policy);
  const detail = detailIndex(policies, flags);
  if (flags.out !== undefined) await makeFolder(flags.out);
  const evaluation = await withStandardInput(paths, (stdin) =>
    evaluateCorpus(bundle, {
      corpus: { ...flags, paths, stdin, recognise: { task: manifest.task, labels: manifest.labels } },
      policies,
      positive,
      timing: flags.timing,
      workers: flags.workers,
      onNote: (note) => noteLine(flags, note),
    }),
  );
  const files = flags.out === undefined ? [] : await writeEvaluation(flags.out, evaluation);
  printResult(flags, evaluation, () => [
    ...evaluationLines(evaluation, evaluation.policies[detail]!, tableLayout()),
    ...(files.length > 0 ? ['', ...files] : []),
  ]);
}

/** Index of the class that precision and recall are of; undefined where nothing was asked for and there are many. */
function positiveClass({ labels }: Manifest, asked: string | undefined): number | undefined {
  if (asked === undefined) return labels.length === 2 ? 1 : undefined;
  const index = labels.indexOf(asked);
  if (index < 0) {
    throw new UsageError(`The model has no label ${asked}; its labels are ${labels.join(', ')}.`);
  }
  return index;
}

function detailIndex(policies: readonly NamedPolicy[], { detail, policy }: EvaluateFlags): number {
  const wanted = detail ?? policy[0];
  const index = policies.findIndex(({ name }) => name === wanted);
  if (index < 0) {
    const names = policies.map(({ name }) => name).join(', ');
    throw new UsageError(`--detail ${wanted} is none of what is compared: ${names}.`);
  }
  return index;
}
