/** True time, which no process can see, and what is going to happen in it. */
export interface Timeline {
  readonly nowMs: number;
  /** Runs `task` at `atMs`; of tasks at one instant the one asked for first runs first. */
  at(atMs: number, task: () => void): void;
  after(ms: number, task: () => void): void;
  /** Moves to the next event and runs it. `false`: nothing is left before `endMs`. */
  next(endMs: number): boolean;
  readonly events: number;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly task: () => void;
}

/** Makes an empty timeline at 0: a binary heap of events. */
export function createTimeline(): Timeline {
  const heap: Event[] = [];
  let nowMs = 0;
  let order = 0;
  let events = 0;

  const before = (a: Event, b: Event): boolean =>
    a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

  function push(event: Event): void {
    let at = heap.length;
    while (at > 0) {
      const parent = heap[(at - 1) >> 1] as Event;
      if (before(parent, event)) break;
      heap[at] = parent;
      at = (at - 1) >> 1;
    }
    heap[at] = event;
  }

  function pop(): Event | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child] as Event)) child += 1;
      const smallest = heap[child];
      if (smallest === undefined || before(last, smallest)) break;
      heap[at] = smallest;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  return {
    get nowMs() {
      return nowMs;
    },
    get events() {
      return events;
    },
    at(atMs, task) {
      push({ atMs: Math.max(atMs, nowMs), order: order++, task });
    },
    after(ms, task) {
      this.at(nowMs + ms, task);
    },
    next(endMs) {
      const first = heap[0];
      if (first === undefined || first.atMs > endMs) return false;
      pop();
      nowMs = first.atMs;
      events += 1;
      first.task();
      return true;
    },
  };
}
