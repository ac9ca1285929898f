/** What a sequencer does now and then besides executing orders, and what takes longer with them. */
import type { Executor } from "../../../sequencer/batch/executor.ts";
import { createMarginWatch } from "../../../sequencer/roles/marginWatch.ts";
import type { CostRow } from "../../../sequencer/roles/positionCosts.ts";
import type { MemoryState } from "../../../sequencer/state/memoryState.ts";
import { rowPuts } from "../../../sequencer/store/checkpointRows.ts";
import { encodeValue } from "../../../sequencer/store/database.ts";
import { percentile } from "../percentile.ts";
import { planBatches } from "./plan.ts";

const TIMES = 3;
/** As a node's configuration has it where nothing else is said. */
const BATCHES_PER_CHECKPOINT = 16;

/** What an account's positions have cost, as the sequencer keeps it beside the state. */
const COSTS: CostRow = [0, 1, 2].map((slot) => [slot, 25, 812_500_000, -1_250_000] as const);

/** CPU milliseconds of all threads, each time. */
export interface Besides {
  /** What the batches since the last checkpoint have changed, as texts for the store. */
  readonly checkpoint: number;
  /** A look for accounts below maintenance margin when all prices have moved by a tick. */
  readonly margins: number;
}

/** Between two batches. Throws where an account is below maintenance margin. */
export async function costBesides(state: MemoryState, executor: Executor): Promise<Besides> {
  const risk = executor.risk();
  if (risk === undefined) throw new Error("no batch was open yet");
  const watch = createMarginWatch(state);
  const dearer = { ...risk, marks: risk.marks.map((mark) => mark + 1) };
  let looks = 0;
  const look = async (): Promise<void> => {
    const { failing } = watch.scan(looks++ % 2 === 0 ? risk : dearer);
    if (failing.length > 0) throw new Error("an account is below maintenance margin");
  };
  await look();
  return {
    checkpoint: await medianMs(
      () => encodeChange(state),
      () => touchAsBatches(state),
    ),
    margins: await medianMs(look),
  };
}

/** What a checkpoint takes of the thread that answers, before it is written. */
async function encodeChange(state: MemoryState): Promise<void> {
  const { accounts, sessions, books, ...rest } = state.exportChange();
  const own = accounts.map(([id]) => [id, COSTS] as const);
  let rows = 0;
  const changed = { accounts, sessions, books, own };
  for await (const puts of rowPuts(changed, "newer")) rows += puts.length;
  if (encodeValue(rest).length === 0 || rows === 0) throw new Error("nothing has changed");
}

/** Edits what full batches edit, each row into what it is already. */
function touchAsBatches(state: MemoryState): void {
  state.forgetChanges();
  const size = { accounts: state.accountIds().length, books: state.bookIds().length };
  for (const { accounts, books } of planBatches(size).slice(0, BATCHES_PER_CHECKPOINT)) {
    for (const id of accounts) {
      state.editAccount(id);
      state.editSession(id);
    }
    for (const id of books) state.editBook(id);
    state.clearTouched();
  }
}

async function medianMs(act: () => Promise<void>, prepare?: () => void): Promise<number> {
  const times: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    prepare?.();
    const before = process.cpuUsage();
    await act();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return percentile(times, 50);
}
