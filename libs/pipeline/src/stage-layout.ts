/** What the pipeline must know of a bundle: which exits sit in which stage. */
export interface StageLayout {
  /** Layers of the stage, first and last included; `undefined` for a stage of exit 0 alone. */
  readonly layers?: readonly [number, number] | undefined;
  /** Layers of the stage's exits, ascending. */
  readonly exits: readonly number[];
}

export interface ModelLayout {
  readonly labels: readonly string[];
  readonly task: 'single' | 'pair';
  readonly hiddenSize: number;
  readonly activation: 'float32' | 'float16';
  readonly stages: readonly StageLayout[];
}

/** The layers of all exits, ascending; the last is the teacher, which takes every row. */
export function exitLayers(layout: ModelLayout): number[] {
  return layout.stages.flatMap((stage) => [...stage.exits]);
}
