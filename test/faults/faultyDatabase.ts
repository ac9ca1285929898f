/** A database and head file that stop, or fail, at one durable step of their users' choosing. */
import type { Database } from "../../sequencer/store/database.ts";
import type { HeadFile } from "../../sequencer/store/headFile.ts";

/** The process ends before the step reaches the disk, or after, before it is heard of. */
export interface CrashPoint {
  /** Counts from 1; 0: never. */
  readonly step: number;
  readonly when: "before" | "after";
}

export interface Crash {
  /** Runs a durable step, unless the process has ended: then nothing happens, for ever. */
  step<T>(run: () => Promise<T>): Promise<T>;
  steps(): number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
}

export function createCrash({ step: last, when }: CrashPoint): Crash {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let steps = 0;
  let isEnded = false;
  const stop = (): Promise<never> => {
    isEnded = true;
    end();
    return new Promise(() => undefined);
  };
  return {
    steps: () => steps,
    ended,
    step: async (run) => {
      if (isEnded) return stop();
      steps += 1;
      const isLast = steps === last;
      if (isLast && when === "before") return stop();
      const result = await run();
      return isLast || isEnded ? stop() : result;
    },
  };
}

const WRITES: readonly (string | symbol)[] = ["batch", "put", "del", "clear"];

type Method = (...args: unknown[]) => Promise<unknown>;

/** Every write goes through `step`. */
export function withSteps(database: Database, step: Crash["step"]): Database {
  return new Proxy(database, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== "function") return value;
      const method = value.bind(target) as Method;
      return WRITES.includes(name) ? (...args: unknown[]) => step(() => method(...args)) : method;
    },
  });
}

export function headFileWithSteps(file: HeadFile, step: Crash["step"]): HeadFile {
  return { ...file, write: (head) => step(() => file.write(head)) };
}
