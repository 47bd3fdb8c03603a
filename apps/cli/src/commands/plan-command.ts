import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { loadSettings } from '#config/load-settings.js';
import { corpusPaths } from '#corpus/corpus-paths.js';
import type { Provider } from '#inference/session-options.js';
import type { Bundle } from '#model/bundle/bundle.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import { choosePolicy, policyOf } from '#run/choose-policy.js';
import { UsageError } from '#run/usage-error.js';
import { modelHelp, openBundleOf } from '../direct-model/open-bundle-of.js';
import { withStandardInput } from '../evaluate/standard-input.js';
import {
  countList,
  duration,
  fraction,
  hourlyPrices,
  positiveList,
  threadCount,
  wholeNumber,
} from '../option-values.js';
import { capacityPlan, fleetSettings } from '../plan/capacity-plan.js';
import { fullDepth } from '../plan/full-depth.js';
import type { MeasuredPilot } from '../plan/measured-pilot.js';
import type { PilotOptions } from '../plan/measure-pilot.js';
import { pilotOfCorpus, pilotOfCounts } from '../plan/measure-pilot.js';
import { PILOT_FORMAT, readPilot } from '../plan/pilot-file.js';
import { planLines } from '../plan/plan-view.js';
import type { PatchKind } from '../plan/replica-patch.js';
import { patchKinds, replicaPatch } from '../plan/replica-patch.js';
import type { CorpusFields } from './corpus-fields.js';
import { withCorpusFields } from './corpus-fields.js';
import type { OutputOptions } from './output-options.js';
import { noteLine, printResult, tableLayout, withOutputOptions } from './output-options.js';

const examples = `
Examples:
  $ sluice plan --rows 100e6 --model models/spam --target 8h --pilot mail.csv --text-field body
  $ sluice plan --rows 100e6 --model models/spam --target 8h --pilot labelled.csv.run --price 0.04/h
  $ sluice plan --rows 1e9 --model models/spam --target 1d --pilot mail.csv --save-pilot pilot.json
  $ sluice plan --rows 1e9 --model models/spam --target 6h --pilot pilot.json --worker-speed 1.8 --json
  $ sluice plan --rows 5e6 --model models/spam --replicas 4,1,1 --pilot pilot.json     # when would it be done?
  $ sluice plan --rows 100e6 --model models/spam --target 8h --pilot pilot.json --patch replicas.yaml

A pilot is a corpus, whose first rows are labelled on one thread of this machine; or the directory of a finished run
or its report.json, whose counts are taken; or what --save-pilot wrote. Stage times are measured on this machine unless
they were saved. Without a pilot every row is taken to be as long as the model allows and to run through every layer:
more than it will be. docs/capacity.md tells how a plan comes about and how far to believe it.`;

interface PlanFlags extends OutputOptions, CorpusFields {
  readonly rows: number;
  readonly model: string;
  readonly target?: number | undefined;
  readonly replicas?: number[] | undefined;
  readonly pilot?: string | undefined;
  readonly pilotRows: number;
  readonly savePilot?: string | undefined;
  readonly speed?: number | undefined;
  readonly policy?: string | undefined;
  readonly price?: number[] | undefined;
  readonly workerSpeed: number[];
  readonly headroom: number;
  readonly start: number;
  readonly threads: number;
  readonly cores?: number | undefined;
  readonly device: Provider;
  readonly patch?: string | undefined;
  readonly patchKind: PatchKind;
}

export function addPlanCommand(program: Command): void {
  const command = program
    .command('plan')
    .description('plan a fleet: workers of each stage, time, cost and memory for so many rows')
    .requiredOption('--rows <n>', 'rows to label, such as 100e6', wholeNumber(1, 1e12))
    .requiredOption('-m, --model <model>', modelHelp)
    .addOption(
      new Option('--target <time>', 'when everything shall be done, such as 8h, 1h30m or 2d').argParser(
        duration,
      ),
    )
    .addOption(
      new Option('--replicas <a,b,…>', 'workers of each stage, to see when they would be done')
        .argParser(countList)
        .conflicts('target'),
    )
    .option('--pilot <path>', 'a corpus to try, a run directory, its report.json, or a saved pilot')
    .option('--pilot-rows <n>', 'rows of a corpus that are tried', wholeNumber(1, 1_000_000), 2000)
    .option('--save-pilot <file>', 'keep what the pilot has shown, for further plans')
    .addOption(
      new Option('--speed <number>', 'leave at the first exit less uncertain than this; 0 is full depth')
        .argParser(fraction)
        .conflicts('policy'),
    )
    .option(
      '--policy <name>',
      "one of the bundle's presets, or a JSON file of thresholds (default: balanced)",
    )
    .option('--price <p/h>', 'of a worker for an hour, such as 0.04/h; or one for each stage', hourlyPrices)
    .addOption(
      new Option(
        '--worker-speed <factor>',
        'how many times as fast as the measured machine workers are; or one for each stage',
      )
        .argParser(positiveList)
        .default([1], '1'),
    )
    .option('--headroom <share>', 'of the target that is kept free', fraction, 0.15)
    .addOption(
      new Option('--start <time>', 'until new workers take jobs').argParser(duration).default(60, '60s'),
    )
    .option('--threads <n>', 'inference threads of a worker', threadCount, 1)
    .option('--cores <n>', 'cores of a worker (default: its threads)', threadCount)
    .addOption(
      new Option('--device <device>', 'where the pilot runs, and the workers')
        .choices(['cpu', 'cuda'])
        .default('cpu'),
    )
    .option('--patch <file>', 'write the workers of each stage as a patch for kustomize')
    .addOption(
      new Option(
        '--patch-kind <kind>',
        'patch Deployments, or the least and most replicas of what scales them',
      )
        .choices(patchKinds)
        .default('deployment'),
    )
    .addHelpText('after', examples)
    .action(plan);
  withOutputOptions(withCorpusFields(command));
}

