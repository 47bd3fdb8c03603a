import { z } from 'zod';
import type { Manifest } from './manifest.js';

/**
 * Golden texts: fixed sentences with what every exit said of them when the bundle was compiled. A worker labels them at
 * start; the same runtime must give the same bits, another one nearly the same numbers. They are ours, so that no text
 * of a user's corpus travels with a bundle. Lengths and scripts differ on purpose.
 */
export const goldenTexts: readonly string[] = [
  'Yes.',
  'The meeting has been moved to Thursday at ten.',
  'Shares fell four percent after the company cut its forecast for the second time this year.',
  'URGENT!!! You have WON a prize of $1,000,000 — click here now to claim it, offer ends today!!!',
  'The home side scored twice in the last five minutes and kept its place at the top of the table.',
  'Could you have a look at the attached patch? It fixes the crash when the list is empty, and adds a test.',
  'Researchers describe a probe that measures magnetic fields in the thin atmosphere of a distant moon.',
  'Talks between the two governments ended without agreement; both said that they would meet again next month.',
  'We stayed three nights. The room was clean and quiet, the breakfast poor, and the staff could not have been kinder.',
  '房间很干净，服务员也很热情，早餐一般。',
  'Größe, naïve, façade, Ærø: letters with marks and ligatures such as ﬁ and ﬂ.',
  'def area(r): return 3.14159 * r ** 2  # why not math.pi?',
  'a',
  'One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen, fifteen, sixteen.',
];

export const goldenSchema = z.object({
  /** Fingerprint of the runtime that computed the outputs. */
  fingerprint: z.string(),
  texts: z.array(
    z.object({
      text: z.string(),
      pair: z.string().optional(),
      ids: z.array(z.int().nonnegative()),
      exits: z.array(
        z.object({
          layer: z.int().nonnegative(),
          probabilities: z.array(z.number()),
          uncertainty: z.number(),
        }),
      ),
    }),
  ),
});
export type Golden = z.infer<typeof goldenSchema>;

/** What golden texts lack to prove every exit of the bundle; undefined where they lack nothing. */
export function goldenInconsistency({ texts }: Golden, { exits, labels }: Manifest): string | undefined {
  if (texts.length === 0) return 'it has no texts';
  const layers = exits.map(({ layer }) => layer).join(', ');
  for (const { text, exits: said } of texts) {
    const found = said.map(({ layer }) => layer).join(', ');
    if (found !== layers) {
      return `of ${JSON.stringify(text)} it has exits ${found || 'none'}; the bundle has ${layers}`;
    }
    const wrong = said.find(({ probabilities }) => probabilities.length !== labels.length);
    if (wrong !== undefined) {
      return `exit ${wrong.layer} of ${JSON.stringify(text)} has ${wrong.probabilities.length} probabilities for ${labels.length} labels`;
    }
  }
  return undefined;
}
