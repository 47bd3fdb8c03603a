/**
 * Asks the service of this container whether it is ready; ends with 1, and says why, where it is not.
 *
 *   node deploy/health.js producer|worker|trainer
 */
import { loadSettings } from '#config/load-settings.js';

try {
  const { host, port } = loadSettings()[process.argv[2]].admin;
  // All addresses of Linux, 0.0.0.0 and ::, are answered at by loopback.
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/health/ready`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(4000) });
  console.log(await answer.text());
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? (error.cause ?? error) : error);
  process.exitCode = 1;
}
