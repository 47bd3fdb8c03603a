import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StageJob } from '#pipeline/fleet/fleet-ports.js';
import { packJob, unpackJob } from './job-data.js';

const tokens = fc
  .array(fc.array(fc.nat({ max: 300_000 }), { minLength: 1, maxLength: 5 }), { maxLength: 6 })
  .chain((rows) =>
    fc.record({
      ids: fc.constant(Int32Array.from(rows.flat())),
      segments: fc.option(fc.constant(Int32Array.from(rows.flat(), (id) => id % 2)), { nil: undefined }),
      offsets: fc.constant(
        Int32Array.from([0, ...rows.map((_, row) => rows.slice(0, row + 1).flat().length)]),
      ),
      truncated: fc.constant(Uint8Array.from(rows, (row) => row.length % 2)),
    }),
  );
const input = fc.oneof(
  fc.record({ kind: fc.constant('texts' as const), texts: fc.array(fc.string({ unit: 'grapheme' })) }),
  fc.record({
    kind: fc.constant('tokens' as const),
    tokens,
    activations: fc.option(fc.string(), { nil: undefined }),
  }),
);

it('brings jobs through the JSON of a queue', () => {
  fc.assert(
    fc.property(input, fc.boolean(), (given, isWhole) => {
      const count = given.kind === 'texts' ? given.texts.length : given.tokens.truncated.length;
      const job: StageJob = {
        run: 'a',
        chunk: 3,
        epoch: 2 ** 32 + 1,
        stage: 1,
        rows: Int32Array.from({ length: count }, (_, row) => (isWhole ? row : 2 * row)),
        chunkRows: isWhole ? count : 2 * count + 1,
        input: given,
        policy: { 0: 0.1, 6: 0 },
        fingerprints: ['x'],
        recomputed: 0,
      };
      const data: ReturnType<typeof packJob> = JSON.parse(JSON.stringify(packJob(job)));
      expect(unpackJob(data)).toEqual(job);
    }),
  );
});
