/** Reads deploy/Containerfile. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../project-folder.js';

/** One instruction, such as `COPY --from=root / /`. */
export interface Instruction {
  /** In capitals. */
  readonly name: string;
  readonly flags: readonly string[];
  /** What follows the flags. */
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  /** The stage or image that it begins with. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

export interface Containerfile {
  /** Of `ARG` before the first stage. */
  readonly defaults: ReadonlyMap<string, string>;
  readonly stages: ReadonlyMap<string, Stage>;
}

export const containerfilePath = join(projectFolder, 'deploy/Containerfile');

export function readContainerfile(): Containerfile {
  const defaults = new Map<string, string>();
  const stages = new Map<string, Stage & { instructions: Instruction[] }>();
  let stage: (Stage & { instructions: Instruction[] }) | undefined;
  for (const instruction of instructionsOf(readFileSync(containerfilePath, 'utf8'))) {
    const { name, text } = instruction;
    if (name === 'FROM') {
      const [, from, as] = /^(\S+) AS (\S+)$/.exec(text) ?? [];
      if (from === undefined || as === undefined)
        throw new Error(`Expected FROM … AS a name; got ${JSON.stringify(text)}.`);
      stage = { name: as, from, instructions: [] };
      stages.set(as, stage);
    } else if (stage !== undefined) {
      stage.instructions.push(instruction);
    } else {
      const [variable = '', value = ''] = text.split('=');
      defaults.set(variable, value);
    }
  }
  return { defaults, stages };
}

function instructionsOf(file: string): Instruction[] {
  const lines = file
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...words] = line.split(' ');
      const plain = words.findIndex((word) => !word.startsWith('--'));
      return {
        name: name.toUpperCase(),
        flags: words.slice(0, plain),
        text: words.slice(plain).join(' '),
      };
    });
}
