/** A producer whose disk is full says so, and goes on where it was when there is room. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { canMount, fromOutside, mountDisk, onDisk, unmountDisk } from '../hostile/small-disk.js';
import { jsonLines, mailSample } from '../mail-sample.js';
import { runCli, spamBundle } from '../run-cli.js';
import { ServiceFleet } from './service-fleet.js';

const KIBIBYTE = 1024;
let folder: string;
let fleet: ServiceFleet;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-disk-'));
  fleet = await ServiceFleet.start();
});
afterEach(async () => {
  await fleet.stop();
  await unmountDisk(folder);
  await rm(folder, { recursive: true, force: true });
});

it.runIf(canMount)(
  'a run on a full disk fails by name, and is resumed to the bytes of sluice label',
  async () => {
    const input = join(fleet.folder, 'input');
    await mkdir(input);
    const corpus = join(input, 'mails.jsonl');
    await writeFile(corpus, jsonLines(await mailSample(1000, 160)));
    await mountDisk(folder, 'size=1600k');
    const filler = join(fromOutside(folder), 'disk/filler');
    await writeFile(filler, Buffer.alloc(1450 * KIBIBYTE));
    const env = {
      SLUICE_PRODUCER_RUNS_ROOT: join(folder, 'disk/runs'),
      SLUICE_PRODUCER_INPUT_ROOT: input,
      SLUICE_PRODUCER_FEED_CHUNK_ROWS: '64',
    };
    const [producer] = await Promise.all([fleet.producer(env, onDisk(folder)), fleet.worker()]);
    const cli = { cwd: fleet.folder, env: { SLUICE_SERVER: producer.api } };
    const submit = ['submit', 'mails.jsonl', '--on-server', '--model', 'spam', '--json'];
    const submitted = await runCli(submit, cli);
    expect(submitted.end, submitted.stderr).toBe(0);
    const { id }: { id: string } = JSON.parse(submitted.stdout);
    const failed = await runCli(['watch', id], cli);
    expect([failed.end, failed.stderr]).toEqual([
      1,
      expect.stringMatching(/is failed: ENOSPC.*no space left/),
    ]);
    await rm(filler);
    expect((await runCli(['resume', id], cli)).end).toBe(0);
    const watched = await runCli(['watch', id, '--quiet'], cli);
    expect(watched.end, watched.stderr).toBe(0);
    expect((await runCli(['fetch', id, '--out', 'out.jsonl'], cli)).end).toBe(0);
    const label = ['label', corpus, '--model', spamBundle, '--out', 'label.jsonl'];
    expect((await runCli(label, cli)).end).toBe(0);
    expect(await readFile(join(fleet.folder, 'out.jsonl'), 'utf8')).toBe(
      await readFile(join(fleet.folder, 'label.jsonl'), 'utf8'),
    );
  },
);

it.runIf(canMount)(
  'a run on a disk so full that its state cannot be written is not tried without pause, and goes on when there is room',
  async () => {
    await mountDisk(folder, 'size=1600k');
    const env = { SLUICE_PRODUCER_RUNS_ROOT: join(folder, 'disk/runs') };
    const producer = await fleet.producer(env, onDisk(folder));
    const cli = { cwd: fleet.folder, env: { SLUICE_SERVER: producer.api } };
    await writeFile(join(fleet.folder, 'mails.jsonl'), jsonLines(await mailSample(100, 160)));
    const submitted = await runCli(['submit', 'mails.jsonl', '--model', 'spam', '--json'], cli);
    expect(submitted.end, submitted.stderr).toBe(0);
    const { id }: { id: string } = JSON.parse(submitted.stdout);
    const filler = join(fromOutside(folder), 'disk/filler');
    // As much as there is room for.
    await writeFile(filler, Buffer.alloc(2048 * KIBIBYTE)).catch(() => undefined);
    await fleet.worker();
    const troubles = (): number =>
      [...producer.output.matchAll(new RegExp(`Run ${id}: Error: ENOSPC`, 'g'))].length;
    await expect.poll(troubles, { timeout: 20_000 }).toBe(1);
    await sleep(3000);
    expect(troubles()).toBe(1);
    await rm(filler);
    const watched = await runCli(['watch', id, '--quiet'], cli);
    expect(watched.end, watched.stderr).toBe(0);
  },
);
