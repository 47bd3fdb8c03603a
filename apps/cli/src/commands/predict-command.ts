import type { Command } from 'commander';
import { Option } from 'commander';
import { modelHelp, openBundleOf } from '../direct-model/open-bundle-of.js';
import type { Manifest } from '#model/bundle/manifest.js';
import { choosePolicy } from '#run/choose-policy.js';
import { fraction } from '../option-values.js';
import type { ExitOpinion } from '../predict/exit-opinions.js';
import { exitOpinions } from '../predict/exit-opinions.js';
import { bar } from '../terminal/bar.js';
import type { TableLayout } from '../terminal/table.js';
import { tableLines } from '../terminal/table.js';
import { UsageError } from '#run/usage-error.js';
import type { OutputOptions } from './output-options.js';
import { noteLine, printResult, tableLayout, withOutputOptions } from './output-options.js';

const examples = `
Examples:
  $ sluice predict "You have won a prize, click here" --model models/spam
  $ sluice predict "The cat sleeps." --pair "An animal rests." --model models/entails --speed 0.2
  $ sluice predict "Shares fell four percent" --model models/news --json`;

interface PredictFlags extends OutputOptions {
  readonly model: string;
  readonly pair?: string | undefined;
  readonly speed?: number | undefined;
  readonly policy?: string | undefined;
}

export function addPredictCommand(program: Command): void {
  const command = program
    .command('predict')
    .description("show each exit's opinion of one text, and where it would leave")
    .argument('<text>', 'the text')
    .requiredOption('-m, --model <model>', modelHelp)
    .option('--pair <text>', 'the second text, for models of pairs')
    .addOption(
      new Option('--speed <number>', 'leave at the first exit less uncertain than this')
        .argParser(fraction)
        .conflicts('policy'),
    )
    .option(
      '--policy <name>',
      "one of the bundle's presets, or a JSON file of thresholds (default: balanced)",
    )
    .addHelpText('after', examples)
    .action(predict);
  withOutputOptions(command);
}

async function predict(text: string, flags: PredictFlags): Promise<void> {
  const bundle = await openBundleOf(flags.model, {
    pairs: flags.pair !== undefined,
    onNote: (note) => noteLine(flags, note),
  });
  if ((bundle.manifest.task === 'pair') !== (flags.pair !== undefined)) {
    throw new UsageError(
      `The model labels ${bundle.manifest.task} texts: ${flags.pair === undefined ? 'give' : 'leave out'} --pair.`,
    );
  }
  const policy = await choosePolicy(bundle.manifest, flags);
  const { problem } = bundle.manifest;
  const { tokens, truncated, exits, leavesAt } = await exitOpinions(bundle, policy, text, flags.pair);
  const left = exits.find((exit) => exit.layer === leavesAt)!;
  printResult(
    flags,
    {
      ...answerJson(problem, left),
      exit_layer: leavesAt,
      uncertainty: left.uncertainty,
      tokens,
      truncated,
      exits: exits.map((exit) => ({
        layer: exit.layer,
        ...answerJson(problem, exit),
        uncertainty: exit.uncertainty,
        threshold: exit.threshold,
        probabilities: exit.probabilities,
      })),
    },
    () => {
      const layout = tableLayout();
      return [
        ...opinionTable(exits, leavesAt, layout),
        '',
        `${layout.paint.style('bold', answerText(problem, left))}, leaves at exit ${leavesAt} of ${exits.at(-1)?.layer ?? ''}`,
        `${tokens} tokens${truncated ? ', cut to the maximum length' : ''}`,
      ];
    },
  );
}

/** As an output row has it. */
function answerJson(
  problem: Manifest['problem'],
  { labels, confidence, probabilities }: ExitOpinion,
): object {
  switch (problem) {
    case 'single-label':
      return { label: labels[0], confidence };
    case 'multi-label':
      return { labels };
    case 'regression':
      return { scores: probabilities };
  }
}

function answerText(
  problem: Manifest['problem'],
  { labels, confidence, probabilities }: ExitOpinion,
): string {
  switch (problem) {
    case 'single-label':
      return `${labels[0]} with ${(confidence * 100).toFixed(1)} %`;
    case 'multi-label':
      return labels.length === 0 ? 'no label' : labels.join(', ');
    case 'regression':
      return Object.entries(probabilities)
        .map(([name, score]) => `${name} ${score.toFixed(4)}`)
        .join(', ');
  }
}

function opinionTable(exits: readonly ExitOpinion[], leavesAt: number, layout: TableLayout): string[] {
  const barColumns = 16;
  const layers = exits.at(-1)?.layer ?? 1;
  return tableLines(
    [
      { title: 'exit', align: 'right' },
      { title: 'label', shrinks: true },
      { title: 'confidence', align: 'right' },
      { title: 'uncertainty', align: 'right' },
      { title: 'threshold', align: 'right' },
      { title: '' },
    ],
    exits.map(({ layer, labels, confidence, uncertainty, threshold }) => [
      String(layer),
      labels.join(', '),
      `${(confidence * 100).toFixed(1)} %`,
      uncertainty.toFixed(4),
      layer === layers ? 'takes all' : String(threshold),
      layout.paint.heat(layer / layers, bar(uncertainty, barColumns)) +
        (layer === leavesAt ? ' ← leaves here' : ''),
    ]),
    layout,
  );
}
