import { useEffect, useState } from 'preact/hooks';
import { bytesText } from '../words/quantity.js';

/** Text and links can be dragged as well; they are no corpus. */
const bringsFiles = ({ dataTransfer }: DragEvent): boolean =>
  dataTransfer !== null && dataTransfer.types.includes('Files');

function keepPage(event: DragEvent): void {
  if (bringsFiles(event)) event.preventDefault();
}

/** Takes files that are dropped or chosen. */
export function DropZone({
  files,
  onFiles,
}: {
  readonly files: readonly File[];
  readonly onFiles: (files: readonly File[]) => void;
}) {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    // Dropped beside the zone, files would take the place of the page.
    addEventListener('dragover', keepPage);
    addEventListener('drop', keepPage);
    return () => {
      removeEventListener('dragover', keepPage);
      removeEventListener('drop', keepPage);
    };
  }, []);
  return (
    <div
      class={isOver ? 'drop over' : 'drop'}
      onDragOver={(event) => setOver(bringsFiles(event))}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        if (bringsFiles(event)) onFiles([...(event.dataTransfer?.files ?? [])]);
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
          {files.map(({ name, size }, index) => (
            <li key={index} class="breaks">
              {name} <span class="note">{bytesText(size)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
