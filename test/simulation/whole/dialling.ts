/** Asking the exchange, wherever it is: who gets no answer tries another place the next time. */
import type { Machine } from "./virtualTime.ts";
import { NOT_SERVED, type Wire } from "./wire.ts";

export type Ask = <T>(method: string, content?: unknown) => Promise<T>;

export interface DiallingOptions {
  readonly machine: Machine;
  /** Where it may be. */
  readonly servers: readonly Machine[];
  readonly wire: Wire;
}

export function createDialling({ machine, servers, wire }: DiallingOptions): Ask {
  let place = 0;
  return async <T>(method: string, content?: unknown): Promise<T> => {
    for (let refusals = 0; ; refusals++) {
      const asked = place;
      try {
        return await wire.call<T>(machine, servers[asked]!, { method, content });
      } catch (error) {
        if (place === asked) place = (asked + 1) % servers.length;
        // Nobody listens there: nothing was done, and the next one can be asked at once.
        const isRefused = error instanceof Error && error.message === NOT_SERVED;
        if (!isRefused || refusals + 1 >= servers.length) throw error;
      }
    }
  };
}
