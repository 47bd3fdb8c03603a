import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** The project's folder, from the sources and from dist alike. */
export const projectFolder = dirname(createRequire(import.meta.url).resolve('#package.json'));
