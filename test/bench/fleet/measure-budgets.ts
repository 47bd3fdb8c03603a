import { startStageRunner } from '#inference/start-stage-runner.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { spreadOf } from '../statistics.js';

/** Tokens a second of the last stage, in full batches of so many tokens. */
export interface BudgetFigure {
  readonly budget: number;
  readonly tokensPerSecond: number;
}

const BUDGETS = [64, 128, 256, 384, 512, 768, 1024, 2048];
const ROUNDS = 7;
const SECONDS_EACH = 0.5;
/** Of the most throughput that any budget has. */
const ENOUGH = 0.95;

/** @param length tokens of a row @returns figures of all budgets, the smallest first */
export async function measureBudgets(bundle: Bundle, length: number): Promise<BudgetFigure[]> {
  const layout = layoutOf(bundle.manifest);
  const stage = layout.stages.length - 1;
  const runner = await startStageRunner({
    files: bundle.stageFiles,
    layout,
    workers: 1,
    stages: [stage, stage],
  });
  try {
    const run = async (rows: number): Promise<void> => {
      const hidden = Float32Array.from({ length: rows * length * layout.hiddenSize }, (_, at) =>
        Math.sin(at),
      );
      const policy = new Float32Array(layout.stages[stage]!.exits.length);
      await runner.run({ stage, rows, tokens: length, policy, input: { kind: 'hidden', hidden } });
    };
    await run(Math.ceil(1024 / length));
    const paces = new Map<number, number[]>(BUDGETS.map((budget) => [budget, []]));
    // In turn, so that no budget has a better minute of the machine than another.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const budget of BUDGETS) {
        const rows = Math.max(1, Math.floor(budget / length));
        const begun = performance.now();
        let batches = 0;
        while (performance.now() - begun < SECONDS_EACH * 1000) {
          await run(rows);
          batches += 1;
        }
        paces.get(budget)!.push((batches * rows * length * 1000) / (performance.now() - begun));
      }
    }
    return Array.from(paces, ([budget, each]) => ({ budget, tokensPerSecond: spreadOf(each).median }));
  } finally {
    await runner.close();
  }
}

/** The smallest budget that comes near the most throughput. */
export function smallestEnough(figures: readonly BudgetFigure[]): number {
  const most = Math.max(...figures.map(({ tokensPerSecond }) => tokensPerSecond));
  return figures.find(({ tokensPerSecond }) => tokensPerSecond >= ENOUGH * most)!.budget;
}
