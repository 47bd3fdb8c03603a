/** Kills this process when it reaches the n-th step of a name, or of any. */
export function killAtStep(deadly: string, nth: number): (step: string) => void {
  let seen = 0;
  return (step) => {
    if (step !== deadly && deadly !== 'any') return;
    seen += 1;
    if (seen < nth) return;
    process.kill(process.pid, 'SIGKILL');
    // Nothing may happen between the signal and its arrival.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
}
