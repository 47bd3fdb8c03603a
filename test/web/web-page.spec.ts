/** The web page in a real Chromium: what it shows is what the API, the report and the metrics say, and nothing of a corpus acts. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '#model/bundle/bundle.js';
import type { RunReport } from '#pipeline/report/run-report.js';
import { uncertaintyBins } from '#pipeline/report/tally.js';
import { runCli, spamBundle } from '../run-cli.js';
import type { Watched, WebScene } from './web-scene.js';
import { cellsOf, hostileLabels, hostileText, openPage, rejectedRow, webScene } from './web-scene.js';

const ROWS = 300;
const WEIGHT_BYTES = 300_000;
const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

let scene: WebScene;
let seen: Watched;
let page: Page;
let runId: string;
let trainingId: string;

beforeAll(async () => {
  scene = await webScene(ROWS, true);
  seen = await openPage(scene, scene.producer.api);
  ({ page } = seen);
});
afterAll(() => scene.stop());

const numberOf = (text: string | undefined): number => Number((text ?? '').replaceAll(',', ''));

describe('a run', () => {
  it('is started from a file and a point of the curve, and watched from its wait for workers to its end', async () => {
    await page.goto('/new');
    await page.locator('#corpus').setInputFiles(scene.corpus);
    await page.getByRole('combobox', { name: 'Field of the text' }).selectOption('text');
    await page.getByRole('combobox', { name: 'Field of the right label' }).selectOption('');
    const prediction = page.getByRole('heading', { name: 'Predicted cost' }).locator('..');
    expect(await prediction.textContent()).toContain(`about ${ROWS + 1}`);
    await page.getByRole('radio', { name: 'full' }).check();
    expect(await prediction.textContent()).toContain('100.0 %');
    await page.getByRole('radio', { name: 'accurate' }).check();
    const { presets, geometry } = (await openBundle(spamBundle)).manifest;
    const share = presets['accurate']!.meanLayers! / geometry.layers;
    expect(await prediction.textContent()).toContain(`${(share * 100).toFixed(1)} %`);
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.waitForURL('**/runs/*');
    runId = new URL(page.url()).pathname.split('/').at(-1)!;
    await page.getByText('No worker serves the model').waitFor();
    await scene.worker();
    await page.getByText('finished', { exact: true }).waitFor();
    expect(await page.title()).toBe('mails.jsonl · Sluice');
  });

  it('has the exits and uncertainties of its report and of the metrics, exactly', async () => {
    const path = join(scene.fleet.folder, 'runs', runId, 'run/report.json');
    const report: RunReport = JSON.parse(await readFile(path, 'utf8'));
    const metrics = await (await fetch(`${scene.producer.admin}/metrics`)).text();
    expect(report).toMatchObject({ rows: ROWS + 1, accepted: ROWS });
    expect(report.exits.length).toBeGreaterThan(1);

    const exits = (await cellsOf(page, 'Rows by the exit where they left')).map(([layer, rows]) => [
      Number.parseInt(layer ?? '', 10),
      numberOf(rows),
    ]);
    expect(exits.filter(([, rows]) => rows !== 0)).toEqual(
      report.exits.map(({ layer, rows }) => [layer, rows]),
    );

    await page.getByText('The same as a table').click();
    const bins = await cellsOf(page, 'Rows by uncertainty and exit');
    expect(bins.length).toBe(uncertaintyBins);
    for (const [index, exit] of report.exits.entries()) {
      const labels = `model="spam",layer="${exit.layer}"`;
      expect(
        bins.map((cells) => numberOf(cells[index + 1])),
        `exit ${exit.layer}`,
      ).toEqual(exit.uncertainty);
      expect(metrics).toContain(`sluice_exit_total{${labels}} ${exit.rows}\n`);
      expect(bucketsOf(metrics, labels), `exit ${exit.layer}`).toEqual(exit.uncertainty);
    }
  });

  it('gives its output and its rejected rows', async () => {
    const [output] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: /^Download jsonl/ }).click(),
    ]);
    const bytes = await readFile(await output.path());
    expect(await page.locator('.hash').textContent()).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await cellsOf(page, 'Rejected rows by reason')).toEqual([['no-text-field', '1']]);
    const [rejects] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download rejected rows' }).click(),
    ]);
    expect(JSON.parse(await readFile(await rejects.path(), 'utf8'))).toMatchObject({ row: rejectedRow });
  });

  it('shows the rows that its output is least certain of', async () => {
    const output = await readFile(join(scene.fleet.folder, 'runs', runId, 'output.jsonl'), 'utf8');
    const expected = output
      .trimEnd()
      .split('\n')
      .map((line, index) => {
        const row: { uncertainty: number; exit_layer: number; label: string } = JSON.parse(line);
        return { ...row, number: index + 1 < rejectedRow ? index + 1 : index + 2 };
      })
      .sort((a, b) => b.uncertainty - a.uncertainty || a.number - b.number)
      .slice(0, 50);
    await page.getByRole('button', { name: 'Show all 50' }).click();
    const cells = await cellsOf(page, 'The least certain rows, the most uncertain first');
    expect(cells.map(([row, , label, , uncertainty, exit]) => [row, label, uncertainty, exit])).toEqual(
      expected.map((row) => [
        String(row.number),
        row.label,
        row.uncertainty.toFixed(3),
        String(row.exit_layer),
      ]),
    );
  });

  it('is in the list, and the stages tell of their batches', async () => {
    await page.getByRole('link', { name: 'Sluice', exact: true }).click();
    await page.getByRole('link', { name: 'mails.jsonl' }).waitFor();
    const [run] = await cellsOf(page, 'Runs, the latest first');
    expect(run?.slice(0, 5)).toEqual([
      'mails.jsonl',
      'finished',
      'spam, accurate',
      '100.0 %100.0 %',
      String(ROWS + 1),
    ]);
    // A worker tells of itself every few seconds.
    await expect
      .poll(async () => (await cellsOf(page, 'Stages of the model'))[0]?.slice(0, 2), { timeout: 15_000 })
      .toEqual(['spam, 1: embeddings', '1']);
    await expect
      .poll(async () => (await cellsOf(page, 'Stages of the model'))[0]?.[7], { timeout: 15_000 })
      .toMatch(/^\d+\.\d+ %$/);
  });
});

function bucketsOf(metrics: string, labels: string): number[] {
  const upTo = Array.from({ length: uncertaintyBins }, (_, bin) => {
    const le = Number(((bin + 1) / uncertaintyBins).toFixed(2));
    const line = `sluice_uncertainty_bucket{le="${le}",${labels}} `;
    const at = metrics.indexOf(line);
    expect(at, line).toBeGreaterThanOrEqual(0);
    return Number(metrics.slice(at + line.length, metrics.indexOf('\n', at)));
  });
  return upTo.map((count, bin) => count - (upTo[bin - 1] ?? 0));
}

describe('what comes from a corpus, a model or a card', () => {
  it('is shown as text', async () => {
    const answer = await fetch(`${scene.producer.api}/v1/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'spam', rows: [{ text: hostileText }, { text: 'see you at lunch' }] }),
    });
    const { id }: { id: string } = JSON.parse(await answer.text());
    await page.goto(`/runs/${id}`);
    await page.getByText('finished', { exact: true }).waitFor();
    await page.getByText(hostileText).waitFor();
    expect(await page.evaluate('window.harmed')).toBeUndefined();
    const labels = (await cellsOf(page, 'Rows by label')).map(([label]) => label);
    expect(labels.length).toBeGreaterThan(0);
    for (const label of labels) expect(hostileLabels).toContain(label);
    await page.goto('/models');
    await page.getByText(`one of ${hostileLabels.join(', ')}`).waitFor();
    await page.goto('/models/spam');
    await page.getByText('Tells spam apart. <script>window.harmed = 1</script>').waitFor();
    expect(await page.getByRole('link', { name: 'paper' }).getAttribute('href')).toContain('arxiv.org');
    expect(await page.getByRole('link', { name: 'trap' }).count()).toBe(0);
    expect(await page.evaluate('window.harmed')).toBeUndefined();
    expect(await page.locator('script:not([src]), #app script, #app img, #app i').count()).toBe(0);
  });
});

describe('a training', () => {
  it('is watched with its curves, and its model has a card, an evaluation and a curve of points', async () => {
    const { id } = await scene.train();
    trainingId = id;
    await page.goto('/training');
    await page.getByRole('link', { name: 'letters' }).click();
    await page
      .getByRole('img', { name: 'Loss, and accuracy of each exit, over the steps of train' })
      .waitFor();
    await page.getByText('letters, version 1').waitFor({ timeout: 60_000 });
    await expect.poll(() => page.getByText('finished', { exact: true }).count(), { timeout: 60_000 }).toBe(4);
    const curves = page.getByRole('img', {
      name: 'Loss, and accuracy of each exit, over the steps of train',
    });
    expect(await curves.evaluate((image) => 'naturalWidth' in image && image.naturalWidth)).toBeGreaterThan(
      100,
    );
    expect((await cellsOf(page, 'Right on the dev corpus, after the last epoch')).length).toBeGreaterThan(1);
    await page.getByText('letters, version 1').click();
    await page.getByRole('heading', { name: 'Card of version 1' }).waitFor();
    const points = await cellsOf(page, 'Points of speed and accuracy');
    expect(points.map(([name]) => name)).toContain('speed 0');
    await page.getByRole('img', { name: 'Accuracy over cost; the same is in the table' }).waitFor();
    await page.goto('/new');
    await page.getByRole('combobox', { name: 'Model' }).selectOption('letters');
    await page.getByText('As sluice evaluate measured').waitFor();
    await page.getByText('No worker serves all stages of this model now').waitFor();
  });
});

/** What of a page reaches beyond a width, but for what scrolls by itself; to be evaluated there. */
const widerThan = (width: number): string =>
  `[...document.querySelectorAll('header *, main *')]
    .filter((each) => each.getBoundingClientRect().right > ${width} && !each.closest('.scrolled, pre, .unseen, thead'))
    .map((each) => each.outerHTML.slice(0, 200))`;

