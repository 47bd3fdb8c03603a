/** The form of a new run in a real Chromium: what it takes, what it sends, and what stops it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebScene } from './web-scene.js';
import { openPage, webScene } from './web-scene.js';

/** A corpus of so many bytes, sent at so many a second, is on its way long enough to be looked at. */
const LARGE_BYTES = 2_000_000;
const SLOW_BYTES = 100_000;

let scene: WebScene;
let page: Page;
let offences: string[];

beforeAll(async () => {
  scene = await webScene(10);
  ({ page, offences } = await openPage(scene, scene.producer.api));
});
afterAll(() => scene.stop());

const file = (name: string, text: string) => ({ name, mimeType: '', buffer: Buffer.from(text) });
const start = () => page.getByRole('button', { name: 'Start the run' });
const corpus = () => page.getByRole('list', { name: 'The corpus' });
const runFolders = () => readdir(join(scene.fleet.folder, 'runs'));

/** Drops files or a text on the first element of a selector. @returns whether the browser will do nothing itself */
const drop = (selector: string, what: 'file' | 'text'): Promise<unknown> =>
  page.evaluate(`{
    const dataTransfer = new DataTransfer();
    if ('${what}' === 'file') dataTransfer.items.add(new File(['{"text": "a"}'], 'dropped.jsonl'));
    else dataTransfer.setData('text/plain', 'words');
    const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
    document.querySelector('${selector}').dispatchEvent(event);
    event.defaultPrevented;
  }`);

describe('the form', () => {
  it('takes files that are dropped on its zone, and keeps the page and the corpus at any other drop', async () => {
    await page.goto('/new');
    await start().waitFor();
    expect(await drop('h1', 'file')).toBe(true);
    expect(await corpus().count()).toBe(0);
    expect(await drop('.drop', 'file')).toBe(true);
    await corpus().getByText('dropped.jsonl').waitFor();
    await drop('.drop', 'text');
    expect(await drop('h1', 'text')).toBe(false);
    expect(await corpus().textContent()).toContain('dropped.jsonl');
  });

  it('does not take an empty speed for the dearest', async () => {
    await page.getByRole('radio', { name: 'another speed' }).check();
    await page.getByRole('spinbutton', { name: /^Speed/ }).fill('');
    await start().click();
    expect(await page.locator(':invalid:focus').getAttribute('aria-label')).toContain('Speed');
    expect(await runFolders()).toEqual([]);
  });

  it('offers the fields of all rows, of a format that the name does not tell, and takes names of downloads', async () => {
    await page.goto('/new');
    const rows = '{"id": 1, "text": "a"}\n{"id": 2, "body": "b"}\n';
    await page.locator('#corpus').setInputFiles(file('export (1)', rows));
    await page.getByRole('combobox', { name: 'Format of the corpus' }).selectOption('jsonl');
    await page.getByRole('combobox', { name: 'Field of the text' }).selectOption('body');
    await start().click();
    await page.waitForURL('**/runs/*');
    await page.getByRole('heading', { name: 'export (1)', level: 1 }).waitFor();
    const [id = ''] = await runFolders();
    const answer = await fetch(`${scene.producer.api}/v1/runs/${id}`);
    expect(await answer.json()).toMatchObject({ request: { format: 'jsonl', textField: 'body' } });
    await fetch(`${scene.producer.api}/v1/runs/${id}/cancel`, { method: 'POST' });
    await fetch(`${scene.producer.api}/v1/runs/${id}`, { method: 'DELETE' });
  });
});

describe('a corpus that is being sent', () => {
  it('keeps the form as it is, and leaves nothing when it is stopped or the form is left', async () => {
    await page.goto('/new');
    const network = await page.context().newCDPSession(page);
    await network.send('Network.enable');
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: SLOW_BYTES };
    await network.send('Network.emulateNetworkConditions', slow);
    await page.locator('#corpus').setInputFiles(file('large.txt', 'a text\n'.repeat(LARGE_BYTES / 7)));
    await start().click();
    const sending = page.getByRole('progressbar', { name: 'Sending the corpus' });
    await sending.waitFor();
    expect(await page.getByRole('combobox', { name: 'Model' }).isDisabled()).toBe(true);
    expect(await start().isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Stop' }).click();
    await sending.waitFor({ state: 'detached' });
    expect(await page.getByRole('combobox', { name: 'Model' }).isEnabled()).toBe(true);
    await expect.poll(runFolders).toEqual([]);

    await start().click();
    await sending.waitFor();
    await page.getByRole('link', { name: 'Models' }).click();
    await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
    await network.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 });
    await expect.poll(runFolders).toEqual([]);
    expect(new URL(page.url()).pathname).toBe('/models');
  });

  it('did nothing that it should not all the while', () => {
    expect(offences).toEqual([]);
  });
});
