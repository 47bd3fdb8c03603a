/** `sluice import` and models of other programs in the place of bundles, as users give them. */
import { access, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLines } from './mail-sample.js';
import type { CliEnd } from './run-cli.js';
import { runCli } from './run-cli.js';
import { writeSparseCheckpoint } from './sparse-checkpoint.js';

const families = join(import.meta.dirname, 'fixtures/huggingface-families');
const bert = join(import.meta.dirname, 'fixtures/huggingface-bert/fp16');
const roberta = join(families, 'roberta');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-import-'));
  const texts = ['red green', 'blue', 'a b c', 'green green'].map((text, id) => ({ id, text }));
  await writeFile(join(folder, 'texts.jsonl'), jsonLines(texts));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliEnd> =>
  runCli(args, { cwd: folder, env: { SLUICE_CACHE: join(folder, 'cache'), ...env } });

async function sluice(...args: string[]): Promise<CliEnd> {
  const ended = await run(args);
  expect(ended.end, ended.stderr).toBe(0);
  return ended;
}

const label = (model: string, out: string): Promise<CliEnd> =>
  sluice('label', 'texts.jsonl', '--model', model, '--out', out, '--probabilities');

const predict = (model: string): Promise<CliEnd> => sluice('predict', 'red', '--model', model);

const read = (...path: string[]): Promise<string> => readFile(join(folder, ...path), 'utf8');

const isThere = (...path: string[]): Promise<boolean> =>
  access(join(folder, ...path)).then(
    () => true,
    () => false,
  );

describe('sluice import', () => {
  it('writes a checkpoint and says what it found', async () => {
    const { stdout, stderr } = await sluice('import', roberta, '--out', 'made/roberta');
    expect(stderr).toBe('');
    expect(stdout).toBe(
      [
        'Hugging Face RoBERTa  2 layers × 16, 2 heads, 270 words',
        'weights: torch (zip container), float32; 9,779 parameters, 39.1 kB in float32',
        'encoder: gelu of 32, 40 positions, 1 segment, LayerNorm eps 1e-12',
        'texts: single, at most 40 tokens of BPE, cls-sep-sep: <s> a </s>',
        'labels: red, green, blue',
        '',
        'exit  kind    size',
        '   2  pooler  tanh',
        '',
        'made/roberta',
        '',
      ].join('\n'),
    );
    expect((await readdir(join(folder, 'made'))).sort()).toEqual(['roberta']);
    expect((await readdir(join(folder, 'made/roberta'))).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
  });

  it('takes labels, task and length, and says the same to programs', async () => {
    await writeFile(join(folder, 'labels.txt'), 'warm, or hot\r\nmild\r\ncold\r\n');
    const changes = ['--labels-file', 'labels.txt', '--task', 'pair', '--max-length', '16'];
    const { stdout } = await sluice('import', bert, '--out', 'changed', ...changes, '--json');
    const said: unknown = JSON.parse(stdout);
    expect(said).toMatchObject({
      out: 'changed',
      format: 'Hugging Face BERT',
      weights: 'safetensors, float16',
      labels: ['warm, or hot', 'mild', 'cold'],
      task: 'pair',
      maxLength: 16,
      exits: [{ layer: 2, kind: 'pooler' }],
      dropped: [],
    });
    const config: unknown = JSON.parse(await read('changed/config.json'));
    expect(config).toMatchObject({
      sluice: { labels: ['warm, or hot', 'mild', 'cold'], task: 'pair', maxLength: 16 },
    });
  });

  it('imports a bare backbone, which must be trained, and lists what it has no use for', async () => {
    const { stdout } = await sluice('import', join(families, 'roberta-masked-lm'), '--out', 'backbone');
    expect(stdout).toMatch(/\nnote: it is a bare backbone, without a classifier: train it before /);
    expect(stdout).toContain(
      '\nnot used: lm_head.bias, 2 tensors of lm_head.dense.*, 2 tensors of lm_head.layer_norm.*, 2 tensors of lm_head.decoder.*\n',
    );
    expect(await run(['label', 'texts.jsonl', '--model', 'backbone', '--out', 'never.jsonl'])).toEqual({
      end: 2,
      stdout: '',
      stderr: 'sluice: backbone is a bare backbone, without a classifier: train it before it labels.\n',
    });
  });

  it.each(['safetensors', 'torch'] as const)('holds one tensor at a time, of %s', async (weights) => {
    const { largest, total } = await writeSparseCheckpoint(join(folder, 'large'), 131_072, weights);
    const allowed = largest + 200e6;
    // Else the test would show nothing: Node itself takes more than 50 MB.
    expect(total + 50e6).toBeGreaterThan(allowed);
    await writeFile(
      join(folder, 'peak.mjs'),
      "process.on('exit', () => console.error(`peak ${process.resourceUsage().maxRSS * 1024}`));",
    );
    const preload = { NODE_OPTIONS: `--import=${join(folder, 'peak.mjs')}` };
    const { end, stderr } = await run(['import', 'large', '--out', 'large-made'], preload);
    expect(end, stderr).toBe(0);
    expect(stderr).toMatch(/^importing: 0 %, 0 B of 269 MB, bert\.embeddings\.word_embeddings\.weight\n/);
    expect(Number(/^peak (\d+)$/m.exec(stderr)?.[1])).toBeLessThan(allowed);
    for (const name of ['large', 'large-made']) await rm(join(folder, name), { recursive: true });
  });
});

/** Copies a model and changes it. */
async function changed(name: string, from: string, change: (path: string) => Promise<void>): Promise<void> {
  await cp(from, join(folder, name), { recursive: true });
  await change(join(folder, name));
}

describe('what is refused, in one line and without a trace', () => {
  beforeAll(async () => {
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'a-file'), '');
    await changed('other-words', bert, (path) => writeFile(join(path, 'vocab.txt'), 'x\n'.repeat(99)));
    await changed('more-words', bert, async (path) => {
      const vocab = await readFile(join(path, 'vocab.txt'), 'utf8');
      await writeFile(join(path, 'vocab.txt'), `${vocab}too\nmany\n`);
    });
    await changed('other-width', bert, async (path) => {
      const config = await readFile(join(path, 'config.json'), 'utf8');
      await writeFile(
        join(path, 'config.json'),
        config.replace(/"intermediate_size": \d+/, '"intermediate_size": 63'),
      );
    });
    await changed('cut', bert, async (path) => {
      const bytes = await readFile(join(path, 'model.safetensors'));
      await writeFile(join(path, 'model.safetensors'), bytes.subarray(0, -9));
    });
  });

  it.each([
    ['a place that is taken', [bert, '--out', 'taken'], 2, /taken is already there\. Choose another --out/],
    ['what is no checkpoint, with --force', [bert, '--out', 'taken', '--force'], 2, /It is no checkpoint/],
    ['itself', ['more-words', '--out', 'more-words', '--force'], 2, /It is what is to be imported/],
    ['a place inside of a file', [bert, '--out', 'a-file/out'], 1, /file already exists.*a-file/],
    ['a file of another kind', ['a-file', '--out', 'out'], 1, /a-file: not a checkpoint/],
    ['too few labels', [bert, '--out', 'out', '--labels', 'a,b'], 2, /has 3 classes; 2 labels were given/],
    ['a vocabulary that is too large', ['more-words', '--out', 'out'], 1, /more-words: .*token of id 7\d/],
    ['a vocabulary of another model', ['other-words', '--out', 'out'], 1, /other-words.*\[UNK\]/],
    ['weights of another shape', ['other-width', '--out', 'out'], 1, /intermediate.*\[64, 32\].*\[63, 32\]/],
    ['a file that was cut off', ['cut', '--out', 'out'], 1, /cut\/model\.safetensors: /],
  ])('%s', async (_, args, code, message) => {
    const before = (await readdir(folder)).sort();
    const { end, stdout, stderr } = await run(['import', ...args]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^sluice: [^\n]*\n$/);
    expect({ end, stdout }).toEqual({ end: code, stdout: '' });
    expect((await readdir(folder)).sort()).toEqual(before);
  });

  it('but a checkpoint is replaced with --force', async () => {
    await sluice('import', bert, '--out', 'replaced');
    await sluice('import', roberta, '--out', 'replaced', '--force', '--quiet');
    expect(await read('replaced/config.json')).toContain('"specialTokens": "cls-sep-sep"');
  });
});

