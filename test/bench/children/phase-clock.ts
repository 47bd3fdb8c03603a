import { processCpuSeconds } from '../process-usage.js';

/** Gives the process's processor time to the phase that it is in; only one can be at a time. */
export class PhaseClock {
  #seconds: Map<string, number>;
  #phase: string | undefined;
  #since = 0;

  /** @param phases all that there are, in the order in which they are told */
  constructor(phases: readonly string[]) {
    this.#seconds = new Map(phases.map((phase) => [phase, 0]));
  }

  /** What is spent from now on belongs to `phase`, which may be one of before. */
  enter(phase: string): void {
    this.leave();
    this.#phase = phase;
    this.#since = processCpuSeconds();
  }

  /** What is spent until the next `enter` belongs to no phase. */
  leave(): void {
    if (this.#phase !== undefined) this.#add(this.#phase, processCpuSeconds() - this.#since);
    this.#phase = undefined;
  }

  /** Cuts a phase into parts, in place. @param parts name → seconds */
  split(phase: string, parts: ReadonlyMap<string, number>): void {
    const entries = [...this.#seconds].flatMap((entry) => (entry[0] === phase ? [...parts] : [entry]));
    this.#seconds = new Map(entries);
  }

  /** Processor seconds of a phase so far; 0 before it. */
  seconds(phase: string): number {
    return this.#seconds.get(phase) ?? 0;
  }

  /** Phase → processor seconds. */
  get all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#seconds);
  }

  #add(phase: string, seconds: number): void {
    this.#seconds.set(phase, this.seconds(phase) + seconds);
  }
}
