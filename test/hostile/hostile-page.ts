/** docs/hostile-input.md, from what was seen. */
import type { HostileCase, HostileSection } from './hostile-case.js';
import type { SeenStep } from './see-case.js';

const intro = `# Hostile input

What \`sluice\` does with input that is broken, huge or made to harm. This page is written by \`npm run hostile\`, which makes
each input, gives it to the built command and notes what is printed; \`npm test\` checks that the page is what it sees.
Rows in = rows out + rejected, everywhere. Exit codes: 0 done, 1 failed (a run goes on when the command is given again),
2 used wrongly. Commands are \`sluice label … --model models/spam --out out.jsonl --workers 1\` but for what is shown.
`;

export function hostilePage(
  sections: readonly HostileSection[],
  seen: (given: HostileCase) => readonly SeenStep[],
): string {
  const parts = sections.map(({ title, cases }) => {
    const table = [
      '| input | command | exit | rows in | rows out | rejected | what is printed |',
      '| --- | --- | --: | --: | --: | --: | --- |',
    ];
    for (const given of cases)
      table.push(...seen(given).map((step, index) => caseLine(index === 0 ? given.name : '', step)));
    const lists = cases.flatMap((given) =>
      given.rowNames === undefined ? [] : ['', ...rowLines(given, seen(given)[0]!)],
    );
    return [`## ${title}`, '', ...table, ...lists, ''].join('\n');
  });
  return [intro, ...parts].join('\n');
}

function caseLine(name: string, step: SeenStep): string {
  const { command, exit, rows, rowsOut, rejects, printed, peakMiB } = step;
  const cells = [
    name + (peakMiB === undefined ? '' : ` (memory stays under ${peakMiB} MiB)`),
    code(command),
    String(exit),
    String(rows ?? ''),
    String(rowsOut ?? ''),
    rows === undefined ? '' : String(rejects.length),
    printed === '' ? '' : printed.split('\n').map(code).join('<br>'),
  ];
  return `| ${cells.join(' | ')} |`;
}

function rowLines({ name, rowNames = [] }: HostileCase, { rejects }: SeenStep): string[] {
  const rejected = new Map(rejects.map((reject) => [reject.row, reject]));
  const lines = rowNames.map((row, index) => {
    const reject = rejected.get(index + 1);
    return `| ${row} | ${reject === undefined ? 'labelled' : code(`${reject.reason}: ${reject.message}`)} |`;
  });
  return [`| ${name}: a row with | is |`, '| --- | --- |', ...lines];
}

/** Printable, in one cell of a table. */
function code(text: string): string {
  const printable = text
    .replaceAll(
      /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    .replaceAll('|', '\\|');
  const short = printable.length > 400 ? `${printable.slice(0, 400)}…` : printable;
  return short === '' ? '' : '`` ' + short + ' ``';
}
