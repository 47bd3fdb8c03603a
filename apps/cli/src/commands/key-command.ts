import { createHash, randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { Option } from 'commander';
import { z } from 'zod';
import { readRegularFile } from '#pipeline/regular-file.js';
import { writeDurably } from '#pipeline/run-directory/durable-write.js';
import { UsageError } from '#run/usage-error.js';
import type { OutputOptions } from './output-options.js';
import { printResult, withOutputOptions } from './output-options.js';

const examples = `
Examples:
  $ sluice key ann --scope submit --file keys.json
  $ SLUICE_PRODUCER_KEYS_FILE=keys.json SLUICE_PRODUCER_API_HOST=0.0.0.0 node dist/apps/producer/src/main.js
  $ SLUICE_API_KEY=… sluice runs --server https://sluice.example.org

The key is printed once. The file holds its hash alone; the producer reads it at its start.`;

const keysSchema = z.array(z.looseObject({ id: z.string() }));

interface KeyFlags extends OutputOptions {
  readonly scope: string;
  readonly file: string;
}

export function addKeyCommand(program: Command): void {
  withOutputOptions(
    program
      .command('key')
      .description("make an API key for a producer, and add its hash to the producer's file of keys")
      .argument('<id>', 'whose key it is: letters, digits, - and _')
      .addOption(
        new Option(
          '--scope <scope>',
          'read: look; submit: also submit and classify; admin: also what is of others',
        )
          .choices(['read', 'submit', 'admin'])
          .default('submit'),
      )
      .requiredOption('--file <keys.json>', 'file of the keys; made where there is none')
      .addHelpText('after', examples)
      .action((id: string, flags: KeyFlags) => makeKey(id, flags)),
  );
}

async function makeKey(id: string, flags: KeyFlags): Promise<void> {
  const { scope, file } = flags;
  if (!/^[\w-]{1,64}$/.test(id))
    throw new UsageError(`Expected an id of letters, digits, - and _; got ${JSON.stringify(id)}.`);
  const keys = await readKeys(file);
  if (keys.some((key) => key.id === id))
    throw new UsageError(`${file} has a key of ${id} already: take it out first.`);
  const key = `sluice_${randomBytes(24).toString('base64url')}`;
  const sha256 = createHash('sha256').update(key).digest('hex');
  await writeDurably(file, `${JSON.stringify([...keys, { id, sha256, scope }], undefined, 2)}\n`);
  // Also with --quiet: nothing else ever tells the key.
  printResult({ json: flags.json }, { id, scope, file, key }, () => [key]);
}

async function readKeys(file: string): Promise<z.infer<typeof keysSchema>> {
  let text: string;
  try {
    text = await readRegularFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  try {
    return keysSchema.parse(JSON.parse(text));
  } catch {
    throw new UsageError(`${file} is no file of keys.`);
  }
}
