import type { TokenColumns } from '#pipeline/columns.js';
import type { JobInput, StageJob } from '#pipeline/fleet/fleet-ports.js';

/** A column as BullMQ's JSON holds it: base64 of its bytes, little-endian. */
type Packed = string;

interface PackedTokens {
  readonly ids: Packed;
  readonly segments?: Packed | undefined;
  readonly lengths: Packed;
  readonly truncated: Packed;
}

/** The data of a job in the queue. */
export interface JobData extends Omit<StageJob, 'rows' | 'input'> {
  /** Absent where they are all rows of the chunk. */
  readonly rows?: Packed | undefined;
  readonly input:
    | Extract<JobInput, { kind: 'texts' }>
    | { readonly kind: 'tokens'; readonly tokens: PackedTokens; readonly activations?: string | undefined };
}

export function packJob(job: StageJob): JobData {
  const { rows, input, ...rest } = job;
  return {
    ...rest,
    rows: rows.length === job.chunkRows ? undefined : pack(rows),
    input:
      input.kind === 'texts'
        ? input
        : { kind: 'tokens', tokens: packTokens(input.tokens), activations: input.activations },
  };
}

export function unpackJob(data: JobData): StageJob {
  const { rows, input, ...rest } = data;
  return {
    ...rest,
    rows:
      rows === undefined ? Int32Array.from({ length: data.chunkRows }, (_, row) => row) : unpackInt32(rows),
    input:
      input.kind === 'texts'
        ? input
        : { kind: 'tokens', tokens: unpackTokens(input.tokens), activations: input.activations },
  };
}

function packTokens({ ids, segments, offsets, truncated }: TokenColumns): PackedTokens {
  return {
    ids: pack(ids),
    segments: segments && pack(Uint8Array.from(segments)),
    lengths: pack(Int32Array.from(truncated, (_, row) => offsets[row + 1]! - offsets[row]!)),
    truncated: pack(truncated),
  };
}

function unpackTokens({ ids, segments, lengths, truncated }: PackedTokens): TokenColumns {
  const rows = unpackInt32(lengths);
  const offsets = new Int32Array(rows.length + 1);
  for (const [row, length] of rows.entries()) offsets[row + 1] = offsets[row]! + length;
  return {
    ids: unpackInt32(ids),
    segments: segments === undefined ? undefined : Int32Array.from(bytesOf(segments)),
    offsets,
    truncated: bytesOf(truncated),
  };
}

function pack({ buffer, byteOffset, byteLength }: Int32Array | Uint8Array): Packed {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** A copy, so that the numbers begin where theirs may. */
const bytesOf = (packed: Packed): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(packed, 'base64'));

const unpackInt32 = (packed: Packed): Int32Array => new Int32Array(bytesOf(packed).buffer);
