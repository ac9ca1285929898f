/** Worker threads that turn scalars into multiples of the generators. */
import { Worker } from "node:worker_threads";
import { type TableShape, tableShapeFor, windowBytes } from "./fixedBase.ts";
import { BATCH_SCALARS, type PointReply, type PointRequest } from "./pointWorker.ts";
import type { Group } from "./wasmCurve.ts";

/** Two workers: the tables are copied per worker, and memory matters more than the last core. */
const WORKERS = 2;

/** A run of scalars and the place for their points. Order of completion is not promised. */
export type PointJob = {
  readonly group: Group;
  readonly count: number;
  readonly scalars: (first: number, count: number) => Uint8Array;
  readonly onPoints: (first: number, points: Uint8Array) => void;
};

/** A running pool. `close` it, or its threads keep the process alive. */
export type PointPool = {
  /** Builds a group's table, sized for so many scalars. */
  readonly prepare: (group: Group, scalars: number) => Promise<void>;
  readonly run: (jobs: readonly PointJob[], onPoints: (done: number) => void) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Starts the workers. */
export function createPointPool(): PointPool {
  const threads = Array.from({ length: WORKERS }, createThread);

  const prepare = async (group: Group, scalars: number): Promise<void> => {
    const shape: TableShape = tableShapeFor(scalars);
    const table = new SharedArrayBuffer(shape.windows * windowBytes(group, shape));
    const share = Math.ceil(shape.windows / threads.length);
    await Promise.all(
      threads.map((thread, i) => {
        const from = Math.min(i * share, shape.windows);
        const to = Math.min(from + share, shape.windows);
        return thread.ask({ kind: "build", group, shape, from, to, table });
      }),
    );
    await Promise.all(threads.map((thread) => thread.ask({ kind: "load", group, shape, table })));
  };

  const run: PointPool["run"] = async (jobs, onPoints) => {
    const batches = jobs.flatMap((job) => {
      const count = Math.ceil(job.count / BATCH_SCALARS);
      return Array.from({ length: count }, (_, i) => ({ job, first: i * BATCH_SCALARS }));
    });
    let next = 0;
    let done = 0;
    const drain = async (thread: Thread): Promise<void> => {
      for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
        const { job, first } = batch;
        const count = Math.min(BATCH_SCALARS, job.count - first);
        const scalars = job.scalars(first, count);
        const reply = await thread.ask({ kind: "multiply", group: job.group, scalars });
        job.onPoints(first, reply.points);
        done += count;
        onPoints(done);
      }
    };
    await Promise.all(threads.map(drain));
  };

  return {
    prepare,
    run,
    close: async () => {
      await Promise.all(threads.map((thread) => thread.stop()));
    },
  };
}

type Thread = {
  readonly ask: (request: PointRequest) => Promise<PointReply>;
  readonly stop: () => Promise<unknown>;
};

type Pending = {
  readonly resolve: (reply: PointReply) => void;
  readonly reject: (e: Error) => void;
};

function createThread(): Thread {
  const worker = new Worker(new URL("./pointWorker.ts", import.meta.url));
  // A worker answers in the order it was asked, so a queue pairs replies with requests.
  const queue: Pending[] = [];
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure = error;
    for (const pending of queue.splice(0)) pending.reject(error);
  };
  worker.on("message", (reply: PointReply) => queue.shift()?.resolve(reply));
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("a key generator thread has stopped")));
  return {
    ask: (request) =>
      new Promise<PointReply>((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        queue.push({ resolve, reject });
        worker.postMessage(request);
      }),
    stop: () => worker.terminate(),
  };
}
