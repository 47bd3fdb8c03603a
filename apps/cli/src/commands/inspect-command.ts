import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { openBundle } from '#model/bundle/bundle.js';
import { openModel } from '#model/import/open-model.js';
import { bundleLines } from '../bundle-view.js';
import { checkpointFacts, checkpointJson, checkpointLines } from '../import/checkpoint-view.js';
import type { OutputOptions } from './output-options.js';
import { printResult, tableLayout, withOutputOptions } from './output-options.js';

const examples = `
Examples:
  $ sluice inspect models/spam            # a bundle: checks every file's hash, shows stages, exits, presets
  $ sluice inspect spam-fastbert          # a checkpoint: shows geometry, labels, exits, what is not used
  $ sluice inspect fastbert/Epoch_3.bin   # a model of another program, as sluice import would read it
  $ sluice inspect models/spam --json`;

export function addInspectCommand(program: Command): void {
  const command = program
    .command('inspect')
    .description('show what a bundle or a checkpoint is')
    .argument('<model>', 'directory of a bundle or of a model, or its weight file')
    .addHelpText('after', examples)
    .action(async (directory: string, flags: OutputOptions) => {
      const bundle = await access(join(directory, 'bundle.json')).then(
        () => true,
        () => false,
      );
      await (bundle ? inspectBundle(directory, flags) : inspectCheckpoint(directory, flags));
    });
  withOutputOptions(command);
}

async function inspectBundle(directory: string, flags: OutputOptions): Promise<void> {
  const { manifest, hash, golden } = await openBundle(directory);
  printResult(flags, { kind: 'bundle', hash, ...manifest }, () => [
    ...bundleLines(manifest, tableLayout()),
    '',
    `hash        ${hash}`,
    `checkpoint  ${manifest.provenance.checkpoint}`,
    `compiled by ${manifest.provenance.tool} on ${golden.fingerprint}`,
  ]);
}

async function inspectCheckpoint(path: string, flags: OutputOptions): Promise<void> {
  const checkpoint = await openModel(path);
  try {
    const { config, sha256 } = checkpoint;
    const facts = await checkpointFacts(checkpoint, config);
    printResult(flags, { kind: 'checkpoint', sha256, ...checkpointJson(facts) }, () => [
      ...checkpointLines(facts, tableLayout()),
      '',
      `sha256 ${sha256}`,
    ]);
  } finally {
    await checkpoint.close();
  }
}
