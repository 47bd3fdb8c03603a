/** Runs are kept for so many days; one that cannot be deleted keeps no other. */
import { mkdir, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunView } from '#run/run-view.js';
import { canMount, mountDisk, onDisk, unmountDisk } from '../hostile/small-disk.js';
import { ServiceFleet } from './service-fleet.js';

let fleet: ServiceFleet;
beforeAll(async () => {
  fleet = await ServiceFleet.start();
});
afterAll(() => fleet.stop());

const oneRow = { model: 'spam', rows: [{ text: 'you have won a prize' }] };
const headers = { 'content-type': 'application/json' };

async function submit(api: string): Promise<string> {
  const answer = await fetch(`${api}/v1/runs`, { method: 'POST', headers, body: JSON.stringify(oneRow) });
  const { id }: RunView = JSON.parse(await answer.text());
  return id;
}

it.runIf(canMount)(
  'a producer deletes runs that ended long ago, and what was left of uploads, when it starts',
  async () => {
    const runs = join(fleet.folder, 'runs');
    const first = await fleet.producer();
    const worker = await fleet.worker();
    const ended = await Promise.all([1, 2, 3].map(() => submit(first.api)));
    const viewOf = async (id: string): Promise<unknown> => (await fetch(`${first.api}/v1/runs/${id}`)).json();
    for (const id of ended)
      await expect.poll(() => viewOf(id), { timeout: 20_000 }).toMatchObject({ phase: 'finished' });
    worker.kill('SIGTERM');
    await worker.ended;
    const waiting = await submit(first.api);
    first.kill('SIGTERM');
    await first.ended;

    const [stuck, old, fresh] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc'].map((id) => join(runs, id));
    for (const upload of [stuck!, old!, fresh!]) await mkdir(upload);
    // Whatever is in use, such as a mount, cannot be deleted.
    await mountDisk(stuck!, 'size=100k');
    const longAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
    for (const upload of [stuck!, old!]) await utimes(upload, longAgo, longAgo);
    const second = await fleet.producer({ SLUICE_PRODUCER_RETENTION_DAYS: '0.000001' }, onDisk(stuck!));
    const kept = async (): Promise<string[]> =>
      (await readdir(runs)).filter((name) => /^[a-z0-9]{12}$/.test(name));
    await expect.poll(async () => (await kept()).toSorted()).toEqual([waiting, 'cccccccccccc'].toSorted());
    expect(second.output).toContain('EBUSY');
    second.kill('SIGTERM');
    await second.ended;
    await unmountDisk(stuck!);
  },
);
