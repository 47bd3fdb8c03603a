import type { Manifest } from '#model/bundle/manifest.js';
import { answerFormOf } from '#model/bundle/manifest.js';
import type { TableLayout } from './terminal/table.js';
import { tableLines } from './terminal/table.js';

/** A bundle for a person to read: what it is, its stages, the quality of its exits, its presets. */
export function bundleLines(manifest: Manifest, layout: TableLayout): string[] {
  const { geometry, quality, float32Matmuls } = manifest;
  const { paint } = layout;
  const lines = [
    `${paint.style('bold', manifest.name)}  ${manifest.precision}, ${geometry.layers} layers × ${geometry.hiddenSize}, ${manifest.labels.length} classes, ${manifest.task} texts of at most ${manifest.maxLength} tokens`,
    `labels: ${shortened(manifest.labels)}`,
    ...answerLines(manifest),
  ];
  if (float32Matmuls.length > 0) {
    lines.push(`matmuls kept in float32 for the sake of agreement: ${float32Matmuls.join(', ')}`);
  }
  lines.push('', ...stageTable(manifest, layout), '', ...exitTable(manifest, layout));
  if (quality !== null) lines.push(paint.style('dim', `measured on ${quality.texts} texts`));
  return [...lines, '', ...presetTable(manifest, layout)];
}

/** What is not so in most models. */
function answerLines({ problem, labels, thresholds, uncertaintyTop }: Manifest): string[] {
  const lines: string[] = [];
  if (problem === 'multi-label') {
    const form = answerFormOf({ problem, labels, thresholds });
    const each = form.problem === 'multi-label' ? form.thresholds : [];
    const same = new Set(each).size === 1;
    lines.push(
      `any number of them a text: those of a probability from ${same ? String(each[0]) : shortened(labels.map((label, index) => `${label} ${each[index]}`))} on`,
    );
  }
  if (problem === 'regression') lines.push('a regression: numbers as they are, every text at full depth');
  if (uncertaintyTop !== undefined) lines.push(`uncertainty over the ${uncertaintyTop} most probable labels`);
  return lines;
}

function stageTable(manifest: Manifest, layout: TableLayout): string[] {
  return tableLines(
    [{ title: 'stage', align: 'right' }, { title: 'layers' }, { title: 'exits' }, { title: 'file' }],
    manifest.stages.map(({ layers, exits, file }, index) => [
      String(index + 1),
      layers === null ? 'embeddings' : `${layers[0]}–${layers[1]}`,
      exits.join(', '),
      file,
    ]),
    layout,
  );
}

function exitTable(manifest: Manifest, layout: TableLayout): string[] {
  const measured = new Map(manifest.quality?.exits.map((exit) => [exit.layer, exit]));
  const columns = [
    { title: 'exit', align: 'right' as const },
    { title: 'kind' },
    { title: 'agrees with fp32', align: 'right' as const },
    { title: 'accuracy', align: 'right' as const },
    { title: 'accuracy fp32', align: 'right' as const },
  ];
  const shown = manifest.quality === null ? 2 : manifest.quality.exits[0]?.accuracy === undefined ? 3 : 5;
  const rows = manifest.exits.map(({ layer, kind }) => {
    const exit = measured.get(layer);
    return [
      String(layer),
      kind,
      share(exit?.agreement),
      share(exit?.accuracy),
      share(exit?.accuracyFp32),
    ].slice(0, shown);
  });
  return tableLines(columns.slice(0, shown), rows, layout);
}

function presetTable({ presets }: Manifest, layout: TableLayout): string[] {
  return tableLines(
    [
      { title: 'preset' },
      { title: 'speed', align: 'right' },
      { title: 'labels as at full depth', align: 'right' },
      { title: 'layers a row', align: 'right' },
    ],
    Object.entries(presets).map(([name, { thresholds, agreement, meanLayers }]) => [
      name,
      [...new Set(Object.values(thresholds))].join('–'),
      agreement === undefined ? 'not measured' : `${(agreement * 100).toFixed(1)} %`,
      meanLayers === undefined ? '' : meanLayers.toFixed(2),
    ]),
    layout,
  );
}

function share(value: number | undefined): string {
  return value === undefined ? '' : `${(value * 100).toFixed(1)} %`;
}

function shortened(labels: readonly string[]): string {
  const most = 12;
  const rest = labels.length - most;
  return rest > 0 ? `${labels.slice(0, most).join(', ')} and ${rest} more` : labels.join(', ');
}
