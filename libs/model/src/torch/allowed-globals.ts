import { elementTypes } from './element-types.js';
import { PickleError } from './pickle-reader.js';
import type { PickleValue } from './pickle-value.js';
import { Global, kindOf } from './pickle-value.js';
import { StorageView, TensorView } from './tensor-view.js';

const MOST_DIMENSIONS = 8;
const STORAGE = /^torch(?:\.cuda)?\.(\w+)Storage$/;

const calls: ReadonlyMap<string, (args: readonly PickleValue[]) => PickleValue> = new Map<
  string,
  (args: readonly PickleValue[]) => PickleValue
>([
  ['collections.OrderedDict', orderedDict],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch.Size', ([sizes = []]) => sizes],
]);

/** @throws PickleError for all but the few names that weights need */
export function findGlobal(module: string, name: string): Global {
  const path = `${module}.${name}`;
  if (!calls.has(path) && storageType(path) === undefined) {
    throw new PickleError(
      `its pickle asks for ${JSON.stringify(path.slice(0, 200))}, which no weights need; nothing of it was executed`,
    );
  }
  return new Global(path);
}

/** The element type that a storage class is of, such as `Float`; `undefined` where it is none. */
export function storageType(name: string): string | undefined {
  const type = STORAGE.exec(name)?.[1];
  return type !== undefined && elementTypes.has(type) ? type : undefined;
}

/** Does what the reference implementation does when a pickle calls a global. @throws PickleError */
export function callGlobal({ name }: Global, args: readonly PickleValue[]): PickleValue {
  const execute = calls.get(name);
  if (execute === undefined) throw new PickleError(`its pickle calls ${name}, which is no function`);
  return execute(args);
}

function orderedDict([pairs = []]: readonly PickleValue[]): PickleValue {
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new PickleError('its pickle makes an OrderedDict of what are no pairs');
  }
  return new Map<PickleValue, PickleValue>(pairs);
}

/** The arguments: storage, offset, shape, strides, and what only training needs. */
function rebuildTensor([storage, offset, shape, strides]: readonly PickleValue[]): TensorView {
  if (!(storage instanceof StorageView)) {
    throw new PickleError(`its pickle makes a tensor of ${kindOf(storage)}, where a storage belongs`);
  }
  if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) {
    throw new PickleError(
      'its pickle makes a tensor whose offset, shape and strides are not whole numbers from 0, as many strides as dimensions',
    );
  }
  return new TensorView(storage, offset, shape, strides);
}

function rebuildParameter([tensor]: readonly PickleValue[]): TensorView {
  if (tensor instanceof TensorView) return tensor;
  throw new PickleError(`its pickle makes a parameter of ${kindOf(tensor)}, where a tensor belongs`);
}

export function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= MOST_DIMENSIONS && value.every(isCount);
}
