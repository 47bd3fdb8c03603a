import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { labelArgs } from './corpus-case.js';
import type { HostileCase, HostileSection } from './hostile-case.js';

function flag(exit: 1 | 2, says: RegExp, ...options: string[]): HostileCase {
  return policy(options.join(' '), options, says, undefined, exit);
}

/** @param content of policy.json, or what makes it */
function policy(
  name: string,
  options: readonly string[],
  says: RegExp,
  content: string | ((path: string) => Promise<unknown>) | undefined,
  exit: 1 | 2 = 2,
): HostileCase {
  return {
    name,
    make: async (folder) => {
      await writeFile(join(folder, 'rows.jsonl'), '{"text":"hello"}\n');
      const path = join(folder, 'policy.json');
      if (typeof content === 'string') await writeFile(path, content);
      else await content?.(path);
    },
    steps: [{ args: labelArgs('rows.jsonl', ...options), exit, says }],
  };
}

const file = ['--policy', 'policy.json'];
const pipe = async (path: string): Promise<void> => {
  execFileSync('mkfifo', [path]);
};

export const hostileFlags: HostileSection = {
  title: 'Options',
  cases: [
    flag(2, /'NaN' is invalid\. Expected a number from 0 to 1/, '--speed', 'NaN'),
    flag(2, /'-1' is invalid\. Expected a number from 0 to 1/, '--speed', '-1'),
    flag(2, /'2' is invalid\. Expected a number from 0 to 1/, '--speed', '2'),
    flag(2, /'0' is invalid\. Expected a whole number from 1/, '--limit', '0'),
    flag(2, /'1e99' is invalid\. Expected a whole number from 1/, '--chunk-rows', '1e99'),
    flag(2, /'100000' is invalid\. Expected a whole number from 1 to 256/, '--workers', '100000'),
    flag(2, /'100000' is invalid\. Expected a whole number from 1 to 256/, '--tokenizer-threads', '100000'),
    flag(2, /Expected a whole number from 1 to 67108864/, '--max-row-bytes', '9007199254740991'),
    flag(1, /there is no "__proto__" in the first rows/, '--text-field', '__proto__'),
    flag(2, /There is no preset and no file '__proto__'/, '--policy', '__proto__'),
    policy('a policy without most exits', file, /no threshold for exit 1/, '{"0": 0.1}'),
    policy('a policy with a threshold of 5', file, /thresholds from 0 to 1/, '{"0": 5}'),
    policy('a policy that is no JSON', file, /policy\.json is not JSON/, '{"0": 0.1'),
    policy('a policy that is a folder', file, /policy\.json cannot be read: it is a folder/, (path) =>
      mkdir(path),
    ),
    policy('a policy that is a pipe', file, /cannot be read: it is a folder, pipe or device/, pipe),
    policy(
      'a policy that never ends',
      ['--policy', '/dev/zero'],
      /cannot be read: it is a folder, pipe or device/,
      undefined,
    ),
    policy('a bundle that is a file', ['--model', 'rows.jsonl'], /not a bundle/, undefined, 1),
  ],
};
