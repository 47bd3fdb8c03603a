import { useState } from 'preact/hooks';
import { bytesText } from '../words/quantity.js';

/** Takes files that are dropped or chosen. */
export function DropZone({
  files,
  onFiles,
}: {
  readonly files: readonly File[];
  readonly onFiles: (files: readonly File[]) => void;
}) {
  const [isOver, setOver] = useState(false);
  return (
    <div
      class={isOver ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onFiles([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <label for="corpus">
        <strong>Drop a corpus here</strong>, or choose it. jsonl, csv, tsv, txt or parquet, compressed by gzip
        or not; several files are one corpus.
      </label>
      <input
        id="corpus"
        type="file"
        multiple
        onChange={({ currentTarget }) => onFiles([...(currentTarget.files ?? [])])}
      />
      {files.length > 0 && (
        <ul class="files" aria-label="The corpus">
          {files.map(({ name, size }) => (
            <li key={name}>
              {name} <span class="note">{bytesText(size)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
