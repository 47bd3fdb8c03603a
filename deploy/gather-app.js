#!/usr/bin/env node
/**
 * Puts what apps of dist need to run into a folder, for their image: the libraries, the packages that their modules import
 * with all that those depend on, and nothing that only builds or tests need.
 *
 *   node deploy/gather-app.js <folder> <app>… [--without <package>]…
 */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript';

const project = fileURLToPath(new URL('..', import.meta.url));

/** Typings, source maps, sources, tests and pages of packages; licences stay. */
const unneededFile = /\.(map|md|markdown|tsbuildinfo|flow|[cm]?ts|tsx|snap|spec\.[cm]?js)$/i;
const licence = /^(licen[cs]e|copying|notice)/i;
/** At the root of a package, where its tests and examples are. */
const unneededFolders = new Set([
  'test',
  'tests',
  'spec',
  'specs',
  '__tests__',
  'docs',
  'example',
  'examples',
  'bench',
  'benchmark',
  'benchmarks',
  '.github',
]);

/**
 * The packages that modules import, and those that these depend on, whether declared as dependencies or as peers.
 * @param {readonly string[]} entries modules of dist
 * @param {readonly string[]} without names of packages that are left out
 * @returns {Set<string>} folders of the packages
 * @throws {Error} where one is not installed
 */
function packagesOf(entries, without = []) {
  const names = importedPackages(entries).filter((name) => !without.includes(name));
  const folders = new Set();
  const waiting = names.map((name) => expectPackage(name, project));
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    if (folders.has(folder)) continue;
    folders.add(folder);
    for (const { name, isOptional } of dependenciesOf(folder)) {
      if (without.includes(name)) continue;
      const found = isOptional ? findPackage(name, folder) : expectPackage(name, folder);
      if (found !== undefined) waiting.push(found);
    }
  }
  return folders;
}

/** Of a package. Optional peers only where we ask for them: others are there for what develops us. */
function dependenciesOf(folder) {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = manifestOf(folder);
  const isOptionalPeer = (name) => peerDependenciesMeta?.[name]?.optional === true;
  const asked = manifestOf(project).dependencies;
  const peers = Object.keys({ ...peerDependencies }).filter((name) => !isOptionalPeer(name) || name in asked);
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers].map((name) => ({
    name,
    isOptional: name in { ...optionalDependencies } || isOptionalPeer(name),
  }));
}

/** Names of the packages that modules import, and whatever modules of ours they import or start as threads and children. */
function importedPackages(entries) {
  const seen = new Set();
  const packages = new Set();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
    const resolved = Array.from(text.matchAll(/import\.meta\.resolve\('([^']+)'\)/g), ([, name]) => name);
    for (const name of [...imports, ...resolved]) {
      if (name.startsWith('node:')) continue;
      // Names with # mean the same in every module of the project.
      else if (name.startsWith('#')) waiting.push(fileURLToPath(import.meta.resolve(name)));
      else if (name.startsWith('.')) waiting.push(join(dirname(file), name));
      else packages.add(name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
    }
  }
  return [...packages];
}

function expectPackage(name, from) {
  const found = findPackage(name, from);
  if (found === undefined) throw new Error(`${name}, which ${from} needs, is not installed: run npm ci.`);
  return found;
}

/** As Node looks for it: in node_modules of the folder, then of those above it. */
function findPackage(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return found;
    if (folder === dirname(folder)) return undefined;
  }
}

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/**
 * Whether a file or folder of a package is needed to run it here.
 * @param {string} path below the package's folder
 */
function isNeeded(path, { name, isFolder }) {
  const parts = path.split(sep);
  if (isFolder) {
    // ONNX Runtime's library, of which the package carries one for each platform.
    if (name === 'onnxruntime-node' && parts[0] === 'bin') {
      const [, , platform = process.platform, arch = process.arch] = parts;
      return platform === process.platform && arch === process.arch;
    }
    return !unneededFolders.has(path) && basename(path) !== 'node_modules';
  }
  return licence.test(basename(path)) || !unneededFile.test(path);
}

/** Copies one package, without packages that lie in it. */
function copyPackage(folder, to) {
  const { name } = manifestOf(folder);
  cpSync(folder, to, {
    recursive: true,
    filter: (path) =>
      path === folder || isNeeded(relative(folder, path), { name, isFolder: statSync(path).isDirectory() }),
  });
}

/** Only what running needs: dist for `#` names, and no scripts or dependencies that are not there. */
function runtimeManifest() {
  const { name, version, description, license, type, imports } = manifestOf(project);
  const inDist = Object.entries(imports).map(([alias, target]) => [alias, target.default ?? target]);
  const manifest = {
    name,
    version,
    description,
    license,
    private: true,
    type,
    imports: Object.fromEntries(inDist),
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Bytes of all files below a folder. */
function bytesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

const isNoMap = (path) => !path.endsWith('.map');

function gather(to, apps, without) {
  const packages = packagesOf(
    apps.map((app) => join(project, `dist/apps/${app}/src/main.js`)),
    without,
  );
  for (const folder of packages) copyPackage(folder, join(to, relative(project, folder)));
  for (const part of ['libs', ...apps.map((app) => `apps/${app}`)]) {
    cpSync(join(project, 'dist', part), join(to, 'dist', part), { recursive: true, filter: isNoMap });
  }
  if (apps.includes('cli'))
    cpSync(join(project, 'apps/cli/bin'), join(to, 'apps/cli/bin'), { recursive: true });
  mkdirSync(join(to, 'config'), { recursive: true });
  for (const file of ['LICENSE', 'config/default.yaml', 'deploy/health.js'])
    cpSync(join(project, file), join(to, file));
  writeFileSync(join(to, 'package.json'), runtimeManifest());
  console.log(`${packages.size} packages, ${Math.round(bytesBelow(join(to, 'node_modules')) / 1e6)} MB.`);
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { without: { type: 'string', multiple: true } },
});
const [to, ...apps] = positionals;
if (to === undefined || apps.length === 0) {
  console.error('Usage: node deploy/gather-app.js <folder> <app>… [--without <package>]…');
  process.exit(2);
}
gather(to, apps, values.without);
