import type { CorpusSample } from '../new-run/corpus-sample.js';

const formats = ['jsonl', 'csv', 'tsv', 'txt', 'parquet'] as const;
export type CorpusFormat = (typeof formats)[number];

/** How the corpus is read. */
export function CorpusChoices({
  sample: { fields },
  isPair,
  onFormat,
}: {
  readonly sample: CorpusSample;
  readonly isPair: boolean;
  /** Undefined: by the name of the file. */
  readonly onFormat: (format: CorpusFormat | undefined) => void;
}) {
  return (
    <div class="fields">
      <label>
        Format of the corpus
        <select
          onChange={({ currentTarget: { value } }) => onFormat(formats.find((format) => format === value))}
        >
          <option value="">told by the name of the file</option>
          {formats.map((format) => (
            <option key={format}>{format}</option>
          ))}
        </select>
      </label>
      <FieldChoice name="textField" title="Field of the text" fields={fields} />
      {isPair && <FieldChoice name="pairField" title="Field of the second text" fields={fields} />}
      <FieldChoice name="labelField" title="Field of the right label" none="there is none" fields={fields} />
    </div>
  );
}

function FieldChoice({
  name,
  title,
  none = 'told by the head of the file',
  fields,
}: {
  readonly name: string;
  readonly title: string;
  readonly none?: string;
  readonly fields: readonly string[];
}) {
  return (
    <label>
      {title}
      {fields.length === 0 ? (
        <input name={name} placeholder={none} />
      ) : (
        <select name={name}>
          <option value="">{none}</option>
          {fields.map((field) => (
            <option key={field}>{field}</option>
          ))}
        </select>
      )}
    </label>
  );
}
