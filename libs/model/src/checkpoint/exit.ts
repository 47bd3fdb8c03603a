import { z } from 'zod';

const layer = z.int().nonnegative();
/** Width of the exit, and the heads of its attention. */
const attention = { size: z.int().positive(), heads: z.int().positive() };

export const exitSchema = z.discriminatedUnion('kind', [
  z.object({ layer, kind: z.literal('fastbert'), ...attention }),
  z.object({ layer, kind: z.literal('bitvoyage'), ...attention }),
  z.object({
    layer,
    kind: z.literal('pooler'),
    /** Between the exit's two linear maps: tanh in BERT's head and RoBERTa's, gelu in ELECTRA's, relu in DistilBERT's. */
    activation: z.enum(['tanh', 'gelu', 'relu']).default('tanh'),
  }),
]);

/** The classifier after a layer, 0 being the embeddings. The formulas of each kind stand in fold-exit.ts. */
export type Exit = z.infer<typeof exitSchema>;
