import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailText } from './mail-text.js';

/** A mail of these lines; characters up to U+00FF stand for bytes. */
async function textOf(...lines: string[]): Promise<string> {
  return mailText(Buffer.from(lines.join('\n'), 'latin1'));
}

describe('mailText', () => {
  it('is subject, then body, with white space collapsed', async () => {
    expect(
      await textOf('From: a@b.example', 'Subject:  Two \t words', '', '', ' first  line', 'second', ''),
    ).toBe('Two words first line second');
  });

  it('reads folded and encoded subjects', async () => {
    expect(await textOf('Subject: =?iso-8859-1?Q?Caf=E9?=', '\tau =?UTF-8?B?bGFpdA==?=', '', 'x')).toBe(
      'Café au lait x',
    );
  });

  it('reads a raw subject as UTF-8 and replaces what is none', async () => {
    expect(await textOf('Subject: Caf\xc3\xa9, caf\xe9', '', 'x')).toBe('Café, caf\ufffd x');
  });

  it('takes the first text/plain part, wherever it stands', async () => {
    const text = await textOf(
      'Subject: s',
      'Content-Type: multipart/mixed; boundary="outer"',
      '',
      'preamble',
      '--outer',
      'Content-Type: multipart/alternative; boundary=inner',
      '',
      '--inner',
      'Content-Type: text/html',
      '',
      '<p>markup</p>',
      '--inner',
      'Content-Type: text/plain',
      '',
      'plain',
      '--inner--',
      '--outer',
      'Content-Type: text/plain',
      '',
      'list footer',
      '--outer--',
    );
    expect(text).toBe('s plain');
  });

  it.each([
    ['quoted-printable', 'a =3D b, soft=\n break, caf=E9', 'a = b, soft break, café'],
    ['base64', 'YSA9IGIs\nIGNhZuk=', 'a = b, café'],
    ['8bit', 'caf\xe9', 'café'],
  ])('decodes %s', async (encoding, body, expected) => {
    expect(
      await textOf(
        'Content-Type: text/plain; charset=iso-8859-1',
        `Content-Transfer-Encoding: ${encoding}`,
        '',
        body,
      ),
    ).toBe(expected);
  });

  it.each([
    ['windows-1252', '\x93quoted\x94', '“quoted”'],
    ['iso-8859-1', '\x93quoted\x94', '\x93quoted\x94'],
    ['utf-8', '\xe2\x82\xac', '€'],
    ['us-ascii', 'caf\xe9', 'caf\ufffd'],
    ['koi8-r', '\xd0\xd2\xc9\xd7\xc5\xd4', 'привет'],
    ['big5', '\xa4\xa4\xa4\xe5', '中文'],
    ['gb2312', '\xd6\xd0\xce\xc4', '中文'],
    ['euc-kr', '\xc7\xd1\xb1\xdb', '한글'],
    ['iso-2022-jp', '\x1b$BF|K\\\x1b(B', '日本'],
    ['nobody-knows', 'caf\xe9', 'caf\ufffd'],
  ])('decodes charset %s', async (charset, body, expected) => {
    expect(await textOf(`Content-Type: text/plain; charset="${charset}"`, '', body)).toBe(expected);
  });

  it('replaces bytes without a meaning where no charset is named', async () => {
    expect(await textOf('Subject: s', '', 'caf\xe9')).toBe('s caf\ufffd');
  });

  it('strips tags and comments from HTML and decodes its entities', async () => {
    const html =
      '<html><!-- gone --><body>Dear<br>friend,<p>1&nbsp;000&euro; &amp; more&#33; <a href="x>y">click</a><b>!</b>';
    expect(await textOf('Subject: s', 'Content-Type: text/html; charset=utf-8', '', html)).toBe(
      's Dear friend, 1 000€ & more! click !',
    );
  });

  it('leaves out what stands inside a frame', async () => {
    expect(
      await textOf('Content-Type: text/html', '', 'a<iframe src=x><script src=y></script></iframe>b'),
    ).toBe('a b');
  });

  it('reads what it can of broken mail', async () => {
    expect(await textOf('')).toBe('');
    expect(await textOf('Subject: no body')).toBe('no body');
    expect(
      await textOf('Subject: s', 'Content-Type: multipart/mixed; boundary=x', '', '--x', '', 'never closed'),
    ).toBe('s never closed');
    expect(await textOf('Subject: s', 'Content-Type: multipart/mixed', '', 'no boundary')).toBe('s');
    expect(await textOf('Content-Type: text/html', '', '<p>unclosed <b>tags &amp; <a href="')).toBe(
      'unclosed tags &',
    );
  });

  it('cuts at 4,000 characters, never inside one', async () => {
    const text = await mailText(
      Buffer.from(`Content-Type: text/plain; charset=utf-8\n\n${'x'.repeat(3999)}${'😀'.repeat(9)}`),
    );
    expect(text).toBe(`${'x'.repeat(3999)}😀`);
  });

  it('takes any bytes', async () => {
    const piece = fc.constantFrom(
      'Subject: =?utf-8?B?',
      'Content-Type: multipart/mixed; boundary=x',
      'Content-Type: text/html; charset=big5',
      'Content-Transfer-Encoding: base64',
      'Content-Transfer-Encoding: quoted-printable',
      '--x',
      '--x--',
      '=',
      '<!--',
      '&#x110000;',
      '\r\n',
      '\n',
      '\n\n',
    );
    const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array).toString('latin1'));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(piece, bytes), { maxLength: 30 }), async (pieces) => {
        const text = await textOf(pieces.join(''));
        expect(Array.from(text).length).toBeLessThanOrEqual(4000);
        expect(text).toBe(text.trim());
      }),
      { numRuns: 300 },
    );
  });
});
