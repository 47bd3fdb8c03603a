import { expect, it } from 'vitest';
import { redirectTarget } from './redirect-target.js';

const hub = new URL('https://huggingface.co/owner/name/resolve/main/config.json');

it.each([
  ['/api/resolve-cache/a?etag=%22b%22', 'https://huggingface.co/api/resolve-cache/a?etag=%22b%22'],
  ['https://cdn-lfs.hf.co/a?Signature=b', 'https://cdn-lfs.hf.co/a?Signature=b'],
  ['//cdn.hf.co/a', 'https://cdn.hf.co/a'],
])('%s leads to %s', (location, target) => {
  expect(redirectTarget(hub, location).href).toBe(target);
});

it('an endpoint without encryption may lead to one with it, or to another without', () => {
  const local = new URL('http://localhost:8080/a');
  expect(redirectTarget(local, 'https://cdn.hf.co/a').protocol).toBe('https:');
  expect(redirectTarget(local, 'http://localhost:9090/a').port).toBe('9090');
});

it.each([
  [
    'http://huggingface.co/a',
    /^huggingface\.co redirects from https to http \(huggingface\.co\), which is not/,
  ],
  ['file:///etc/passwd', /no address/],
  ['data:text/plain,a', /no address/],
  ['https://me@hub.example.com/', /no address/],
  ['https://', /no address/],
])('%s is not followed', (location, message) => {
  expect(() => redirectTarget(hub, location)).toThrow(message);
});
