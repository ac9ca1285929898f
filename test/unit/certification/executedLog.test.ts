// Places of the own log: what is known without reading, and what is read for once.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogRecord } from "../../../sequencer/batch/log.ts";
import { BLOCK_RECORDS_MAX } from "../../../sequencer/consensus/block.ts";
import { createExecutedLog } from "../../../sequencer/roles/executedLog.ts";

const hashOf = (position: number): string => String(position).padStart(64, "0");
const base = { to: 0, logHash: hashOf(0), root: 7n };
const recordAt = (position: number) =>
  ({ position, epoch: 1, hash: hashOf(position + 1), entry: { type: "message" } }) as LogRecord;

/** A log whose reading goes on when it is let. */
function openLog() {
  let readings = 0;
  let goOn: () => void = () => undefined;
  const letGo = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const log = createExecutedLog(
    {
      read: async function* (from) {
        readings += 1;
        await letGo;
        for (let position = from; ; position++) yield recordAt(position);
      },
    },
    { ...base, epoch: 0 },
  );
  const grow = (count: number): void => {
    for (let more = 0; more < count; more++) log.executed(recordAt(log.head().to), base.root);
  };
  return { log, grow, readings: () => readings, goOn };
}

const placeOf = (to: number) => ({ to, logHash: hashOf(to), root: base.root, epoch: 1 });

test("as many places as a block takes in are known without reading, and none other's", async () => {
  const { log, grow, readings, goOn } = openLog();
  goOn();
  grow(BLOCK_RECORDS_MAX + 10);
  const { to } = log.head();
  const newest = Array.from({ length: BLOCK_RECORDS_MAX }, (_, back) => to - back);
  for (const place of newest) assert.deepEqual(await log.placeAt(base, place), placeOf(place));
  assert.equal(readings(), 0);
  // Its place in the ring is another's now.
  assert.deepEqual(await log.placeAt(base, 5), placeOf(5));
  assert.equal(readings(), 1);
  assert.equal(await log.placeAt(base, to + 1), undefined);
});

test("however often it is asked meanwhile, the log is read once for a place", async () => {
  const { log, grow, readings, goOn } = openLog();
  grow(BLOCK_RECORDS_MAX + 10);
  const asked = [];
  for (let more = 0; more < 1_000; more++) {
    asked.push(log.placeAt(base, 5));
    grow(1);
  }
  asked.push(log.placeAt(base, 6));
  goOn();
  const places = await Promise.all(asked);
  assert.equal(readings(), 2, "one for each place");
  assert.deepEqual(places.slice(0, -1), Array(1_000).fill(placeOf(5)));
  assert.deepEqual(places.at(-1), placeOf(6));
  await log.placeAt(base, 5);
  assert.equal(readings(), 3, "an answer is not kept");
});

test("an answer from before a cut is nobody's, and places above it are forgotten", async () => {
  const { log, grow, readings, goOn } = openLog();
  grow(BLOCK_RECORDS_MAX + 10);
  const before = log.placeAt(base, 5);
  log.cutting(4);
  log.rewound({ ...placeOf(4), epoch: 1 });
  const other = { ...recordAt(4), hash: "f".repeat(64) };
  log.executed(other, 9n);
  const after = log.placeAt(base, 5);
  goOn();
  assert.equal(await before, undefined);
  assert.deepEqual(await after, { to: 5, logHash: other.hash, root: 9n, epoch: 1 });
  assert.equal(readings(), 1);
  assert.equal(await log.placeAt(base, 6), undefined);
});
