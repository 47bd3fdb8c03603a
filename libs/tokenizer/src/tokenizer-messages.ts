import type { TokenColumns } from '#pipeline/columns.js';

import type { TokenizeOptions } from './text-tokenizer.js';
import type { TokenizerFailure } from './tokenizer-failure.js';

/** What a tokenizer thread is started with. */
export interface TokenizerThreadOptions extends TokenizeOptions {
  readonly directory: string;
}

/** One call, to a thread that is idle. */
export interface TokenizeRequest {
  readonly texts: readonly string[];
  readonly pairs?: readonly string[] | undefined;
}

/** `ready` comes once, or the load's `failed` instead; then one answer for each request. */
export type TokenizerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'tokens'; readonly tokens: TokenColumns }
  | { readonly kind: 'failed'; readonly failure: TokenizerFailure };
