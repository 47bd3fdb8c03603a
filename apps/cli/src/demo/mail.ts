import { Splitter } from '@zone-eu/mailsplit';
import type { Headers, MimeNode, SplitterChunk } from '@zone-eu/mailsplit';
import libmime from 'libmime';
import { decodeCharset } from './charset.js';

/** What the corpus takes of a mail. */
export interface Mail {
  /** Encoded words decoded; empty where the mail has none. */
  readonly subject: string;
  /** The first `text/plain` part. */
  readonly plain: string | undefined;
  /** The first `text/html` part. */
  readonly html: string | undefined;
}

interface Part {
  readonly node: MimeNode;
  readonly body: Buffer[];
}

/** Parses a raw mail (RFC 5322 with MIME). Broken mail gives what can be read of it. */
export async function parseMail(bytes: Buffer): Promise<Mail> {
  const parts: Part[] = [];
  const splitter = new Splitter();
  splitter.end(bytes);
  for await (const chunk of splitter as AsyncIterable<MimeNode | SplitterChunk>) {
    if (chunk.type === 'node') parts.push({ node: chunk, body: [] });
    else if (chunk.type === 'body') parts.at(-1)?.body.push(chunk.value);
  }
  return {
    subject: subjectOf(parts[0]?.node.headers),
    plain: await firstOf('text/plain', parts),
    html: await firstOf('text/html', parts),
  };
}

function subjectOf(headers: Headers | false | undefined): string {
  const header = headers && headers.getList().find(({ key }) => key === 'subject');
  if (!header) return '';
  // A header line comes as bytes, one a character. Spam has raw ones of any charset: what is not UTF-8 is U+FFFD.
  const line = Buffer.from(header.line, 'latin1').toString('utf8');
  return libmime.decodeWords(line.slice(line.indexOf(':') + 1));
}

async function firstOf(contentType: string, parts: readonly Part[]): Promise<string | undefined> {
  const part = parts.find(({ node }) => node.contentType === contentType);
  if (part === undefined) return undefined;
  const decoder = part.node.getDecoder();
  decoder.end(Buffer.concat(part.body));
  const chunks: Buffer[] = await decoder.toArray();
  return decodeCharset(Buffer.concat(chunks), part.node.charset || 'us-ascii');
}
