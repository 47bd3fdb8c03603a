import { bytesText, countText, durationText, shareText } from '../terminal/quantity.js';
import type { Column, TableLayout } from '../terminal/table.js';
import { tableLines } from '../terminal/table.js';
import type { CapacityPlan, PlannedStage } from './capacity-plan.js';

/** A Redis or a network that carries more of activations is worth a look before. */
const MUCH_PER_SECOND = 400e6;
const BUSY_REDIS = 0.7;

/** A plan for a person to read. */
export function planLines(plan: CapacityPlan, layout: TableLayout): string[] {
  const { paint } = layout;
  const { targetSeconds, headroom } = plan;
  const goal =
    targetSeconds === undefined
      ? 'with these workers'
      : `within ${secondsText(targetSeconds)}, ${shareText(headroom ?? 0)} of it kept free`;
  return [
    `${paint.style('bold', `${countText(plan.rows)} rows`)} by ${plan.model} ${goal}`,
    '',
    ...stageTable(plan, layout),
    '',
    ...finishLines(plan, layout),
    ...costLines(plan),
    ...redisLines(plan),
    ...settingLines(plan),
    '',
    ...pilotLines(plan, layout),
  ];
}

function stageTable(plan: CapacityPlan, layout: TableLayout): string[] {
  const priced = plan.cost !== undefined;
  const columns: Column[] = [
    { title: 'stage', align: 'right' },
    { title: 'layers' },
    { title: 'rows', align: 'right' },
    { title: 'share (95 %)', align: 'right' },
    { title: 'ms a row', align: 'right' },
    { title: 'workers', align: 'right' },
    { title: 'busy', align: 'right' },
    { title: 'tokens a batch', align: 'right' },
    { title: 'worker-hours', align: 'right' },
    ...(priced ? [{ title: 'cost', align: 'right' } as const] : []),
  ];
  return tableLines(
    columns,
    plan.stages.map((stage) => stageRow(stage, priced)),
    layout,
  );
}

function stageRow(stage: PlannedStage, priced: boolean): string[] {
  const { reach, layers, batchTokens } = stage;
  const interval = reach.share === 1 ? '' : ` (${percent(reach.low)}–${percent(reach.high)})`;
  return [
    String(stage.stage),
    layers === null ? 'embeddings' : `${layers[0]}–${layers[1]}`,
    countText(stage.rows),
    `${percent(reach.share)}${interval} %`,
    (stage.rowSeconds * 1000).toFixed(3),
    countText(stage.replicas),
    shareText(stage.utilisation),
    `${countText(batchTokens.mean)} of ${countText(batchTokens.most)}`,
    hoursText(stage.workerHours),
    ...(priced ? [moneyText(stage.cost ?? 0)] : []),
  ];
}

function finishLines(plan: CapacityPlan, { paint }: TableLayout): string[] {
  const { start, feed, tail, merge } = plan.phases;
  const {
    producers: { count, utilisation },
    runs,
  } = plan;
  const producers =
    count === 1
      ? `One producer, busy ${shareText(utilisation)} of the time.`
      : paint.style(
          'yellow',
          `One producer cannot feed so fast: cut the corpus into ${count} runs, each with a producer of its own (busy ${shareText(utilisation)}).`,
        );
  return [
    `${paint.style('bold', `Finished after ${secondsText(plan.finishSeconds)}`)}, ${countText(plan.rowsPerSecond)} rows/s while labelling: start ${secondsText(start)}, labelling ${secondsText(feed + tail)} (the last ${secondsText(tail)} drain the pipeline), merge ${secondsText(merge)}`,
    producers,
    ...(runs === count
      ? []
      : [
          paint.style(
            'yellow',
            `A run may not have so many rows (producer.limits.rows): cut the corpus into ${runs} runs, or raise it.`,
          ),
        ]),
  ];
}

function costLines({ workerHours, cost, costPerMillionRows }: CapacityPlan): string[] {
  if (cost === undefined || costPerMillionRows === undefined) {
    return [`${hoursText(workerHours)} worker-hours; --price 0.04/h tells what they cost`];
  }
  return [
    `${hoursText(workerHours)} worker-hours cost ${moneyText(cost)}, ${moneyText(costPerMillionRows)} for a million rows`,
  ];
}

function redisLines({ redis }: CapacityPlan): string[] {
  const { queueBytes, activationBytes, queueMaxMemory, activationMaxMemory } = redis;
  const lines = [
    `Redis of the queues: at most ${bytesText(queueBytes)}, maxmemory ${gibibytes(queueMaxMemory)}` +
      (activationMaxMemory === 0
        ? ''
        : `; of the activations: at most ${bytesText(activationBytes)}, maxmemory ${gibibytes(activationMaxMemory)}, ${bytesText(redis.activationBytesPerSecond)}/s in and out`),
  ];
  if (redis.utilisation > BUSY_REDIS || redis.activationBytesPerSecond > MUCH_PER_SECOND) {
    lines.push(
      `One Redis would be busy ${shareText(redis.utilisation)} of the time: let workers serve stages together (SLUICE_STAGES=2-3), so that fewer activations travel, or give activations a cluster of their own.`,
    );
  }
  return lines;
}

function settingLines({ settings }: CapacityPlan): string[] {
  const pairs = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return [`Settings: ${pairs.join(' ')}`];
}

function pilotLines(
  { pilot: { source, machine, pilot }, workerSpeeds }: CapacityPlan,
  layout: TableLayout,
): string[] {
  const faster = workerSpeeds.every((speed) => speed === 1)
    ? 'Workers are taken to be as fast; --worker-speed says otherwise.'
    : `Workers are taken to be ${workerSpeeds.join(', ')} times as fast.`;
  return [
    `Where rows leave: ${source} (${countText(pilot.rows)} rows, ${pilot.tokensPerRow.toFixed(1)} tokens a row).`,
    `Stage times: measured ${machine.measuredAt.slice(0, 10)} on ${machine.host}, ${machine.processor}, ${machine.cores} cores, load ${machine.load.toFixed(1)}, ${machine.fingerprint}. ${faster}`,
  ].map((line) => layout.paint.style('dim', line));
}

const secondsText = (seconds: number): string => durationText(seconds * 1000);

const percent = (share: number): string => (share * 100).toFixed(share < 0.1 && share > 0 ? 2 : 1);

const gibibytes = (bytes: number): string => `${bytes / 2 ** 30} GiB`;

const hoursText = (hours: number): string => (hours < 100 ? hours.toFixed(1) : countText(hours));

/** In whatever money the price was in. */
function moneyText(amount: number): string {
  if (amount >= 100) return countText(amount);
  return amount >= 1 || amount === 0 ? amount.toFixed(2) : amount.toPrecision(2);
}
