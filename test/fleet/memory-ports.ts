/** The ports of a fleet in memory, for tests of what a worker does with them. */
import { ActivationsFullError } from '#pipeline/fleet/activations-full-error.js';
import type {
  ActivationStore,
  Added,
  ResultStore,
  StageJob,
  StageTransport,
  Stored,
  WhileFull,
} from '#pipeline/fleet/fleet-ports.js';

export class MemoryActivations implements ActivationStore {
  readonly kept = new Map<string, Uint8Array>();
  /** What `hasRoom` says. */
  room = true;
  /** Whether a put finds no room: until some is made, or however long it waits. */
  full: 'no' | 'until room is made' | 'yes' = 'no';

  hasRoom(): Promise<boolean> {
    return Promise.resolve(this.room);
  }

  async put(key: string, bytes: Uint8Array, whileFull?: WhileFull): Promise<void> {
    if (this.full !== 'no') await whileFull?.makeRoom();
    if (this.full === 'yes') throw new ActivationsFullError(bytes.length, undefined);
    this.kept.set(key, bytes);
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.kept.get(key));
  }

  drop(key: string): Promise<void> {
    this.kept.delete(key);
    return Promise.resolve();
  }
}

export class MemoryTransport implements StageTransport {
  readonly added: StageJob[] = [];
  answer: Added = 'added';

  add(job: StageJob): Promise<Added> {
    if (this.answer === 'added') this.added.push(job);
    return Promise.resolve(this.answer);
  }

  isLive(): Promise<boolean> {
    return Promise.resolve(true);
  }

  hasJobs(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

export class MemoryResults implements ResultStore {
  /** Whether anybody waits for them. */
  wanted = true;
  rows = 0;

  open(): Promise<void> {
    return Promise.resolve();
  }

  isOpen(): Promise<boolean> {
    return Promise.resolve(this.wanted);
  }

  put(_attempt: unknown, part: { readonly rows: Int32Array }): Promise<Stored> {
    this.rows += part.rows.length;
    return Promise.resolve('stored');
  }

  parts(): Promise<[]> {
    return Promise.resolve([]);
  }

  drop(): Promise<void> {
    return Promise.resolve();
  }

  nextReady(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}
