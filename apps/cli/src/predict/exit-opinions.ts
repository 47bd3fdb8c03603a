import type { Bundle } from '#model/bundle/bundle.js';
import { answerFormOf } from '#model/bundle/manifest.js';
import { StagedModel } from '#model/compile/staged-model.js';
import type { AnswerForm } from '#pipeline/answer-form.js';
import { hasLabel } from '#pipeline/answer-form.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';

export interface ExitOpinion {
  readonly layer: number;
  /** The most probable label; of a multi-label model those that the text has, of a regression none. */
  readonly labels: readonly string[];
  /** The highest probability; of a regression the first number. */
  readonly confidence: number;
  readonly uncertainty: number;
  /** Below it a text leaves here. */
  readonly threshold: number;
  /** By label; of a regression its numbers. */
  readonly probabilities: Readonly<Record<string, number>>;
}

export interface TextOpinions {
  readonly tokens: number;
  readonly truncated: boolean;
  readonly exits: readonly ExitOpinion[];
  /** Layer of the exit where the policy lets the text leave. */
  readonly leavesAt: number;
}

/** What every exit says of one text, and which one it would leave at. Runs on the calling thread. */
export async function exitOpinions(
  { directory, manifest, stageFiles }: Bundle,
  policy: ExitPolicy,
  text: string,
  pair: string | undefined,
): Promise<TextOpinions> {
  const { labels, specialTokens, maxLength } = manifest;
  const form = answerFormOf(manifest);
  const tokenizer = await TextTokenizer.load(directory, { rule: specialTokens, maxLength });
  const columns = tokenizer.tokenize([text], pair === undefined ? undefined : [pair]);
  const stages = manifest.stages.map((stage, index) => ({
    embeds: index === 0,
    layers: stage.layers ?? undefined,
    exits: stage.exits,
  }));
  const model = await StagedModel.open(stageFiles, stages, labels.length);
  const opinions = await model.opinions(columns);
  await model.release();
  const exits = [...opinions.exits].map(([layer, { probabilities, uncertainty }]): ExitOpinion => {
    const confidence = probabilities.reduce((most, p) => Math.max(most, p));
    return {
      layer,
      labels: labelsGiven(form, labels, probabilities, confidence),
      confidence,
      uncertainty: uncertainty[0]!,
      threshold: policy.get(layer)!,
      probabilities: Object.fromEntries(labels.map((label, index) => [label, probabilities[index]!])),
    };
  });
  const leaves = exits.find((exit) => exit.uncertainty < Math.fround(exit.threshold)) ?? exits.at(-1);
  return {
    tokens: columns.ids.length,
    truncated: columns.truncated[0] === 1,
    exits,
    leavesAt: leaves!.layer,
  };
}

function labelsGiven(
  form: AnswerForm,
  labels: readonly string[],
  probabilities: Float32Array,
  confidence: number,
): string[] {
  switch (form.problem) {
    case 'single-label':
      return [labels[probabilities.indexOf(confidence)]!];
    case 'multi-label':
      return labels.filter((_, index) => hasLabel(probabilities[index]!, form.thresholds[index]!));
    case 'regression':
      return [];
  }
}
