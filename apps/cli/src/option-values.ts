import { InvalidArgumentError } from 'commander';

/** Parsers of option values; a wrong value becomes commander's message with exit code 2. */

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most = Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(
        `Expected a whole number from ${least}${most === Infinity ? '' : ` to ${most}`}.`,
      );
    }
    return value;
  };
}

/** Threads: each takes memory of its own, so a slip of the finger must not start a hundred thousand. */
export const threadCount = wholeNumber(1, 256);

/** Bytes of a row, up to 64 MiB: a row's text and its output must each fit into one string. */
export const rowBytes = wholeNumber(1, 2 ** 26);

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

/** A number from 0 on. */
export function numberFromZero(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < Infinity)) {
    throw new InvalidArgumentError('Expected a number from 0 on.');
  }
  return value;
}

/** `4x256x4`: layers, hidden size and heads of an encoder, whose wide part is four hidden sizes. */
export function scratchGeometry(text: string): { layers: number; hiddenSize: number; heads: number } {
  const [, layers, hiddenSize, heads] = (/^(\d+)x(\d+)x(\d+)$/.exec(text) ?? []).map(Number);
  if (!layers || !hiddenSize || !heads || hiddenSize % heads !== 0 || layers > 255) {
    throw new InvalidArgumentError(
      'Expected layers, hidden size and heads such as 4x256x4; the hidden size must be a multiple of the heads.',
    );
  }
  return { layers, hiddenSize, heads };
}

/** A number from 0 to 1. */
export function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError('Expected a number from 0 to 1.');
  }
  return value;
}

/** `0.4` for all labels, or `spam=0.4,rude=0.7`. */
export function labelThresholds(text: string): number | Map<string, number> {
  if (!text.includes('=')) return fraction(text);
  return new Map(
    text.split(',').map((part) => {
      const at = part.lastIndexOf('=');
      if (at < 1) throw new InvalidArgumentError('Expected thresholds such as 0.4 or spam=0.4,rude=0.7.');
      return [part.slice(0, at).trim(), fraction(part.slice(at + 1))];
    }),
  );
}

const secondsOf = new Map([
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
]);

/** `8h`, `1h30m`, `45s`, `2d`. @returns seconds, more than 0 */
export function duration(text: string): number {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?) *([dhms])(?:in)?/g)];
  const seconds = parts.reduce((sum, [, count, unit]) => sum + Number(count) * secondsOf.get(unit!)!, 0);
  if (parts.map(([part]) => part).join('') !== text.replaceAll(/\s+$|^\s+/g, '') || !(seconds > 0)) {
    throw new InvalidArgumentError('Expected a time such as 8h, 1h30m, 45m, 90s or 2d.');
  }
  return seconds;
}

/** `0.04/h`, or one for each stage: `0.04/h,0.04/h,1.2/h`. @returns prices of an hour */
export function hourlyPrices(text: string): number[] {
  return text.split(',').map((part) => {
    const price = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*\/\s*h\s*$/.exec(part)?.[1];
    if (price === undefined) {
      throw new InvalidArgumentError(
        'Expected the price of a worker for an hour such as 0.04/h, or one for each stage: 0.04/h,0.04/h,1.2/h.',
      );
    }
    return Number(price);
  });
}

/** `1.5`, or one for each stage: `1,1,20`. */
export function positiveList(text: string): number[] {
  return text.split(',').map(positiveNumber);
}

/** `4,2,1`. */
export function countList(text: string): number[] {
  return text.split(',').map(wholeNumber(1, 100_000));
}

/** `0,0.05,0.1`. */
export function fractionList(text: string): number[] {
  return text.split(',').map(fraction);
}

/** `a,b,c`. */
export function nameList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('Expected names with commas between them.');
  return names;
}

/** Names of classes: each is one. */
export function labelList(text: string): string[] {
  const labels = nameList(text);
  const twice = labels.find((label, index) => labels.indexOf(label) < index);
  if (twice !== undefined)
    throw new InvalidArgumentError(`The label ${JSON.stringify(twice)} is there twice.`);
  return labels;
}

/** As many as a checkpoint may have. */
const layer = wholeNumber(0, 255);

/** `2,4`. */
export function layerList(text: string): number[] {
  return text.split(',').map(layer);
}

/** `1-6`, `0,2,4-6`. */
export function layerRanges(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first, last, more] = part.split('-').map(layer);
    if (first === undefined || more !== undefined || (last !== undefined && last < first)) {
      throw new InvalidArgumentError('Expected layers such as 1-6 or 0,2,4-6.');
    }
    return Array.from({ length: (last ?? first) - first + 1 }, (_, index) => first + index);
  });
}
