/** Errors that are this program's own fault, whose stack helps. */
const ownFaults = new Set([
  'Error',
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'AssertionError',
]);

/** Starts a service, or says in a few words why it cannot start, and ends the process. */
export async function startService(name: string, start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    const isExpected = error instanceof Error && !ownFaults.has(error.name);
    const text = isExpected ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`sluice ${name}: ${text ?? 'failed'}\n`, () => process.exit(1));
  }
}
