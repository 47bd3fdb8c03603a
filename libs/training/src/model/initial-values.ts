import type { Random } from '../data/random.js';

/** Deviation of a BERT's first weights. */
const ENCODER_DEVIATION = 0.02;

/**
 * First values of a tensor: an exit's weights are uniform in ±1 ÷ √inputs, as those of PyTorch's linear maps; an encoder's
 * normal with deviation 0.02, as BERT's (Devlin et al., 2018), and 1 in its norms. Biases are 0.
 */
export function initialValues(name: string, shape: readonly number[], random: Random): Float32Array {
  const values = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
  const isWeight = name.endsWith('.weight');
  if (name.startsWith('exits.')) {
    // PyTorch's biases have the bound of their weight, which their own shape does not tell; here they begin with 0.
    const bound = isWeight ? 1 / Math.sqrt(shape[1]!) : 0;
    return values.map(() => (2 * random.uniform() - 1) * bound);
  }
  if (!isWeight) return values;
  return name.includes('LayerNorm') ? values.fill(1) : values.map(() => random.normal() * ENCODER_DEVIATION);
}
