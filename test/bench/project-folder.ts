import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The project's folder, from the sources and from dist alike. */
export const projectFolder = dirname(createRequire(import.meta.url).resolve('#package.json'));

/** Kept between benches; git does not see it. */
export const cacheFolder = join(projectFolder, 'node_modules/.cache/sluice-bench');
