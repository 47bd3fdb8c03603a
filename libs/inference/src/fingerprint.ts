import './no-telemetry.js';
import { readdirSync, readFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { env } from 'onnxruntime-node';
import type { Provider } from './session-options.js';

/** Flags of /proc/cpuinfo by which ONNX Runtime's CPU provider picks its kernels, on x64 and on arm64. */
const kernelFlags = [
  'sse4_1',
  'avx',
  'fma',
  'avx2',
  'avx_vnni',
  'avx_vnni_int8',
  'avx_ne_convert',
  'avx512f',
  'avx512bw',
  'avx512dq',
  'avx512vl',
  'avx512_vnni',
  'avx512_bf16',
  'amx_tile',
  'amx_int8',
  'amx_bf16',
  'asimddp',
  'asimdhp',
  'bf16',
  'i8mm',
  'sve',
  'sme',
];

/**
 * What a label's last bits depend on besides bundle, policy and text: ONNX Runtime's version, the execution provider
 * and the instruction set that picks kernels. Such as `onnxruntime 1.30.0 cpu x64 sse4_1 avx fma avx2`.
 */
export function fingerprint(provider: Provider = 'cpu'): string {
  const where = provider === 'cuda' ? `cuda ${graphicsCards()}` : `cpu ${arch()} ${instructionSet()}`;
  return `onnxruntime ${env.versions.node ?? 'of unknown version'} ${where}`;
}

/** Where NVIDIA's driver tells of each card. */
const CARDS = '/proc/driver/nvidia/gpus';

/** Such as `NVIDIA H100 80GB HBM3`: kernels are picked by the card's architecture. */
function graphicsCards(): string {
  try {
    const models = readdirSync(CARDS).map(
      (card) =>
        /^Model:\s*(.+)$/m.exec(readFileSync(`${CARDS}/${card}/information`, 'utf8'))?.[1] ?? 'unknown',
    );
    return [...new Set(models)].sort().join(' + ');
  } catch {
    return 'unknown';
  }
}

/** The kernel flags of a machine by its /proc/cpuinfo, in a fixed order; undefined where it lists no flags. */
export function kernelFlagsOf(cpuinfo: string): string | undefined {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1];
  if (line === undefined) return undefined;
  const present = new Set(line.trim().split(/\s+/));
  return kernelFlags.filter((flag) => present.has(flag)).join(' ');
}

function instructionSet(): string {
  return kernelFlagsOf(readCpuinfo()) ?? cpus()[0]?.model.trim() ?? 'unknown';
}

/** Empty on systems that have no such file. */
function readCpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
