/** The web page where something is odd: a tab in the background, a lost connection, a run that failed, names that are too long. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunView } from '#run/run-view.js';
import type { WebScene } from './web-scene.js';
import { cellsOf, openPage, webScene } from './web-scene.js';

let scene: WebScene;
let page: Page;

beforeAll(async () => {
  scene = await webScene(10);
  ({ page } = await openPage(scene, scene.producer.api));
});
afterAll(() => scene.stop());

async function submit(request: object): Promise<string> {
  const answer = await fetch(`${scene.producer.api}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'spam', ...request }),
  });
  const { id }: RunView = JSON.parse(await answer.text());
  return id;
}

const focused = (): Promise<string | null> => page.locator(':focus').textContent();

describe('a page', () => {
  it('that is opened in the background is there when somebody comes to it, and goes on then', async () => {
    const { page: away, context } = await openPage(scene, scene.producer.api);
    await away.addInitScript(
      "Object.defineProperty(document, 'hidden', { get: () => window.isSeen !== true, configurable: true })",
    );
    let asked = 0;
    away.on('request', (request) => (asked += Number(request.url().endsWith('/v1/models'))));
    await away.goto('/new');
    await away.getByRole('button', { name: 'Start the run' }).waitFor();
    await away.goto('/models');
    await away.getByRole('link', { name: 'spam' }).waitFor();
    expect(asked).toBe(2);
    await away.evaluate("window.isSeen = true, document.dispatchEvent(new Event('visibilitychange'))");
    await expect.poll(() => asked).toBe(3);
    await context.close();
  });

  it('of an odd address asks for nothing else, and one that breaks says so alone', async () => {
    await page.goto('/runs/..%2Fmodels');
    await page.getByText('There is no such run.').waitFor();
    await page.route('**/v1/runs?*', (route) => route.fulfill({ json: {} }));
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await page.getByRole('heading', { name: 'This page is broken', level: 1 }).waitFor();
    await page.unrouteAll();
    await page.getByRole('link', { name: 'Models', exact: true }).click();
    await page.getByRole('link', { name: 'spam' }).waitFor();
  });

  it.each([1280, 390])('fits labels and tables of a card without a blank, %i px wide', async (width) => {
    const long = 'label'.repeat(60);
    await page.setViewportSize({ width, height: 800 });
    await page.route('**/v1/models', async (route) => {
      const answer = await route.fetch();
      const { models }: { models: object[] } = JSON.parse(await answer.text());
      await route.fulfill({
        response: answer,
        json: { models: models.map((model) => ({ ...model, labels: [long, 'ham'] })) },
      });
    });
    const card = `| name | share |\n| --- | --- |\n| ${long} | 97.2 % |\n`;
    await page.route('**/card', (route) => route.fulfill({ body: card }));
    for (const path of ['/models', '/new', '/models/spam']) {
      await page.goto(path);
      await page.getByText(long).first().waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(width);
    }
    const share = page.getByRole('cell', { name: '97.2 %' });
    const right = await share.evaluate((cell) => cell.getBoundingClientRect().right);
    expect(right).toBeLessThanOrEqual(width);
    await page.goto('/models');
    const name = page.getByRole('link', { name: 'spam' });
    expect(await name.evaluate((link) => link.getClientRects().length)).toBe(1);
    await page.unrouteAll();
    await page.setViewportSize({ width: 1280, height: 720 });
  });
});

describe('a run', () => {
  it('whose events are lost says so until they are heard again, and its questions keep the focus', async () => {
    const id = await submit({ rows: [{ text: 'a' }] });
    const lost = page.getByText('Connection lost; trying again.');
    await page.route('**/events', (route) => route.abort());
    await page.goto(`/runs/${id}`);
    await lost.waitFor();
    await page.unrouteAll();
    await lost.waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await focused()).toBe('Yes');
    await page.keyboard.press('Escape');
    await expect.poll(focused).toBe('Cancel');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('No');
    await page.keyboard.press('Enter');
    await expect.poll(focused).toBe('Cancel');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Yes' }).click();
    await page.getByText('cancelled', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Resume' }).getAttribute('class')).toBe('primary');
  });

  it('that failed looks over, and is not to be resumed before all else', async () => {
    await scene.worker();
    const id = await submit({ rows: [{ text: 'a' }], textField: 'body', fields: ['none'] });
    await page.goto(`/runs/${id}`);
    await page.getByText('failed', { exact: true }).waitFor();
    expect(await page.getByRole('progressbar').getAttribute('value')).toBe('0');
    await page.getByText('No row was labelled.').waitFor();
    expect(await page.getByRole('button', { name: 'Resume' }).getAttribute('class')).toBe('');
    await page.goto('/');
    expect((await cellsOf(page, 'Runs, the latest first'))[0]?.[3]).toBe('0.0 %0.0 %');
  });

  it('of which nothing was labelled, or nothing is known to be right, says that', async () => {
    const rejected = await submit({ rows: [{ none: 'a' }, { text: 5 }] });
    await page.goto(`/runs/${rejected}`);
    await page.getByText('finished', { exact: true }).waitFor();
    await page.getByText('No row was labelled.').waitFor();
    const strange = await submit({ rows: [{ text: 'a', kind: 'strange' }], labelField: 'kind' });
    await page.goto(`/runs/${strange}`);
    await page.getByText('No accuracy: the corpus gives no row a label that the model knows.').waitFor();
  });
});
