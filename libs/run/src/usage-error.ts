/** What is asked for cannot be: exit code 2 on the command line, a bad request over HTTP. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
