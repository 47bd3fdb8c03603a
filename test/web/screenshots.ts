/** `npm run screenshots [folder]`: pictures of every page, to be looked at; outside the tree unless told. */
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { openPage, webScene } from './web-scene.js';

const ROWS = 1500;
/** Share of a run that is done when its picture is taken. */
const LIVE_AT = 0.2;
const folder = resolve(process.argv[2] ?? join(tmpdir(), 'sluice-screenshots'));
const wide = { viewport: { width: 1280, height: 900 }, colorScheme: 'light' } as const;
const dark = { ...wide, colorScheme: 'dark' } as const;
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

await mkdir(folder, { recursive: true });
const scene = await webScene(ROWS);
const origin = scene.producer.api;

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  console.log(join(folder, `${name}.png`));
}

async function shootAt(name: string, path: string, options: BrowserContextOptions): Promise<void> {
  const { page, context } = await openPage(scene, origin, options);
  await page.goto(path);
  await page.locator('main .panel').last().waitFor();
  await page.waitForLoadState('networkidle').catch(() => undefined);
  await shoot(page, name);
  await context.close();
}

async function submitted(page: Page, point: string): Promise<string> {
  await page.goto('/new');
  await page.getByRole('combobox', { name: 'Model' }).selectOption('spam');
  await page.locator('#corpus').setInputFiles(scene.corpus);
  await page.getByRole('radio', { name: point }).check();
  await page.getByRole('combobox', { name: 'Field of the right label' }).selectOption('label');
  await page.getByRole('button', { name: 'Start the run' }).click();
  await page.waitForURL('**/runs/*');
  return new URL(page.url()).pathname;
}

try {
  await scene.worker();
  const trained = `/training/${(await scene.train()).id}`;
  const { page } = await openPage(scene, origin, wide);
  await page.goto(trained);
  await page.getByText('steps/s').waitFor();
  await shoot(page, 'training-live');
  await page.getByText('letters, version 1').waitFor({ timeout: 300_000 });
  const done = await submitted(page, 'balanced');
  await page.getByText('finished', { exact: true }).waitFor({ timeout: 300_000 });
  const live = await submitted(page, 'full');
  const bar = page.locator('.standing progress');
  while (Number(await bar.getAttribute('value')) < LIVE_AT) await sleep(200);
  await shoot(page, 'run-live');
  await shootAt('runs', '/', wide);
  await shootAt('run-live-dark', live, dark);
  await shootAt('run-live-phone', live, phone);
  await page.goto('/new');
  await page.locator('#corpus').setInputFiles(scene.corpus);
  await page.waitForLoadState('networkidle');
  await shoot(page, 'new-run-presets');
  await page.goto(live);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Yes' }).click();
  await page.getByText('cancelled', { exact: true }).waitFor();
  await shoot(page, 'run-cancelled');
  for (const [name, options] of Object.entries({ wide, dark, phone })) {
    await shootAt(`run-done-${name}`, done, options);
    await shootAt(`new-run-${name}`, '/new', options);
    await shootAt(`models-${name}`, '/models', options);
    await shootAt(`model-${name}`, '/models/letters', options);
    await shootAt(`trainings-${name}`, '/training', options);
    await shootAt(`training-${name}`, trained, options);
  }
  await shootAt('runs-phone', '/', phone);
  await shootAt('runs-dark', '/', dark);
  await page.goto('/runs/aaaaaaaaaaaa');
  await page.getByRole('alert').waitFor();
  await shoot(page, 'no-such-run');
} finally {
  await scene.stop();
}
