import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProtobufMessage } from '#model/onnx/protobuf.js';
import { runCli } from '../run-cli.js';
import { checkpointShape, writeRandomCheckpoint } from '../random-checkpoint.js';
import type { HostileCase, HostileSection } from './hostile-case.js';

/** A small sound bundle, compiled once. */
let compiled: Promise<string> | undefined;

async function compile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-hostile-bundle-'));
  await writeRandomCheckpoint(join(folder, 'checkpoint'), checkpointShape({ layers: 2 }));
  await runCli(['compile', 'checkpoint', '--out', 'bundle', '--stages', '0'], { cwd: folder });
  return folder;
}

export async function removeCompiled(): Promise<void> {
  if (compiled !== undefined) await rm(await compiled, { recursive: true, force: true });
}

interface BundleFile {
  file: string;
  sha256: string;
}
/** What of bundle.json is changed here. */
interface Manifest extends Record<string, unknown> {
  stages: BundleFile[];
  tokenizer: BundleFile;
  golden: BundleFile;
}

const inBundle = (folder: string, name: string): string => join(folder, 'bundle', name);

/** A sound bundle, `change`d, to label one text with. */
function bundleCase(name: string, says: RegExp, change: (folder: string) => Promise<void>): HostileCase {
  return {
    name,
    make: async (folder) => {
      await cp(join(await (compiled ??= compile()), 'bundle'), join(folder, 'bundle'), { recursive: true });
      await writeFile(join(folder, 'rows.jsonl'), '{"text":"a b c"}\n');
      await change(folder);
    },
    steps: [{ args: ['label', 'rows.jsonl', '--model', 'bundle', '--out', 'out.jsonl'], exit: 1, says }],
  };
}

