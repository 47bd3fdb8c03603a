/** The process that labels suspect rows of a worker: `bundle device batchTokens`. */
import type { Provider } from '#inference/session-options.js';
import { openBundle } from '#model/bundle/bundle.js';
import { rowLengths } from '#pipeline/engine/select-rows.js';
import { policyOf } from '#pipeline/fleet/policy-engines.js';
import { serveQuarantine } from '#pipeline/fleet/quarantine-process.js';
import { openLabeller } from '#run/open-labeller.js';

const [directory = '', device = 'cpu', batchTokens = '1024'] = process.argv.slice(2);
const provider: Provider = device === 'cuda' ? 'cuda' : 'cpu';
const opened = await openLabeller(await openBundle(directory), {
  workers: 1,
  tokenizerThreads: 1,
  batchTokens: Number(batchTokens),
  survivorMemory: 64,
  provider,
});
serveQuarantine(async ({ input, policy }) => {
  const tokens =
    input.kind === 'tokens' ? input.tokens : await opened.tokenizer.tokenize(input.texts, input.pairs);
  const labels = await opened.withPolicy(policyOf(policy)).label(tokens);
  return { labels, lengths: rowLengths(tokens), truncated: tokens.truncated };
});
