import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Where `npm run build` puts it. */
const FOLDER = fileURLToPath(new URL('../web', import.meta.url));
/** Its addresses; which page is shown, the page itself tells. */
const PATHS = ['/', '/new', '/runs/:id', '/models', '/models/:name', '/training', '/training/:id'];
/** Everything comes from here, no script or style stands in the page, and no other site may frame it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const headers = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  // Its assets are named by their content, so this alone need be asked for again.
  'cache-control': 'no-cache',
};

/** The web page, as a plugin of the server; undefined where it was not built. */
export async function webPage(): Promise<((server: FastifyInstance) => Promise<void>) | undefined> {
  const html = await readFile(`${FOLDER}/index.html`).catch(() => undefined);
  if (html === undefined) return undefined;
  return async (server) => {
    for (const path of PATHS) {
      server.get(path, (_, reply) => reply.headers(headers).type('text/html; charset=utf-8').send(html));
    }
    await server.register(fastifyStatic, {
      root: `${FOLDER}/assets`,
      prefix: '/assets/',
      decorateReply: false,
      index: false,
      preCompressed: true,
      immutable: true,
      maxAge: '1y',
      setHeaders: (reply) => void reply.header('x-content-type-options', 'nosniff'),
    });
  };
}