async function changeManifest(folder: string, change: (manifest: Manifest) => void): Promise<void> {
  const path = inBundle(folder, 'bundle.json');
  const manifest: Manifest = JSON.parse(await readFile(path, 'utf8'));
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

const manifestCase = (name: string, says: RegExp, change: (manifest: Manifest) => void): HostileCase =>
  bundleCase(name, says, (folder) => changeManifest(folder, change));

/** Replaces a file of the bundle and its hash. */
async function forge(folder: string, name: string, bytes: string | Uint8Array): Promise<void> {
  await writeFile(inBundle(folder, name), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await changeManifest(folder, ({ stages, tokenizer, golden }) => {
    for (const known of [...stages, tokenizer, golden]) if (known.file === name) known.sha256 = sha256;
  });
}

const forgedCase = (name: string, says: RegExp, file: string, bytes: string | Uint8Array): HostileCase =>
  bundleCase(name, says, (folder) => forge(folder, file, bytes));

interface Golden {
  texts: { ids: number[]; exits: { layer: number; probabilities: number[]; uncertainty: number }[] }[];
}

const goldenCase = (name: string, says: RegExp, change: (golden: Golden) => void): HostileCase =>
  bundleCase(name, says, async (folder) => {
    const golden: Golden = JSON.parse(await readFile(inBundle(folder, 'golden.json'), 'utf8'));
    change(golden);
    await forge(folder, 'golden.json', JSON.stringify(golden));
  });

/** A graph whose one weight is the content of a file outside of the bundle. */
function graphWithOutsideWeight(location: string): Buffer {
  const weight = new ProtobufMessage()
    .packedVarints(1, [4])
    .varint(2, 1)
    .string(8, 'weight')
    .message(13, new ProtobufMessage().string(1, 'location').string(2, location))
    .varint(14, 1);
  const four = new ProtobufMessage().message(1, new ProtobufMessage().varint(1, 4));
  const value = (name: string) =>
    new ProtobufMessage()
      .string(1, name)
      .message(2, new ProtobufMessage().message(1, new ProtobufMessage().varint(1, 1).message(2, four)));
  const add = new ProtobufMessage().string(1, 'ids').string(1, 'weight').string(2, 'rows_0').string(4, 'Add');
  const graph = new ProtobufMessage()
    .message(1, add)
    .string(2, 'graph')
    .message(5, weight)
    .message(11, value('ids'))
    .message(12, value('rows_0'));
  return new ProtobufMessage()
    .varint(1, 9)
    .message(7, graph)
    .message(8, new ProtobufMessage().string(1, '').varint(2, 17))
    .toBytes();
}

const cases: HostileCase[] = [
  bundleCase('a stage that was changed', /stage-2\.onnx: its sha256 is/, (folder) =>
    appendFile(inBundle(folder, 'stage-2.onnx'), 'x'),
  ),
  bundleCase('a stage that was cut short', /stage-2\.onnx: its sha256 is/, (folder) =>
    truncate(inBundle(folder, 'stage-2.onnx'), 1000),
  ),
  bundleCase('a stage that is not there', /stage-2\.onnx: cannot be read: ENOENT/, (folder) =>
    rm(inBundle(folder, 'stage-2.onnx')),
  ),
  bundleCase('a stage that is a pipe', /stage-2\.onnx: .*it is a folder, pipe or device/, async (folder) => {
    await rm(inBundle(folder, 'stage-2.onnx'));
    execFileSync('mkfifo', [inBundle(folder, 'stage-2.onnx')]);
  }),
  bundleCase('a stage that is a link out of the bundle', /stage-2\.onnx: its sha256 is/, async (folder) => {
    await rm(inBundle(folder, 'stage-2.onnx'));
    await symlink('/etc/passwd', inBundle(folder, 'stage-2.onnx'));
  }),
  bundleCase('a manifest that never ends', /bundle\.json.*it is a folder, pipe or device/, async (folder) => {
    await rm(inBundle(folder, 'bundle.json'));
    await symlink('/dev/zero', inBundle(folder, 'bundle.json'));
  }),
  bundleCase('a manifest that is no JSON', /bundle\.json: not JSON/, (folder) =>
    writeFile(inBundle(folder, 'bundle.json'), '{'),
  ),
  manifestCase(
    'a manifest of another format',
    /reads bundles of format 1, got 99/,
    (manifest) => (manifest['format'] = 99),
  ),
  manifestCase(
    'a stage that is named ../stage-2.onnx',
    /stages\[1\]\.file/,
    ({ stages }) => (stages[1]!.file = '../stage-2.onnx'),
  ),
  manifestCase(
    'a stage that is named /etc/passwd',
    /stages\[1\]\.file/,
    ({ stages }) => (stages[1]!.file = '/etc/passwd'),
  ),
  manifestCase(
    'a stage that is left out',
    /contradicts itself/,
    (manifest) => (manifest.stages = manifest.stages.slice(0, 1)),
  ),
  forgedCase(
    'garbage as a stage, with its right hash',
    /ONNX Runtime cannot load bundle\/stage-1\.onnx/,
    'stage-1.onnx',
    Buffer.alloc(5000, 'x'),
  ),
  forgedCase(
    'another graph as a stage',
    /bundle\/stage-1\.onnx: .*(rows_0|escapes|not allowed)/,
    'stage-1.onnx',
    graphWithOutsideWeight('/etc/passwd'),
  ),
  bundleCase(
    'a stage with weights in a file outside',
    /External data path escapes model directory/,
    async (folder) => {
      await writeFile(join(folder, 'secret.bin'), Buffer.alloc(16));
      await forge(folder, 'stage-1.onnx', graphWithOutsideWeight('../secret.bin'));
    },
  ),
  bundleCase('stages that are swapped', /cannot load|golden/, async (folder) => {
    const [first, second] = [
      await readFile(inBundle(folder, 'stage-1.onnx')),
      await readFile(inBundle(folder, 'stage-2.onnx')),
    ];
    await forge(folder, 'stage-1.onnx', second);
    await forge(folder, 'stage-2.onnx', first);
  }),
  goldenCase(
    'golden texts with other probabilities',
    /does not reproduce the bundle's golden text/,
    ({ texts }) => (texts[0]!.exits[0]!.probabilities[0]! += 0.2),
  ),
  goldenCase('golden texts with other token ids', /token ids are/, ({ texts }) => (texts[0]!.ids[1] = 7)),
  goldenCase(
    'golden texts of an exit that is not there',
    /golden\.json/,
    ({ texts }) => (texts[0]!.exits[0]!.layer = 77),
  ),
  goldenCase(
    'golden texts with fewer exits than the bundle',
    /golden\.json/,
    ({ texts }) => (texts[0]!.exits = []),
  ),
  goldenCase('no golden texts', /golden\.json/, (golden) => (golden.texts = [])),
  forgedCase(
    '200 MB of golden texts',
    /golden\.json/,
    'golden.json',
    `{"fingerprint":"x","texts":[${' '.repeat(200 * 2 ** 20)}]}`,
  ),
  forgedCase('a tokenizer that is no JSON', /tokenizer\.json: expected JSON/, 'tokenizer.json', '{'),
  forgedCase(
    'a tokenizer with a vocabulary of other ids',
    /tokenizer\.json|token ids are/,
    'tokenizer.json',
    JSON.stringify({
      normalizer: { type: 'BertNormalizer' },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      model: { type: 'WordPiece', vocab: { '[UNK]': 2 ** 31, '[CLS]': 999_999_999, '[SEP]': 1 } },
    }),
  ),
];

export const hostileBundles: HostileSection = { title: 'Bundles', cases };
