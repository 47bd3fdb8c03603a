/** A short fuzzing of the readers; `npm run fuzz` is the long one. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fuzzCase, targetOf } from './fuzz-case.js';
import { fuzzTargets } from './targets.js';

const CASES = 700;

it('mutants are read, or refused on one line that names the file', async () => {
  const targets = await fuzzTargets(join(import.meta.dirname, '../fixtures'));
  const refused = new Map<string, number>();
  for (let number = 0; number < CASES; number += 1) {
    const { name } = targetOf(targets, number);
    const outcome = await fuzzCase(targets, 1, number);
    if (outcome.kind === 'wrong') expect.fail(`case ${number}, ${name}: ${outcome.problem}`);
    if (outcome.kind === 'refused') refused.set(name, (refused.get(name) ?? 0) + 1);
  }
  // Mutants that all readers take, or none, would show nothing.
  for (const { name } of targets) {
    expect(refused.get(name), name).toBeGreaterThan(20);
    expect(refused.get(name), name).toBeLessThan(CASES / targets.length);
  }
});
