import type { Command } from 'commander';
import { Option } from 'commander';
import type { ReadOptions } from '#corpus/corpus-options.js';
import { rowBytes, wholeNumber } from '../option-values.js';

/** How the rows of a corpus are read. */
export type CorpusFields = Pick<
  ReadOptions,
  | 'format'
  | 'header'
  | 'quotes'
  | 'textField'
  | 'pairField'
  | 'labelField'
  | 'maxRowBytes'
  | 'maxColumns'
  | 'maxDecompressedBytes'
>;

/** The options of every command that reads a corpus. @param labelHelp what its label field is for */
export function withCorpusFields(
  command: Command,
  labelHelp = 'field that holds the right label, or the number of its class; accuracy is then measured (default: label, but beside text none)',
): Command {
  return command
    .addOption(
      new Option('--format <format>', 'of the corpus (default: by its extension, .gz left out)').choices([
        'jsonl',
        'csv',
        'tsv',
        'txt',
        'parquet',
      ]),
    )
    .option(
      '--header',
      'csv and tsv: the first line names the columns (default, but for tsv whose rows are all label<TAB>text)',
    )
    .option('--no-header', 'csv and tsv: the first line is a row; columns are named 1, 2, …')
    .option('--quotes', 'csv and tsv: quotes may enclose a field (default, but for tsv of a recognised form)')
    .option('--no-quotes', 'csv and tsv: quotes are characters like any other, as in many tsv files')
    .option(
      '--text-field <name>',
      'field that holds the text (default: text, or text_a or sentence where there is none)',
    )
    .option(
      '--pair-field <name>',
      'field that holds the second text, for models of pairs (default: text_b of text_a, sentence2 of sentence1 and the like)',
    )
    .option('--label-field <name>', labelHelp)
    .option('--max-row-bytes <n>', 'reject longer rows (default: 1 MiB)', rowBytes)
    .option(
      '--max-columns <n>',
      'refuse a csv, tsv or parquet of more columns (default: 10,000)',
      wholeNumber(1),
    )
    .option(
      '--max-decompressed-bytes <n>',
      'stop where more come out of one .gz or parquet file (default: many times its bytes)',
      wholeNumber(1),
    );
}