/** What axe finds serious on a page. */
async function seriousOf(shown: Page): Promise<string[]> {
  // Evaluated, not added to the page, which would refuse it.
  await shown.evaluate(axe.source);
  const found: { violations: { id: string; impact: string; nodes: { html: string }[] }[] } =
    await shown.evaluate('axe.run()');
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

describe('the page', () => {
  it('comes from its own origin, compressed and small, and lets nothing else in', async () => {
    const { page: fresh, context, offences } = await openPage(scene, scene.producer.api);
    const answers: { url: string; bytes: number; cache: string; encoding: string }[] = [];
    fresh.on('requestfinished', async (each) => {
      const answer = await each.response();
      const headers = await answer!.allHeaders();
      const { responseBodySize: bytes } = await each.sizes();
      const [cache = '', encoding = ''] = [headers['cache-control'], headers['content-encoding']];
      answers.push({ url: new URL(each.url()).pathname, bytes, cache, encoding });
    });
    const answer = await fresh.goto('/');
    await fresh.getByRole('link', { name: 'mails.jsonl' }).waitFor();
    const policy = answer!.headers()['content-security-policy']!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
    // What a request took is known a moment after its end.
    await expect.poll(() => answers.map(({ url }) => url)).toContain('/');
    const assetsOf = (): typeof answers => answers.filter(({ url }) => url.startsWith('/assets/'));
    await expect.poll(() => assetsOf().length).toBeGreaterThanOrEqual(2);
    const assets = assetsOf();
    for (const { url, cache, encoding } of assets) {
      expect(cache, url).toBe('public, max-age=31536000, immutable');
      expect(encoding, url).toBe('br');
    }
    const weight = [...assets, answers.find(({ url }) => url === '/')!].reduce(
      (sum, { bytes }) => sum + bytes,
      0,
    );
    expect(weight).toBeGreaterThan(10_000);
    expect(weight).toBeLessThanOrEqual(WEIGHT_BYTES);
    // The policy holds: a script that somebody slipped in is not run, but told of.
    await fresh.evaluate(
      "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.harmed = 1' }))",
    );
    expect(await fresh.evaluate('window.harmed')).toBeUndefined();
    expect(offences.join()).toContain('Content Security Policy');
    await context.close();
  });

  it('can be used with the keyboard alone, and tells a screen reader where it is', async () => {
    await page.goto('/');
    await page.getByRole('link', { name: 'mails.jsonl' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('To the content');
    await page.getByRole('link', { name: 'New run' }).first().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/new');
    await page.getByRole('heading', { name: 'New run', level: 1 }).waitFor();
    expect(await page.locator(':focus').textContent()).toBe('New run');
    await page.getByRole('combobox', { name: 'Model' }).selectOption('spam');
    await page.getByRole('radio', { name: 'balanced' }).focus();
    await page.keyboard.press('ArrowUp');
    expect(await page.getByRole('radio', { name: 'accurate' }).isChecked()).toBe(true);
    await page.goBack();
    await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
  });

  it('follows the system’s colours, or those that are chosen, also later', async () => {
    const { page: dark, context } = await openPage(scene, scene.producer.api, { colorScheme: 'dark' });
    const ground = (): Promise<unknown> =>
      dark.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    await dark.goto('/');
    expect(await ground()).toBe('rgb(15, 20, 25)');
    await dark.getByRole('combobox', { name: 'Colours' }).selectOption('light');
    expect(await ground()).toBe('rgb(245, 246, 248)');
    await dark.reload();
    await dark.getByRole('heading', { level: 1 }).waitFor();
    expect(await ground()).toBe('rgb(245, 246, 248)');
    await context.close();
  });

  it.each([
    ['light', {}],
    ['dark, on a phone', { colorScheme: 'dark', ...phone }],
  ] as const)('has nothing that axe finds serious, and fits, %s', async (_, options) => {
    const { page: each, context, offences } = await openPage(scene, scene.producer.api, options);
    const places = [
      '/',
      '/new',
      `/runs/${runId}`,
      '/models',
      '/models/letters',
      '/training',
      `/training/${trainingId}`,
    ];
    for (const place of places) {
      await each.goto(place);
      await each.locator('main .panel').last().waitFor();
      await each.waitForLoadState('networkidle');
      expect(await seriousOf(each), place).toEqual([]);
      const { width } = each.viewportSize()!;
      expect(await each.evaluate(widerThan(width)), place).toEqual([]);
    }
    expect(offences).toEqual([]);
    await context.close();
  });

  it('did nothing that it should not all the while', () => {
    expect(seen.offences).toEqual([]);
  });
});

describe('where there are keys', () => {
  it('the page asks for one, keeps a session that no other site can use, and allows what the key does', async () => {
    const { fleet } = scene;
    const made = await runCli(['key', 'eve', '--scope', 'read', '--file', 'keys.json'], {
      cwd: fleet.folder,
    });
    const producer = await fleet.producer({
      SLUICE_PRODUCER_KEYS_FILE: join(fleet.folder, 'keys.json'),
      SLUICE_PRODUCER_RUNS_ROOT: join(fleet.folder, 'other-runs'),
    });
    const { page: door, context, offences } = await openPage(scene, producer.api);
    await door.goto('/models');
    await door.getByLabel('API key').fill('sluice_wrong');
    await door.getByRole('button', { name: 'Sign in' }).click();
    await door.getByText('This is no key of this producer.').waitFor();
    expect(await seriousOf(door)).toEqual([]);
    await door.getByLabel('API key').fill(made.stdout.trim());
    await door.getByRole('button', { name: 'Sign in' }).click();
    await door.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
    expect(await context.cookies()).toMatchObject([
      { name: 'sluice_session', httpOnly: true, sameSite: 'Strict' },
    ]);
    await door.getByRole('link', { name: 'New run' }).click();
    await door.getByText('Your key may look only').waitFor();
    await door.reload();
    await door.getByRole('button', { name: 'Sign out eve' }).click();
    await door.getByLabel('API key').waitFor();
    expect(await context.cookies()).toEqual([]);
    expect(offences).toEqual([]);
    await context.close();
  });
});

/** Asks by a name of this machine. @returns the status of the answer */
const askBy = (host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(`${scene.producer.api}/v1/runs`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });

describe('a page of another site', () => {
  const form = { method: 'POST', body: new URLSearchParams({ options: '{}' }) };
  it.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'http://elsewhere.example' }, 403],
    [{ origin: 'null' }, 403],
    // Let in, and refused for what it says.
    [{ 'sec-fetch-site': 'same-origin' }, 400],
    [{}, 400],
  ])('changes nothing: %j is answered with %i', async (headers, status) => {
    const json = { ...form, headers: { ...headers, 'content-type': 'application/json' }, body: '{}' };
    const answer = await fetch(`${scene.producer.api}/v1/runs`, json);
    expect([answer.status, await answer.json()]).toMatchObject([status, { error: {} }]);
  });

  it('is not let in by a name of its own for this machine, where there are no keys', async () => {
    expect(await askBy('rebound.example:9480')).toBe(403);
    expect(await askBy('localhost:9480')).toBe(200);
  });
});
