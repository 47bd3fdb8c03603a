import type { Activation } from '../columns.js';

/** Activations back to back, in a buffer that holds nothing else; a single one that lies so already stays where it is. */
export function joinActivations(parts: readonly Activation[]): Activation | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  if (parts.length === 1 && first.byteLength === first.buffer.byteLength) return first;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = first instanceof Float32Array ? new Float32Array(length) : new Uint16Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
