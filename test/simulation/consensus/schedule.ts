/** Virtual time: events in the order of their times, then of their making. */

export interface Schedule {
  now(): number;
  /** Runs `action` after `delay` ms. */
  after(delay: number, action: () => void): void;
  /** Runs events until `time`, or until `until` says that it is enough; returns how many ran. */
  runTo(time: number, until?: () => boolean): number;
}

interface Entry {
  readonly time: number;
  readonly order: number;
  readonly action: () => void;
}

export function createSchedule(): Schedule {
  const heap: Entry[] = [];
  let time = 0;
  let order = 0;
  return {
    now: () => time,
    after: (delay, action) => {
      push(heap, { time: time + delay, order, action });
      order += 1;
    },
    runTo: (end, until = () => false) => {
      let count = 0;
      while (heap.length > 0 && heap[0]!.time <= end && !until()) {
        const entry = pop(heap);
        time = entry.time;
        entry.action();
        count += 1;
      }
      if (!until()) time = Math.max(time, end);
      return count;
    },
  };
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

function push(heap: Entry[], entry: Entry): void {
  let place = heap.push(entry) - 1;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!isBefore(entry, heap[parent]!)) break;
    heap[place] = heap[parent]!;
    place = parent;
  }
  heap[place] = entry;
}

function pop(heap: Entry[]): Entry {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return first;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
    if (!isBefore(heap[child]!, last)) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = last;
  return first;
}
