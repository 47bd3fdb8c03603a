import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

/**
 * Kills a service, the leader of its process group, when this process is gone, also where it was killed and could stop
 * nothing: the pipe to a waiting shell closes then. Every service goes on after that as after any crash.
 */
export function endWithThisProcess(service: ChildProcess): void {
  if (service.pid === undefined) return;
  const waiting = spawn('/bin/sh', ['-c', `read -r _; kill -s KILL -- -${service.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // What ends this process may be meant for all of its group.
    detached: true,
  });
  // Without a shell a service lives on, as it would without this.
  waiting.on('error', () => undefined);
  service.once('exit', () => waiting.kill('SIGKILL'));
}
