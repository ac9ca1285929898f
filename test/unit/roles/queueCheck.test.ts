import assert from "node:assert/strict";
import { test } from "node:test";
import { createQueueCheck } from "../../../sequencer/roles/queueCheck.ts";
import { DOMAIN, START } from "./market.ts";
import { createSettlement } from "./ports.ts";

const operation = {
  kind: "deposit",
  ...{ account: 3, owner: 9n, amount: 500 },
  ...{ key: { x: 0n, y: 0n }, keyIndex: 0, keyExpiry: 0 },
} as const;
const ENTRY = { type: "operation", operation, queueId: 0 } as const;
const WAIT_MS = 50;

function setUp() {
  const settlement = createSettlement(DOMAIN);
  const clock = { now: () => performance.now() };
  const parts = { settlement, clock, waitMs: WAIT_MS, nextQueueId: 0 };
  return { settlement, check: createQueueCheck(parts), signal: new AbortController().signal };
}

test("E10 an endpoint that is not to be believed accuses nobody", async () => {
  const { settlement, check, signal } = setUp();
  const { queued } = settlement;
  let asked = 0;
  settlement.condition = { paused: "the endpoints disagree" };
  settlement.queued = async (from) => {
    asked += 1;
    if (asked < 3) throw new Error("the endpoints disagree");
    settlement.condition = {};
    return queued(from);
  };
  settlement.enqueue(operation);
  // Each question takes ten times as long as an honest layer one may take to answer.
  assert.equal(await check.refusal(ENTRY, START, signal), undefined);
  assert.equal(asked, 3);
});

test("an entry that an honest layer one does not have is refused in time", async () => {
  const { check, signal } = setUp();
  assert.match(
    (await check.refusal(ENTRY, START, signal)) ?? "",
    /layer one has no queue entry `0`/,
  );
});

test("E10 an entry in blocks that are not confirmed here yet accuses nobody", async () => {
  const { settlement, check, signal } = setUp();
  const { queued } = settlement;
  let asked = 0;
  settlement.enqueue(operation);
  // The sequencer waits for fewer confirmations: the entry is in block 7, this is at block 5.
  settlement.condition = { head: 7, confirmed: 5 };
  settlement.queued = async (from) => {
    asked += 1;
    if (asked < 4) return [];
    settlement.condition = { head: 9, confirmed: 7 };
    return queued(from);
  };
  assert.equal(await check.refusal(ENTRY, START, signal), undefined);
  assert.equal(asked, 4);
});

test("E10 an entry that confirmed blocks lack accuses the sequencer", async () => {
  const { settlement, check, signal } = setUp();
  let asked = 0;
  settlement.condition = { head: 7, confirmed: 5 };
  settlement.queued = async () => {
    asked += 1;
    if (asked === 3) settlement.condition = { head: 10, confirmed: 7 };
    return [];
  };
  assert.match(
    (await check.refusal(ENTRY, START, signal)) ?? "",
    /layer one has no queue entry `0`/,
  );
  assert.equal(asked, 4);
});

test("E10 a close that layer one has after its marks is nobody's lie", async () => {
  const { settlement, check, signal } = setUp();
  const close = { kind: "forcedClose", account: 3, owner: 9n, slot: 0, lots: 4 } as const;
  const entry = { type: "operation", operation: close, queueId: 0 } as const;
  settlement.enqueue(close, START + 1);
  await assert.rejects(check.refusal(entry, START, signal), {
    name: "LayerOneStoppedError",
    message: /after the marks of `\d+` that served it: by a reorg, or/,
  });
  assert.equal(await check.refusal(entry, START + 1, signal), undefined);
});

test("E10 a credited entry that layer one replaced stops the validator", async () => {
  const { settlement, check, signal } = setUp();
  settlement.condition = { stopped: "a reorg of layer one has replaced queue entry `0`" };
  await assert.rejects(check.refusal(ENTRY, START, signal), {
    name: "LayerOneStoppedError",
    message: /has replaced queue entry `0`/,
  });
});
