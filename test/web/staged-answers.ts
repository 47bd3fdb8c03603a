/** Answers of the API that would take minutes of training to come about, as docs/training.md describes them. */
import type { Page } from 'playwright-core';

const dev = [0, 1, 2, 3, 4, 5, 6].map((layer) => ({ layer, share: 0.78 + 0.03 * layer }));
const progress = {
  fraction: 0.46,
  what: '',
  step: 1230,
  steps: 2680,
  epoch: 2,
  loss: 0.213,
  rate: 7.2e-5,
  stepsPerSecond: 1.9,
  etaSeconds: 763,
  dev,
};

export const training = {
  id: 'aaaaaaaaaaaa',
  name: 'topics',
  owner: 'anyone',
  createdAt: '2026-05-04T09:30:00.000Z',
  phase: 'running',
  since: '2026-05-04T09:30:02.000Z',
  steps: [
    {
      kind: 'train',
      phase: 'finished',
      seconds: 812,
      notes: ['3,200 rows, 4 labels.'],
      progress: { ...progress, fraction: 1, step: 900, steps: 900, epoch: 3 },
    },
    { kind: 'distil', phase: 'running', notes: [], progress },
    { kind: 'compile', phase: 'waiting', notes: [] },
    { kind: 'evaluate', phase: 'waiting', notes: [] },
  ],
};

const curves = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 240" width="480" height="240"><rect width="480" height="240" rx="8" fill="#fff" stroke="#d8dee4"/><path d="M40 30 C120 150 200 190 460 205" fill="none" stroke="#0b5cad" stroke-width="2"/></svg>`;

/** A card that tries to do what a card may not. */
export const card = `# Model card: topics

Tells **four topics** apart. <script>window.harmed = 1</script>

| exit | accuracy |
| --- | --- |
| 0 | 81.2 % |

[paper](https://arxiv.org/abs/2004.02178), [trap](javascript:window.harmed=1), ![picture](https://example.org/x.png)
`;

const shareOf = (share: number) => ({ part: 0, whole: 0, share, low: share - 0.01, high: share + 0.01 });
const policies = [
  { name: '0', share: 0.896, saved: -0.02, exits: [0, 0, 0, 0, 0, 0, 1] },
  { name: '0.05', share: 0.897, saved: 0.3, exits: [0.3, 0.1, 0.1, 0.1, 0.05, 0.05, 0.3] },
  { name: '0.1', share: 0.895, saved: 0.42, exits: [0.4, 0.1, 0.1, 0.1, 0.05, 0.05, 0.2] },
  { name: '0.2', share: 0.891, saved: 0.86, exits: [0.7, 0.2, 0.05, 0.03, 0.01, 0.005, 0.005] },
  { name: '0.4', share: 0.862, saved: 0.95, exits: [0.9, 0.05, 0.03, 0.01, 0.005, 0.005, 0] },
];
const evaluation = {
  layers: 6,
  policies: policies.map(({ name, share, saved, exits }) => ({
    name,
    thresholds: { 0: Number(name) },
    accuracy: shareOf(share),
    agreement: shareOf(share),
    meanLayers: exits.reduce((sum, each, layer) => sum + each * layer, 0),
    work: { saved },
    exits: exits.map((each, layer) => ({ layer, share: each })),
  })),
};

/** Has a page see a training, and its model in two versions with a card and an evaluation. */
export async function stageTraining(page: Page): Promise<void> {
  const json = async (path: string, body: unknown): Promise<void> => {
    await page.route(path, (route) => route.fulfill({ json: body }));
  };
  await json('**/v1/training', { trainings: [training] });
  await json(`**/v1/training/${training.id}`, training);
  await page.route(`**/v1/training/${training.id}/events`, (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: `data: ${JSON.stringify(training)}\n\n` }),
  );
  await page.route(`**/v1/training/${training.id}/curves*`, (route) =>
    route.fulfill({ contentType: 'image/svg+xml', body: curves }),
  );
  await page.route('**/v1/models', async (route) => {
    const answer = await route.fetch();
    const { models }: { models: object[] } = JSON.parse(await answer.text());
    const versions = [2, 1].map((version) => ({
      version,
      bundle: String(version).repeat(64),
      createdAt: `2026-05-0${version}T10:00:00.000Z`,
      promoted: version === 2,
      precision: 'int8',
      workers: version === 2 ? 2 : 0,
      hasCard: true,
      hasEvaluation: true,
    }));
    await route.fulfill({ json: { models: models.map((model) => ({ ...model, version: 2, versions })) } });
  });
  await page.route('**/v1/models/*/versions/*/card', (route) =>
    route.fulfill({ contentType: 'text/markdown', body: card }),
  );
  await json('**/v1/models/*/versions/*/evaluation', evaluation);
}
