// A sequencer in a process of its own, which trades until it is killed. What the world outside
// would know (receipts, batches that layer one has, the time) goes to stdout, each before the
// sequencer can hear that it is so. Arguments: folder, seed, and what is known so far as JSON. With
// `stream` among that the log is in JetStream.
import { writeSync } from "node:fs";
import { decodeJson, encodeJson } from "../../sequencer/batch/log.ts";
import type { Receipt } from "../../sequencer/exchangeService.ts";
import {
  type JetstreamLogOptions,
  openJetstreamLog,
} from "../../sequencer/jetstream/jetstreamLog.ts";
import type { Log } from "../../sequencer/ports.ts";
import { openInputWorker } from "../../sequencer/threads/inputWorker.ts";
import { silent } from "../unit/roles/ports.ts";
import { createSurroundings, startProcess, trade } from "./venue.ts";

/** One line of the child. */
export type Told =
  | { readonly receipt: Pick<Receipt, "logPosition" | "logHash"> }
  | { readonly anchored: { readonly number: number; readonly root: bigint } }
  | { readonly time: number };

/** What a child is started with. */
export interface Known {
  readonly stream?: Omit<JetstreamLogOptions, "copy" | "logger">;
  readonly time: number;
  readonly anchored: readonly { readonly number: number; readonly root: bigint }[];
}

function tell(line: Told): void {
  writeSync(1, `${encodeJson(line)}\n`);
}

if (import.meta.main) {
  const [folder = "", seed = "1", known = ""] = process.argv.slice(2);
  const around = createSurroundings(folder);
  const { time, anchored, stream } = decodeJson(known) as Known;
  const { clock, settlement, receipts } = around;
  clock.advance(time - clock.now());
  settlement.anchoredBatches.push(...anchored);
  const { advance } = clock;
  clock.advance = (ms) => {
    tell({ time: clock.now() + ms });
    advance(ms);
  };
  const { submitBatch } = settlement;
  settlement.submitBatch = (batch, ...rest) => {
    tell({ anchored: { number: batch.number, root: batch.rootAfter } });
    return submitBatch(batch, ...rest);
  };
  const push = receipts.push.bind(receipts);
  receipts.push = (...added) => {
    for (const { logPosition, logHash } of added) tell({ receipt: { logPosition, logHash } });
    return push(...added);
  };
  const openLog = async (copy: Log): Promise<Log> =>
    stream === undefined ? copy : openJetstreamLog({ ...stream, copy, logger: silent });
  const threads = { openInputs: openInputWorker };
  const venue = await startProcess(around, (run) => run(), openLog, threads);
  for (let round = Number(seed); ; round++) await trade(venue, around, round);
}
