import { isCount, storageType } from './allowed-globals.js';
import { PickleError } from './pickle-reader.js';
import type { PickleValue } from './pickle-value.js';
import { Global } from './pickle-value.js';
import { StorageView } from './tensor-view.js';

/**
 * The storage that a pickle's persistent id names: ('storage', class, key, device, elements), and in the legacy container
 * None or a view (key, offset, elements) behind them.
 *
 * @throws PickleError
 */
export function storageOf(id: PickleValue): StorageView {
  if (!Array.isArray(id)) throw new PickleError('its pickle refers to what is no storage');
  const [word, type, key, , elements, view = null]: readonly PickleValue[] = id;
  const element = type instanceof Global ? storageType(type.name) : undefined;
  if (word !== 'storage' || element === undefined || !isKey(key) || !isCount(elements)) {
    throw new PickleError('its pickle refers to what is no storage');
  }
  if (view === null) return new StorageView(String(key), element, 0, elements);
  const [, offset, viewed]: readonly PickleValue[] = Array.isArray(view) ? view : [];
  if (!isCount(offset) || !isCount(viewed) || offset + viewed > elements) {
    throw new PickleError(`its pickle looks at a part of storage ${String(key)} that lies outside of it`);
  }
  return new StorageView(String(key), element, offset, viewed);
}

function isKey(key: PickleValue | undefined): key is string | number {
  return typeof key === 'string' || typeof key === 'number';
}
