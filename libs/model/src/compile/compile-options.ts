import type { SampleTexts } from './sample-texts.js';
import type { Precision } from './stage-graph.js';

export interface CompileOptions {
  readonly checkpoint: string;
  readonly out: string;
  /** Replace `out` if it is there. */
  readonly force: boolean;
  readonly precision: Precision;
  /** Last layer of each stage but the final one; chosen when left out. */
  readonly stageEnds?: readonly number[] | undefined;
  /** Layers of the exits to keep; all when left out. */
  readonly exits?: readonly number[] | undefined;
  /** Replaces the checkpoint's, for a Hugging Face directory whose config says nothing of it. */
  readonly maxLength?: number | undefined;
  readonly task?: 'single' | 'pair' | undefined;
  /** Replaces the checkpoint's. */
  readonly uncertaintyTop?: number | undefined;
  /** Multi-label: from which probability on a text has each label, by its name or for all; replaces the checkpoint's. */
  readonly thresholds?: number | ReadonlyMap<string, number> | undefined;
  /** Needed for int8: gives the activation ranges. The first 512 are used. */
  readonly calibration?: SampleTexts | undefined;
  /** Agreement, accuracy and presets are measured on these; on the calibration texts when left out. */
  readonly measure?: SampleTexts | undefined;
  /** Least share of measured texts that the last exit must label as float32 does; int8 only. */
  readonly minAgreement: number;
  /** Name and version of the compiler, for the provenance. */
  readonly tool: string;
  readonly onStep?: ((step: string) => void) | undefined;
}
