import { join } from 'node:path';
import { projectFolder } from '../../project-folder.js';

/** Where the Python files are; the build does not copy them. */
export const peersFolder = join(projectFolder, 'test/bench/peers');
