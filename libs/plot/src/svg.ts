/** Plain text of SVG documents: no scripts, no styles from elsewhere, nothing that a viewer would have to fetch. */

export type Attributes = Readonly<Record<string, string | number>>;

/** An element; children are elements or escaped text. Numbers are rounded to 1/100. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? rounded(value) : escapeText(value)}"`)
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** Text at a point. @param style font size, anchor, fill … */
export function textAt(x: number, y: number, content: string, style: Attributes = {}): string {
  return element('text', { x, y, ...style }, escapeText(content));
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** What a screen reader says first, and its longer description. */
  readonly title: string;
  readonly description: string;
}

/** Ink of texts and axes. */
export const ink = '#24292f';
export const faintInk = '#57606a';
export const gridInk = '#d8dee4';

/** A whole document on a light ground of its own, so that it reads the same on a dark page. */
export function svgDocument(
  { width, height, title, description }: Drawing,
  content: readonly string[],
): string {
  const root = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-labelledby': 'title desc',
      'font-family': 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", Arial, sans-serif',
      'font-size': 12,
      fill: ink,
    },
    element('title', { id: 'title' }, escapeText(title)),
    element('desc', { id: 'desc' }, escapeText(description)),
    element('rect', { width, height, rx: 8, fill: '#ffffff', stroke: gridInk }),
    ...content,
  );
  return `${root.replaceAll('><', '>\n<')}\n`;
}

export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}
