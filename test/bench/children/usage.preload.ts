/** Loaded into `sluice` with --import: writes what the process used to the file that SLUICE_BENCH_USAGE names. */
import { writeFileSync } from 'node:fs';
import { processUsage } from '../process-usage.js';

const path = process.env['SLUICE_BENCH_USAGE'];
if (path === undefined) throw new Error('SLUICE_BENCH_USAGE must name a file.');
process.on('exit', () => writeFileSync(path, JSON.stringify(processUsage())));
