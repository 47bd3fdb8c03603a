/** The web page as somebody uses it: a real Chromium before a real producer, worker and Redis. */
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import type { Manifest } from '#model/bundle/manifest.js';
import type { TrainingView } from '#training/job/training-view.js';
import { jsonLines, mailSample } from '../mail-sample.js';
import { projectFolder } from '../project-folder.js';
import { spamBundle } from '../run-cli.js';
import type { Producer, Service } from '../fleet/service-fleet.js';
import { ServiceFleet } from '../fleet/service-fleet.js';

const CHROMIUM = process.env['SLUICE_CHROMIUM'] ?? '/usr/bin/chromium';
/** What a browser must not do with texts of a corpus and names of labels. */
export const hostileText =
  '<script>window.harmed = 1</script><img src=x onerror="window.harmed = 1"> you win';
export const hostileLabels = ['<i>ham</i>', '<script>window.harmed = 1</script>'] as const;
/** A card that tries to do what a card may not. */
const hostileCard = `# Card

Tells **spam** apart. <script>window.harmed = 1</script>

| exit | accuracy |
| --- | --- |
| 0 | 97.2 % |

[paper](https://arxiv.org/abs/2004.02178), [trap](javascript:window.harmed=1), ![picture](https://example.org/x.png)
`;
/** Of the row that cannot be labelled, from 1. */
export const rejectedRow = 101;

export interface WebScene {
  readonly fleet: ServiceFleet;
  readonly producer: Producer;
  readonly browser: Browser;
  /** A corpus of mails, one of whose rows has no text. */
  readonly corpus: string;
  worker(): Promise<Service>;
  /** Submits a training of a tiny model, to become version 1 of `letters`. */
  train(): Promise<TrainingView>;
  stop(): Promise<void>;
}

/** @param isHostile whether the labels of the model and its card are not what they should be */
export async function webScene(rows: number, isHostile = false): Promise<WebScene> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `There is no ${CHROMIUM}. Install Chromium (Debian: apt-get install chromium), or name one with SLUICE_CHROMIUM.`,
    );
  }
  const fleet = await ServiceFleet.start();
  const models = join(fleet.folder, 'models');
  const bundle = join(models, 'spam');
  await cp(spamBundle, bundle, { recursive: true });
  if (isHostile) await makeHostile(bundle);
  const checkpoints = join(fleet.folder, 'checkpoints');
  await cp(join(projectFolder, 'test/fixtures/training'), join(checkpoints, 'letters'), { recursive: true });
  const training = { SLUICE_MODELS_ROOT: models, SLUICE_TRAINING_CHECKPOINTS: checkpoints };
  const corpus = join(fleet.folder, 'mails.jsonl');
  const mails = await mailSample(rows, 400);
  const lines = jsonLines(mails).split('\n');
  lines.splice(rejectedRow - 1, 0, '{"no": "text"}');
  await writeFile(corpus, lines.join('\n'));
  const producer = await fleet.producer({
    ...training,
    SLUICE_PRODUCER_FEED_CHUNK_ROWS: '32',
  });
  const browser = await chromium.launch({ executablePath: CHROMIUM });
  return {
    fleet,
    producer,
    browser,
    corpus,
    worker: () => fleet.worker({ SLUICE_WORKER_BUNDLE: bundle }),
    train: async () => {
      await fleet.trainer(training);
      return submitTraining(producer.api);
    },
    stop: async () => {
      await browser.close();
      await fleet.stop();
    },
  };
}

async function makeHostile(bundle: string): Promise<void> {
  const path = join(bundle, 'bundle.json');
  const manifest: Manifest = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...manifest, labels: hostileLabels }));
  await writeFile(join(bundle, 'README.md'), hostileCard);
}

/** Texts of letters, labelled by the first of them. */
function letters(rows: number): string {
  const texts = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: 3 + (row % 6) }, (_, at) =>
      String.fromCodePoint(97 + ((row * 17 + at * at * 5 + at * 3) % 26)),
    ),
  );
  return jsonLines(texts.map((text) => ({ text: text.join(' '), label: text[0]! < 'n' ? 'early' : 'late' })));
}

async function submitTraining(api: string): Promise<TrainingView> {
  const data = { data: 'train.jsonl', dev: 'dev.jsonl' };
  const head = { newHead: true, task: 'single', joint: 'sum', exitSize: 16 };
  const pace = { rate: 0.01, epochs: 3, batchTokens: 128 };
  const learning = { kind: 'train', base: 'letters', ...data, ...head, ...pace };
  const evaluating = { kind: 'evaluate', data: 'dev.jsonl', labelField: 'label', timing: false };
  const steps = [learning, { kind: 'compile', calibrate: 'train.jsonl' }, evaluating];
  const form = new FormData();
  form.set('options', JSON.stringify({ name: 'letters', steps }));
  form.append('file', new Blob([letters(300)]), 'train.jsonl');
  form.append('file', new Blob([letters(100)]), 'dev.jsonl');
  const answer = await fetch(`${api}/v1/training`, { method: 'POST', body: form });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return JSON.parse(text);
}

/** What a page did that it must not do. */
export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of scripts and of the page's policy, and addresses elsewhere that it asked. */
  readonly offences: string[];
}

export async function openPage(
  { browser }: WebScene,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ baseURL: origin, ...options });
  const page = await context.newPage();
  const offences: string[] = [];
  page.on('pageerror', (error) => offences.push(error.message));
  page.on('console', (message) => {
    // An answer such as 401 is told as an error, too.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      offences.push(message.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) offences.push(request.url());
  });
  return { context, page, offences };
}

/** The body of a table: the text of each cell. @param name its caption */
export async function cellsOf(page: Page, name: string): Promise<string[][]> {
  const rows = page.getByRole('table', { name, exact: true }).locator('tbody tr');
  await rows.first().waitFor();
  return Promise.all((await rows.all()).map((row) => row.locator('th, td').allTextContents()));
}
