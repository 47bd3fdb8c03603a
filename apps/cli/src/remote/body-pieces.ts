/**
 * The bytes of an answer as they come, until the signal aborts. Of a fetch the signal alone is not enough: Node 20 loses it where
 * the request was collected as garbage, some seconds into a long answer.
 * @throws the signal's reason; what the connection throws
 */
export async function* bodyPieces(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}
