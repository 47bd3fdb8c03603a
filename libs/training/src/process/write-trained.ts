import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointConfigJson } from '#model/checkpoint/checkpoint-config.js';
import { layoutTensors } from '#model/checkpoint/layout-tensors.js';
import { writeSafetensors } from '#model/checkpoint/write-safetensors.js';
import { writeWholeDirectory } from '#model/whole-directory.js';
import type { TokenizerJson } from '#tokenizer/tokenizer-json.js';
import type { TrainableModel } from '../model/trainable-model.js';

/**
 * Writes a trained model in the checkpoint layout, to a directory that appears whole or not at all.
 * @param files that lie beside it, by their names
 */
export async function writeTrained(
  out: string,
  { config, values }: TrainableModel,
  tokenizer: TokenizerJson,
  files: ReadonlyMap<string, string>,
): Promise<void> {
  await writeWholeDirectory(out, async (folder) => {
    const json = JSON.stringify(checkpointConfigJson(config), null, 2);
    await writeFile(join(folder, 'config.json'), `${json}\n`, { flush: true });
    await writeFile(join(folder, 'tokenizer.json'), `${JSON.stringify(tokenizer)}\n`, { flush: true });
    for (const [name, text] of files) await writeFile(join(folder, name), text, { flush: true });
    await writeSafetensors(join(folder, 'model.safetensors'), layoutTensors(config), ({ name }) =>
      Promise.resolve(values.get(name)!),
    );
  });
}
