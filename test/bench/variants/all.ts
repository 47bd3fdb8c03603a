import { gemmRoof } from './gemm-roof.js';
import { labelCommand } from './label-command.js';
import { phases } from './phases.js';
import { stageEngine } from './stage-engine.js';
import type { Variant } from './variant.js';

/** In the order of the first round. */
export const variants: readonly Variant[] = [
  gemmRoof('roof-fp32', 'fp32', 'GEMM roof, fp32'),
  gemmRoof('roof-int8', 'int8', 'GEMM roof, int8'),
  gemmRoof('roof-int8-bytes', 'int8-bytes', 'GEMM roof, int8, inputs quantised before'),
  stageEngine('full-fp32', 'fp32-last', 'full', 'engine, full depth, fp32'),
  stageEngine('full-int8', 'int8-last', 'full', 'engine, full depth, int8'),
  stageEngine('full-int8-exits', 'int8-from-0', 'full', 'the same through exits that nobody takes'),
  stageEngine('early-from-1', 'int8-from-1', 'early', 'engine, early exit from layer 1'),
  stageEngine('early-from-0', 'int8-from-0', 'early', 'engine, early exit from exit 0'),
  labelCommand('label-full', 'full', 'sluice label, full depth'),
  labelCommand('label-early', 'early', 'sluice label, early exit from exit 0'),
  phases,
];