async function plan(flags: PlanFlags): Promise<void> {
  if (flags.headroom >= 1) throw new UsageError('--headroom 1 leaves no time: give less, such as 0.15.');
  const { target, replicas } = flags;
  if (target === undefined && replicas === undefined) {
    throw new UsageError(
      'Say when it shall be done (--target 8h), or with which workers (--replicas 4,2,1).',
    );
  }
  const bundle = await openBundleOf(flags.model, {
    pairs: flags.pairField !== undefined,
    onNote: (note) => noteLine(flags, note),
  });
  const stages = bundle.manifest.stages.length;
  const speeds = ofStages('--worker-speed', flags.workerSpeed, stages);
  const prices = flags.price && ofStages('--price', flags.price, stages);
  const given = replicas && ofStages('--replicas', replicas, stages);
  const cores = flags.cores ?? flags.threads;
  if (cores < flags.threads) {
    throw new UsageError(
      `A worker of ${flags.threads} threads needs at least as many --cores; got ${cores}.`,
    );
  }
  const services = loadSettings();
  const settings = fleetSettings(services, { threads: flags.threads, cores });
  const measured = await measuredPilot(bundle, flags, settings.batchTokens);
  if (flags.savePilot !== undefined) {
    await writeFile(flags.savePilot, `${JSON.stringify({ format: PILOT_FORMAT, ...measured }, null, 2)}\n`);
  }
  noteLine(flags, '… the run is simulated');
  const result = capacityPlan(bundle.manifest, measured, services.producer, {
    rows: flags.rows,
    target: given === undefined ? { seconds: target!, headroom: flags.headroom } : { replicas: given },
    prices,
    speeds,
    startSeconds: flags.start,
    settings,
  });
  if (flags.patch !== undefined) {
    const replicas = result.stages.map((stage) => stage.replicas);
    const planned = { replicas, threads: flags.threads, cores, settings: result.settings };
    await writeFile(flags.patch, replicaPatch(planned, flags.patchKind));
  }
  printResult(flags, result, () => [
    ...planLines(result, tableLayout()),
    ...[flags.savePilot, flags.patch].flatMap((file) => (file === undefined ? [] : ['', file])),
  ]);
}

/** One value for all stages, or one for each. @throws UsageError */
function ofStages(option: string, values: readonly number[], stages: number): number[] {
  if (values.length === 1) return Array.from({ length: stages }, () => values[0]!);
  if (values.length === stages) return [...values];
  throw new UsageError(
    `${option} takes one value, or one for each of the model's ${stages} stages; got ${values.length}.`,
  );
}

async function measuredPilot(bundle: Bundle, flags: PlanFlags, batchTokens: number): Promise<MeasuredPilot> {
  const onNote = (note: string): void => noteLine(flags, note);
  const options = (policy: ExitPolicy): PilotOptions => ({
    policy,
    batchTokens,
    device: flags.device,
    onNote,
  });
  const named = flags.pilot === undefined ? undefined : await readPilot(flags.pilot);
  switch (named?.kind) {
    case 'measured':
      if (named.measured.bundle !== bundle.hash) onNote(otherBundle(flags, named.measured.bundle));
      return named.measured;
    case 'counts': {
      if (named.bundle !== bundle.hash) onNote(otherBundle(flags, named.bundle));
      const asked = flags.speed !== undefined || flags.policy !== undefined || named.policy === undefined;
      const policy = asked
        ? await choosePolicy(bundle.manifest, flags)
        : policyOf(bundle.manifest, { policy: named.policy });
      return pilotOfCounts(bundle, named, options(policy));
    }
    case 'corpus': {
      const paths = await corpusPaths([flags.pilot!]);
      const policy = await choosePolicy(bundle.manifest, flags);
      const { task, labels, problem } = bundle.manifest;
      return withStandardInput(paths, (stdin) =>
        pilotOfCorpus(
          bundle,
          { ...flags, paths, stdin, limit: flags.pilotRows, recognise: { task, labels, problem } },
          options(policy),
        ),
      );
    }
    case undefined:
      onNote(
        'There is no --pilot: planned for full depth, every row as long as the model takes. It will be less.',
      );
      return pilotOfCounts(
        bundle,
        { source: 'no pilot: every row through every layer', pilot: fullDepth(bundle.manifest) },
        options(policyOf(bundle.manifest, bundle.manifest.problem === 'regression' ? {} : { speed: 0 })),
      );
  }
}

function otherBundle({ model }: PlanFlags, bundle: string): string {
  return `The pilot is of another bundle (${bundle.slice(0, 12)}) than ${model}: its rows may leave elsewhere.`;
}
