/** Typed events. A listener that throws stops nobody: its error surfaces as an uncaught one. */

/** `Events` maps names to what their listeners are given. */
export interface Emitter<Events> {
  /** Returns the end of it. */
  on<K extends keyof Events>(event: K, listener: (data: Events[K]) => void): () => void;
  emit<K extends keyof Events>(event: K, data: Events[K]): void;
}

export function createEmitter<Events>(): Emitter<Events> {
  const listeners = new Map<keyof Events, Set<(data: never) => void>>();
  return {
    on(event, listener) {
      const own = listeners.get(event) ?? new Set();
      // Of its own, so that one function may listen twice.
      const added = (data: never): void => listener(data);
      listeners.set(event, own.add(added));
      return () => void own.delete(added);
    },
    emit(event, data) {
      for (const listener of listeners.get(event) ?? []) callSafely(listener, data as never);
    },
  };
}

/** Calls a program's function; what it throws is the program's to see, and nobody else's. */
export function callSafely<T>(listener: (data: T) => void, data: T): void {
  try {
    listener(data);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
