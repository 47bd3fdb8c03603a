import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accuracy } from '../row-figures.js';
import type { BenchWork, Observation, RowLabels, Variant } from '../variants/variant.js';
import { bundleOf } from '../variants/variant.js';
import type { PeerAnswer } from './peer-answer.js';
import { readPeerAnswer } from './peer-answer.js';
import { checkRecorded, recordedAgreement } from './peer-checks.js';
import { peersFolder } from './peers-folder.js';
import type { RecordedLabels } from './recorded-labels.js';
import { runPython, threadSettings } from './run-python.js';

/** What all peers run with. */
export interface PeerTools {
  readonly python: string;
  readonly checkpoint: string;
  /** Of the checkpoint, for ONNX Runtime. */
  readonly graph: string;
  readonly batchSize: number;
  readonly recorded: RecordedLabels;
  /** What each peer said that it runs with, by its name; filled while they run. */
  readonly said: Map<string, Pick<PeerAnswer, 'notes' | 'versions'>>;
}

/** A peer by its name in run_peer.py. */
export interface PeerChoice {
  readonly name: string;
  readonly title: string;
  /** It computes in float32, so that the labels which the checkpoint records must come back. */
  readonly float32: boolean;
}

/**
 * A peer of Sluice on the same rows. It computes what a bundle of the last exit alone does, and its time is from the
 * first text to the last label in memory, the model loaded.
 */
export function peerVariant(peer: PeerChoice, tools: PeerTools): Variant {
  const { name, title } = peer;
  return {
    name,
    title,
    bundle: 'int8-last',
    async run(work): Promise<Observation> {
      const { manifest } = bundleOf(work, 'int8-last');
      const { texts, golds } = work.corpus;
      const path = join(work.folder, `${name}.json`);
      const wholeSeconds = await runPython(
        tools.python,
        peerArguments(name, tools, work, manifest.maxLength, path),
        threadSettings(work.workers),
      );
      const answer = readPeerAnswer(await readFile(path, 'utf8'), texts.length, manifest.labels.length);
      const { wallSeconds, cpuSeconds, processCpuSeconds, peakBytes, notes, versions } = answer;
      tools.said.set(name, { notes, versions });
      const labels: RowLabels = {
        label: Uint16Array.from(answer.labels),
        exitLayer: new Uint8Array(texts.length).fill(manifest.geometry.layers),
      };
      const recorded = recordedAgreement(labels, texts, tools.recorded);
      checkRecorded(peer, recorded);
      return {
        wallSeconds,
        cpuSeconds,
        process: { wallSeconds: wholeSeconds, cpuSeconds: processCpuSeconds },
        rows: texts.length,
        peakBytes,
        figures: {
          ...accuracy(labels.label, manifest.labels, golds),
          ...(recorded === undefined ? {} : { recordedAgreement: recorded }),
        },
        labels,
      };
    },
  };
}

function peerArguments(
  name: string,
  { checkpoint, graph, batchSize }: PeerTools,
  { corpus, workers }: BenchWork,
  maxLength: number,
  answer: string,
): string[] {
  const values = {
    corpus: corpus.path,
    answer,
    checkpoint,
    graph,
    threads: workers,
    'batch-size': batchSize,
    'max-length': maxLength,
  };
  const flags = Object.entries(values).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  return [join(peersFolder, 'run_peer.py'), name, ...flags];
}
