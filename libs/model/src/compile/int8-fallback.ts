import { answerFormOf } from '../bundle/manifest.js';
import type { TokenColumns } from '#pipeline/columns.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { ExitOpinions } from './exit-opinions.js';
import { exitQuality } from './exit-quality.js';
import type { Quantisation } from './linear-writer.js';
import type { ModelWeights } from './stage-graph.js';
import { matmulNames, writeStageGraph } from './stage-graph.js';
import type { StagePlan } from './stages.js';
import { threadedOpinions } from './threaded-opinions.js';

/** int8 does not reach the agreement that was asked for, even with half of the matmuls in float32. */
export class AgreementError extends Error {
  override readonly name = 'AgreementError';
  constructor(
    readonly agreement: number,
    readonly minAgreement: number,
    float32Matmuls: number,
  ) {
    super(
      `int8 labels ${(agreement * 100).toFixed(2)} % of the measured texts as float32 does, with ${float32Matmuls} matmuls turned back to ` +
        `float32; ${(minAgreement * 100).toFixed(2)} % is asked for. Calibrate with more or more typical texts, lower --min-agreement, or use --precision fp32.`,
    );
  }
}

/** Texts that the damage of single matmuls is measured on. */
const DAMAGE_ROWS = 128;

export interface Int8Choice {
  readonly float32Matmuls: ReadonlySet<string>;
  readonly opinions: ExitOpinions;
}

export interface Int8Task {
  readonly config: CheckpointConfig;
  readonly weights: ModelWeights;
  readonly stages: readonly StagePlan[];
  readonly calibrated: Pick<Quantisation, 'scales' | 'outliers'>;
  readonly tokens: TokenColumns;
  /** What float32 says of the same rows. */
  readonly reference: ExitOpinions;
  readonly minAgreement: number;
  readonly onStep?: ((step: string) => void) | undefined;
}

/**
 * Turns matmuls back to float32 until the last exit agrees with float32 on `minAgreement` of the rows: the worst first,
 * 1, 2, 4, … of them. A matmul's damage is how far the last exit's probabilities move when it alone is int8.
 * @throws AgreementError when half of the matmuls in float32 do not do
 */
export async function chooseInt8Matmuls(task: Int8Task): Promise<Int8Choice> {
  const form = answerFormOf(task.config);
  const names = matmulNames(task.config, [...task.weights.exits.keys()]);
  let byDamage: string[] | undefined;
  for (let count = 0; ; count = Math.max(1, count * 2)) {
    if (count > 0) byDamage ??= await rankByDamage(task, names);
    const float32Matmuls = new Set(byDamage?.slice(0, count));
    if (count > 0) task.onStep?.(`${count} matmuls in float32: ${[...float32Matmuls].join(', ')}`);
    const opinions = await run(task, float32Matmuls, task.tokens);
    const agreement = exitQuality(opinions, task.reference, undefined, form).at(-1)!.agreement;
    if (agreement >= task.minAgreement) return { float32Matmuls, opinions };
    if (count * 2 > names.length / 2) throw new AgreementError(agreement, task.minAgreement, count);
    task.onStep?.(`agreement ${agreement.toFixed(4)} is below ${task.minAgreement}`);
  }
}

async function rankByDamage(task: Int8Task, names: readonly string[]): Promise<string[]> {
  const tokens = firstRows(task.tokens, DAMAGE_ROWS);
  const lastLayer = task.config.geometry.layers;
  const expected = task.reference.exits.get(lastLayer)!.probabilities;
  const damage = new Map<string, number>();
  for (const name of names) {
    task.onStep?.(`damage of ${name}`);
    const opinions = await run(task, new Set(names.filter((other) => other !== name)), tokens);
    const found = opinions.exits.get(lastLayer)!.probabilities;
    damage.set(
      name,
      found.reduce((sum, p, i) => sum + Math.abs(p - expected[i]!), 0),
    );
  }
  return [...names].sort((a, b) => damage.get(b)! - damage.get(a)!);
}

function run(
  { config, weights, stages, calibrated }: Int8Task,
  float32Matmuls: ReadonlySet<string>,
  tokens: TokenColumns,
): Promise<ExitOpinions> {
  const models = stages.map((stage) =>
    writeStageGraph({
      config,
      weights,
      stage,
      precision: 'int8',
      quantisation: { ...calibrated, float32Matmuls },
    }),
  );
  return threadedOpinions(config, stages, models, tokens);
}

function firstRows(tokens: TokenColumns, count: number): TokenColumns {
  const rows = Math.min(count, tokens.offsets.length - 1);
  return {
    ...tokens,
    offsets: tokens.offsets.subarray(0, rows + 1),
    truncated: tokens.truncated.subarray(0, rows),
  };
}
