import { element, faintInk, svgDocument, textAt } from '#plot/svg.js';
import type { PhaseSummary } from '../summary.js';
import { fixed, spreadText } from './spread-text.js';

const width = 800;
const margin = 24;
const [barTop, barHeight] = [74, 40];
const [legendTop, legendStep] = [146, 24];
const palette = [
  '#57606a',
  '#8250df',
  '#0969da',
  '#2da44e',
  '#bf8700',
  '#cf222e',
  '#6e7781',
  '#1b7c83',
  '#bc4c00',
];

/** Processor time of 1,000 texts, one bar cut by phases, an SVG document; undefined without phases. */
export function phasePlot(phases: readonly PhaseSummary[]): string | undefined {
  if (phases.length === 0) return undefined;
  const all = phases.reduce((sum, { cpuSecondsPer1000 }) => sum + cpuSecondsPer1000.median, 0);
  const title = 'Where processor time goes, file to file';
  const height = legendTop + Math.ceil(phases.length / 2) * legendStep + 8;
  const description = phases.map(({ phase, share }) => `${phase}: ${fixed(100 * share, 1)} %.`).join(' ');
  let x = margin;
  return svgDocument({ width, height, title, description }, [
    textAt(margin, 34, title, { 'font-size': 17, 'font-weight': 600 }),
    textAt(margin, 54, `${fixed(all, 3)} s for 1,000 texts, all threads; early exit from exit 0`, {
      fill: faintInk,
    }),
    ...phases.flatMap(({ phase, share, cpuSecondsPer1000 }, index) => {
      const size = share * (width - 2 * margin);
      const fill = palette[index % palette.length]!;
      const segment = element('rect', { x, y: barTop, width: size, height: barHeight, fill });
      x += size;
      const legendX = margin + (index % 2) * (width / 2 - margin);
      const legendY = legendTop + (index >> 1) * legendStep;
      return [
        segment,
        element('rect', { x: legendX, y: legendY - 11, width: 14, height: 14, rx: 2, fill }),
        textAt(
          legendX + 22,
          legendY,
          `${phase}: ${fixed(100 * share, 1)} %, ${spreadText(cpuSecondsPer1000, 3, ' s')}`,
        ),
      ];
    }),
  ]);
}
