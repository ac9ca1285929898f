/** Undo: what objects and values were before they were edited, since each checkpoint. */

/** Puts something back: which, where and what numbers it was, as far as it needs them. */
export type Undo<T> = (thing: T, place: number, before: number, besides: number) => void;

export interface Journal {
  /**
   * A recorder for things of one kind: called with what is about to change. Unless that was
   * already recorded since the latest checkpoint, or no checkpoint was taken, `capture` copies what
   * is there and returns how to put it back.
   */
  recorder<K>(capture: (key: K) => () => void): (key: K) => void;
  /** Whether a checkpoint was taken: else nothing is to be noted. */
  isRecording(): boolean;
  /** Counts checkpoints and rollbacks; above 0 as soon as something is recorded. */
  span(): number;
  /** Something small has changed; `undo` puts it back, called with the rest. */
  note<T>(undo: Undo<T>, thing: T, place: number, before: number, besides?: number): void;
  checkpoint(): number;
  /** Undoes everything since `point`, which stays a point to return to. */
  rollback(point: number): void;
  clear(): void;
}

/** Of so many notes the room is used again; more than that is let go of. */
const ROOM_MAX = 2 ** 12;

const callThing: Undo<() => void> = (thing) => thing();

export function createJournal(): Journal {
  // Beside each other, and used again: a note then makes no object.
  let undos: Undo<unknown>[] = [];
  let things: unknown[] = [];
  let places: number[] = [];
  let befores: number[] = [];
  let others: number[] = [];
  let count = 0;
  let isRecording = false;
  /** What was recorded in an earlier span is recorded again. */
  let span = 0;

  function note<T>(undo: Undo<T>, thing: T, place: number, before: number, besides = 0): void {
    undos[count] = undo as Undo<unknown>;
    things[count] = thing;
    places[count] = place;
    befores[count] = before;
    others[count] = besides;
    count += 1;
  }

  function takeBack(): void {
    count -= 1;
    const thing = things[count];
    things[count] = undefined;
    undos[count]!(thing, places[count]!, befores[count]!, others[count]!);
  }

  return {
    recorder<K>(capture: (key: K) => () => void) {
      const recorded = new Map<K, number>();
      return (key: K) => {
        if (!isRecording || recorded.get(key) === span) return;
        recorded.set(key, span);
        note(callThing, capture(key), 0, 0);
      };
    },
    isRecording: () => isRecording,
    span: () => span,
    note,
    checkpoint() {
      isRecording = true;
      span += 1;
      return count;
    },
    rollback(point) {
      if (!isRecording || point > count) {
        throw new RangeError(
          `\`point\` must be a checkpoint since the last commit. Got \`${point}\`.`,
        );
      }
      while (count > point) takeBack();
      span += 1;
    },
    clear() {
      if (count > ROOM_MAX) [undos, things, places, befores, others] = [[], [], [], [], []];
      else for (let at = 0; at < count; at++) things[at] = undefined;
      count = 0;
      isRecording = false;
    },
  };
}
