/** A model's numbers by their names in the checkpoint layout, row by row. */
export type Values = ReadonlyMap<string, Float32Array>;
