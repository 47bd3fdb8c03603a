import { z } from 'zod';

const fieldName = z.string().min(1).max(1024);

/** What a run is asked to do, as the API takes it. */
export const runRequestSchema = z.strictObject({
  model: z
    .string()
    .min(1)
    .max(255)
    .describe(
      'Name of a model that the producer serves, such as topics: its promoted version; or a version of it, such as topics@3.',
    ),
  speed: z.number().min(0).max(1).optional().describe('Leave at the first exit less uncertain than this.'),
  policy: z
    .union([z.string().max(255), z.record(z.string().regex(/^\d{1,3}$/), z.number().min(0).max(1))])
    .optional()
    .describe('A preset of the bundle, such as balanced, or thresholds by the layer of each exit.'),
  format: z
    .enum(['jsonl', 'csv', 'tsv', 'txt', 'parquet'])
    .optional()
    .describe('Of the corpus; by its name unless given.'),
  header: z.boolean().optional().describe('csv and tsv: whether the first line names the columns.'),
  quotes: z.boolean().optional().describe('csv and tsv: whether quotes may enclose a field.'),
  textField: fieldName.optional().describe('Field that holds the text.'),
  pairField: fieldName.optional().describe('Field that holds the second text, for models of pairs.'),
  labelField: fieldName.optional().describe('Field that holds the right label; accuracy is then measured.'),
  fields: z.array(fieldName).max(10_000).optional().describe('Carry only these input fields to the output.'),
  limit: z.int().min(1).optional().describe('Stop after so many rows.'),
  maxRowBytes: z
    .int()
    .min(1)
    .max(1 << 26)
    .optional()
    .describe('Reject longer rows.'),
  maxColumns: z.int().min(1).optional().describe('Refuse a csv, tsv or parquet of more columns.'),
  maxDecompressedBytes: z
    .int()
    .min(1)
    .optional()
    .describe('Stop where more come out of one compressed file.'),
  outFormat: z.enum(['jsonl', 'csv', 'parquet']).optional().describe('Of the output; jsonl unless given.'),
  compress: z.boolean().optional().describe('Whether the output is gzip.'),
  probabilities: z.boolean().optional().describe('Write the probability of every class.'),
  spreadsheetSafe: z
    .boolean()
    .optional()
    .describe('csv: neutralise cells that spreadsheets take for formulas.'),
  priority: z.enum(['high', 'normal', 'low']).optional().describe('Among runs; normal unless given.'),
  path: z
    .union([z.string().min(1).max(4096), z.array(z.string().min(1).max(4096)).min(1).max(10_000)])
    .optional()
    .describe('Files of the producer’s machine, below the folder that it allows.'),
  rows: z
    .array(z.record(z.string(), z.unknown()))
    .min(1)
    .optional()
    .describe('The rows themselves, in place of a file.'),
});

export type RunRequest = z.infer<typeof runRequestSchema>;

export const classifyRequestSchema = z.strictObject({
  model: runRequestSchema.shape.model,
  speed: runRequestSchema.shape.speed,
  policy: runRequestSchema.shape.policy,
  texts: z.array(z.string()).min(1).describe('Texts to label.'),
  pairs: z.array(z.string()).optional().describe('Second texts, for models of pairs.'),
});

export type ClassifyRequest = z.infer<typeof classifyRequestSchema>;
