interface Event {
  readonly time: number;
  /** Events of one time happen in the order in which they were added. */
  readonly order: number;
  readonly act: () => void;
}

/** What will happen, in the order of its time: a binary heap. */
export class EventQueue {
  readonly #heap: Event[] = [];
  #added = 0;

  get length(): number {
    return this.#heap.length;
  }

  /** Of the next event; Infinity where none is left. */
  get nextTime(): number {
    return this.#heap[0]?.time ?? Infinity;
  }

  add(time: number, act: () => void): void {
    const event = { time, order: this.#added++, act };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  /** Removes the next event; the queue must not be empty. */
  next(): { readonly time: number; readonly act: () => void } {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) throw new RangeError('No event is left.');
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(event: Event): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, event)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.time < other.time || (one.time === other.time && one.order < other.order);
}
