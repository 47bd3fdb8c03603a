import type { PickleValue } from './pickle-value.js';
import { kindOf } from './pickle-value.js';
import { TensorView } from './tensor-view.js';

/** Under which a file of a training run, with its optimiser's state and more, has the model's tensors. */
const MODEL_KEYS = ['state_dict', 'model_state_dict', 'model', 'module', 'net'];

/**
 * The named tensors of a saved value: a state dict, or a dictionary that has one under one of the names that are usual.
 * Other values are no tensors and are passed over.
 *
 * @returns a message where there are none
 */
export function namedTensors(root: PickleValue): Map<string, TensorView> | string {
  if (!(root instanceof Map)) return `it holds ${kindOf(root)}, where a dictionary of tensors is expected`;
  const own = tensorsOf(root);
  if (own.size > 0) return own;
  for (const key of MODEL_KEYS) {
    const inner: PickleValue | undefined = root.get(key);
    if (!(inner instanceof Map)) continue;
    const nested = tensorsOf(inner);
    if (nested.size > 0) return nested;
  }
  const keys = [...root.keys()]
    .slice(0, 10)
    .map((key) => (typeof key === 'string' ? key.slice(0, 80) : kindOf(key)));
  return `it holds no tensors; they are looked for at its top and in ${MODEL_KEYS.join(', ')}; it has ${keys.join(', ') || 'nothing'}`;
}

function tensorsOf(map: ReadonlyMap<PickleValue, PickleValue>): Map<string, TensorView> {
  const tensors = new Map<string, TensorView>();
  for (const [key, value] of map) {
    if (typeof key === 'string' && value instanceof TensorView) tensors.set(key, value);
  }
  return tensors;
}
