import { labelCommand } from '../variants/label-command.js';
import type { Variant } from '../variants/variant.js';
import type { PeerChoice, PeerTools } from './peer-variant.js';
import { peerVariant } from './peer-variant.js';

/** In the order of the tables: from the least to the most that a user has to know. */
const peers: readonly PeerChoice[] = [
  { name: 'transformers-pipeline', title: 'transformers pipeline, fp32', float32: true },
  { name: 'pytorch-fp32', title: 'PyTorch fp32, sorted', float32: true },
  { name: 'pytorch-int8', title: 'PyTorch dynamic int8, sorted', float32: false },
  { name: 'onnxruntime-int8', title: 'ONNX Runtime int8, fused, sorted', float32: false },
];

/** What the labels of all others are compared with. */
export const fullDepth = labelCommand('label-full', 'full', 'sluice label, full depth', 'int8-last');
const early = labelCommand('label-early', 'early', 'sluice label, early exit from exit 0');

/** Names of Sluice's variants. */
export const sluiceNames = [fullDepth.name, early.name];

export const allNames = [...peers.map(({ name }) => name), ...sluiceNames];

/** All that is measured, in the order of the first round. */
export function peersAndSluice(tools: PeerTools): Variant[] {
  return [...peers.map((peer) => peerVariant(peer, tools)), fullDepth, early];
}
