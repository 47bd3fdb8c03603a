/** Bad options for a compilation. */
export class CompileError extends Error {
  override readonly name = 'CompileError';
}
