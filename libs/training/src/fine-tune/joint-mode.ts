/**
 * Which exits learn beside the encoder. `last`: the teacher alone, as FastBERT begins. `sum`: all of them, their losses
 * weighted by their layers (Kaya et al., 2019). `alternate`: the teacher alone and all of them, step by step in turn
 * (BERxiT, Xin et al., 2021).
 */
export const jointModes = ['last', 'sum', 'alternate'] as const;
export type JointMode = (typeof jointModes)[number];
