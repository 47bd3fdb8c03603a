/** Lines of so many bytes come together. */
const BATCH_BYTES = 1 << 20;

/** The lines of a text of whole lines, many at a time. */
export async function* jsonLines(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  let pending: Uint8Array[] = [];
  let bytes = 0;
  for await (const block of blocks) {
    pending.push(block);
    bytes += block.length;
    // A long line is put together once, when its end has come.
    if (bytes < BATCH_BYTES || !block.includes(0x0a)) continue;
    const joined = Buffer.concat(pending);
    const end = joined.lastIndexOf(0x0a) + 1;
    yield joined.toString('utf8', 0, end - 1).split('\n');
    pending = [joined.subarray(end)];
    bytes = joined.length - end;
  }
  const rest = Buffer.concat(pending);
  if (rest.length > 0) yield rest.toString('utf8', 0, rest.length - 1).split('\n');
}
