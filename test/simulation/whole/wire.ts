/**
 * Calls between machines over the simulated network. A request or its answer may be lost, late or
 * cut off; neither comes twice, as on a connection. What arrives is a copy: nothing is shared.
 */
import type { Network } from "../consensus/network.ts";
import type { Machine } from "./virtualTime.ts";

/** Nobody knows whether the other side has done it. */
export class NoAnswerError extends Error {
  override name = "NoAnswerError";
}

/** What whoever asks a process hears that does not do such things. */
export const NOT_SERVED = "not served";

type Handler = (request: unknown) => unknown;

export interface Wire {
  /** What the machine's present life answers. */
  serve(machine: Machine, handlers: Readonly<Record<string, Handler>>): void;
  /** Throws {@link NoAnswerError}, or an Error with what the other side threw. */
  call<T>(from: Machine, to: Machine, request: Request): Promise<T>;
  /** A message that nobody answers: it may also come twice. */
  tell(from: Machine, to: Machine, deliver: () => void): void;
  /** Cuts the machine off from everybody, or not any more. */
  setAway(machine: Machine, isAway: boolean): void;
}

export interface Request {
  readonly method: string;
  readonly content?: unknown;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 2_000;

export function createWire(network: Network): Wire {
  const served = new Map<Machine, { life: number; handlers: Readonly<Record<string, Handler>> }>();

  const away = new Set<Machine>();

  const pass = (from: Machine, to: Machine, deliver: () => void): void => {
    // Two processes of one machine: nothing is between them that could fail.
    if (from.place === to.place) to.after(0, deliver);
    else if (!away.has(from) && !away.has(to)) network.pass(from.place, to.place, deliver);
  };

  return {
    serve: (machine, handlers) => void served.set(machine, { life: machine.life(), handlers }),
    tell: (from, to, deliver) => pass(from, to, () => to.enter(deliver)),
    setAway: (machine, isAway) => void (isAway ? away.add(machine) : away.delete(machine)),
    call: <T>(from: Machine, to: Machine, request: Request) =>
      new Promise<T>((resolve, reject) => {
        const { method, content, timeoutMs = TIMEOUT_MS } = request;
        const late = (): void => reject(new NoAnswerError(`no answer to ${method}`));
        const timer = setTimeout(late, timeoutMs);
        const asked = from.life();
        const answer = (settle: () => void): void => {
          pass(to, from, () => {
            if (from.life() !== asked) return;
            from.enter(() => {
              clearTimeout(timer);
              settle();
            });
          });
        };
        const sent = structuredClone(content);
        let isHeard = false;
        pass(from, to, () => {
          const server = served.get(to);
          if (isHeard || server?.life !== to.life()) return;
          isHeard = true;
          to.enter(() => {
            void respond(server.handlers[method], sent).then(
              (value) => answer(() => resolve(value as T)),
              (error: Error) => answer(() => reject(new Error(error.message))),
            );
          });
        });
      }),
  };
}

async function respond(handler: Handler | undefined, content: unknown): Promise<unknown> {
  if (handler === undefined) throw new Error(NOT_SERVED);
  return structuredClone(await handler(content));
}
