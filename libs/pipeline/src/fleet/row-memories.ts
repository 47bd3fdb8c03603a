import { RowMemory } from '../engine/row-memory.js';

/** Who has a memory at the same time; a fleet seldom works by more policies. */
const MOST_OWNERS = 2;

/** Memories of rows, of those who used theirs latest; what others remembered is gone. */
export class RowMemories {
  readonly #bytes: number;
  readonly #classes: number;
  /** The latest used last. */
  readonly #memories = new Map<object, RowMemory>();

  /** @param bytes of each memory */
  constructor(bytes: number, classes: number) {
    this.#bytes = bytes;
    this.#classes = classes;
  }

  of(owner: object): RowMemory {
    const memory = this.#memories.get(owner) ?? new RowMemory(this.#bytes, this.#classes);
    this.#memories.delete(owner);
    this.#memories.set(owner, memory);
    const [oldest] = this.#memories.keys();
    if (this.#memories.size > MOST_OWNERS && oldest !== undefined) this.#memories.delete(oldest);
    return memory;
  }
}
