import { expect, it } from 'vitest';
import { Metrics } from './metrics.js';

it('shows counts from 0 on, once they are begun, and never sets them back', async () => {
  const metrics = new Metrics(['jobs_total', 'stage_rows']);
  expect(await metrics.text()).not.toContain('sluice_stage_rows_count{');
  metrics.begin('jobs_total', { stage: '1', outcome: 'done' });
  metrics.begin('stage_rows', { stage: '1' });
  expect(await metrics.text()).toContain('sluice_jobs_total{stage="1",outcome="done"} 0\n');
  expect(await metrics.text()).toContain('sluice_stage_rows_bucket{le="+Inf",stage="1"} 0\n');

  metrics.count('jobs_total', { stage: '1', outcome: 'done' });
  for (const stage of ['1', '2']) metrics.observe('stage_rows', { stage }, 5);
  for (const stage of ['1', '2']) metrics.begin('stage_rows', { stage });
  metrics.begin('jobs_total', { stage: '1', outcome: 'done' });
  const text = await metrics.text();
  expect(text).toContain('sluice_jobs_total{stage="1",outcome="done"} 1\n');
  for (const stage of ['1', '2']) expect(text).toContain(`sluice_stage_rows_count{stage="${stage}"} 1\n`);
});