describe('a model in the place of a bundle', () => {
  it('labels as its bundle does; it is compiled once', async () => {
    await sluice('compile', bert, '--out', 'bundle/fp16');
    await label('bundle/fp16', 'by-bundle.jsonl');
    const first = await label(bert, 'first.jsonl');
    expect(first.stderr).toMatch(
      /fp16 \(Hugging Face BERT\) is compiled to float32, once; kept in .*\/cache\/bundles\/[0-9a-f]{32}\/fp16\./,
    );
    const second = await label(bert, 'second.jsonl');
    expect(second.stderr).toMatch(/fp16 \(Hugging Face BERT\) was compiled before: .*\/cache\/bundles\//);
    const rows = await read('by-bundle.jsonl');
    expect(await read('first.jsonl')).toBe(rows);
    expect(await read('second.jsonl')).toBe(rows);
  });

  it('is compiled again where the cache is damaged', async () => {
    const { stdout } = await predict(bert);
    const [key] = await readdir(join(folder, 'cache/bundles'));
    await writeFile(join(folder, 'cache/bundles', key!, 'fp16/stage-1.onnx'), 'damaged');
    const mended = await predict(bert);
    expect(mended.stderr).toContain('is compiled to float32, once');
    expect(mended.stdout).toBe(stdout);
    expect(await readdir(join(folder, 'cache/bundles'))).toEqual([key]);
  });

  it('is compiled by several processes at once without harm', async () => {
    const SLUICE_CACHE = join(folder, 'shared-cache');
    const ask = ['predict', 'red', '--pair', 'green', '--model', roberta, '--json'];
    const ended = await Promise.all([ask, ask, ask].map((args) => run(args, { SLUICE_CACHE })));
    for (const { end, stdout, stderr } of ended) {
      expect({ end, stderr }).toEqual({ end: 0, stderr: '' });
      expect(stdout).toBe(ended[0]!.stdout);
    }
    expect(await readdir(join(SLUICE_CACHE, 'bundles'))).toHaveLength(1);
  });

  it('says where a compiled model cannot be kept', async () => {
    const asked = ['predict', 'red', '--model', roberta];
    const { end, stderr } = await run(asked, { SLUICE_CACHE: join(folder, 'a-file') });
    expect(end).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      /^sluice: The compiled model cannot be kept in .*a-file\/bundles: .* Set SLUICE_CACHE /,
    );
    expect(await isThere('a-file/bundles')).toBe(false);
  });
});
