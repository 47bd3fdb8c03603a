import type { StorageView, TensorView } from './tensor-view.js';

/** A function or class that a pickle names. None is Python's: `callGlobal` does what is needed of them. */
export class Global {
  constructor(
    /** Such as `torch._utils._rebuild_tensor_v2`. */
    readonly name: string,
  ) {}
}

/** What a pickle can make here. Dictionaries are maps; lists and tuples are arrays; bytes are texts. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | readonly PickleValue[]
  | ReadonlyMap<PickleValue, PickleValue>
  | Global
  | StorageView
  | TensorView;

/** For messages. */
export function kindOf(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (Array.isArray(value)) return 'a list or tuple';
  if (value instanceof Map) return 'a dictionary';
  return typeof value === 'object' ? `a ${value.constructor.name}` : `a ${typeof value}`;
}
