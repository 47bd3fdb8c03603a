/** An answer other than 2xx, and what the user can do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    /** A short fixed word, such as `no-such-run`. */
    readonly code: string,
    message: string,
    /** Seconds after which it is worth while to ask again. */
    readonly retryAfter?: number | undefined,
  ) {
    super(message);
  }
}

/** What was sent is wrong, by the names of the errors of the libraries. */
const badRequests = new Set([
  'UsageError',
  'PolicyError',
  'CorpusOpenError',
  'InputPathError',
  'StepsError',
  'RunMismatchError',
  'TokenizerUsageError',
]);

/** The answer to an error; one that nobody expected tells nothing of the inside. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof Error && badRequests.has(error.name))
    return new ApiError(400, 'bad-request', error.message);
  if (error instanceof Error && error.name === 'PromotionsError')
    return new ApiError(409, 'damaged', error.message);
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : Number.NaN;
  if (error instanceof Error && status >= 400 && status < 500) {
    return new ApiError(status, 'bad-request', error.message);
  }
  return new ApiError(500, 'internal', 'The producer failed to answer; its log tells why.');
}
