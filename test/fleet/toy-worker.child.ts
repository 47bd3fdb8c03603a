/** A toy worker in a process of its own: `url pauseMs`. */
import { openToyWorker } from './toy-fleet.js';

const [url = '', pauseMs = '0'] = process.argv.slice(2);
const worker = openToyWorker(url, { pauseMs: Number(pauseMs) });
process.once('SIGTERM', () => void worker.close());
process.stdout.write('ready\n');
