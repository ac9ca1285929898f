// What pauses trading, what goes on meanwhile, and how trading comes back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { logOrigin } from "../../../sequencer/batch/log.ts";
import { wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";
import type { Status } from "../../../sequencer/protocol/status.ts";
import type { PauseReason } from "../../../sequencer/protocol/trading.ts";
import { DEFAULT_BREAKERS } from "../../../sequencer/roles/circuitBreakers.ts";
import { createNodeState } from "../../../sequencer/roles/nodeState.ts";
import {
  createMarket,
  DOMAIN,
  deployment,
  PLACE,
  type TestTrader,
  turns,
  UNCERTIFIED,
  VALIDATORS,
  type World,
} from "./market.ts";

const { cancelOnlyMs, oracleStaleMs } = DEFAULT_BREAKERS;

const statusOf = (world: World): Promise<Status> => world.sequencer.service.status();

async function modeOf(world: World): Promise<string> {
  const { mode, reason } = (await statusOf(world)).trading;
  return reason === null ? mode : `${mode}: ${reason}`;
}

const orderAt = (time: number): Message => ({ ...PLACE, price: 480, deadline: time + 60_000 });

/** The door's answer to an order, without its effect on the trader's chain where it is refused. */
async function ask(
  world: World,
  trader: TestTrader,
  message: Message = orderAt(world.clock.now()),
) {
  const signed = trader.peek(message);
  const result = await world.sequencer.service.submit({
    ...{ account: trader.account, keyIndex: 0, ...signed },
  });
  if (result.accepted) trader.next(message);
  return result;
}

async function codeOf(world: World, trader: TestTrader): Promise<string> {
  const result = await ask(world, trader);
  return result.accepted ? "accepted" : result.code;
}

/** Steps until trading is open again; returns the modes on the way. */
async function untilOpen(world: World): Promise<string[]> {
  const modes = [await modeOf(world)];
  for (let count = 0; count < 40 && modes.at(-1) !== "open"; count++) {
    await world.step(1000);
    const mode = await modeOf(world);
    if (mode !== modes.at(-1)) modes.push(mode);
  }
  return modes;
}

const typesOf = (world: World): string[] =>
  world.log.records.flatMap(({ entry }) => {
    return ["pause", "cancelOnly", "resume"].includes(entry.type) ? [entry.type] : [];
  });

/** A trigger: what sets it off, and what ends it. */
interface Trigger {
  readonly reason: PauseReason;
  readonly breakers?: object;
  start(world: World, maker: TestTrader): Promise<void>;
  end(world: World): Promise<void>;
}

const TRIGGERS: readonly Trigger[] = [
  {
    reason: "oracleStale",
    start: async (world) => {
      world.isOracleAway = true;
      await world.step(oracleStaleMs + 1000);
    },
    end: async (world) => {
      world.isOracleAway = false;
    },
  },
  {
    reason: "appendLate",
    start: async (world, maker) => {
      // The oracles would ask for the series, and get no answer either.
      world.isOracleAway = true;
      world.log.hold();
      void ask(world, maker);
      await world.step(1100);
      await world.step(50);
    },
    end: async (world) => {
      world.isOracleAway = false;
      world.log.release();
    },
  },
  {
    reason: "certificationLate",
    breakers: { certification: { floorMs: 5000, ceilingMs: 20_000, factor: 4 } },
    start: async (world, maker) => {
      await world.place(maker, { price: 470 });
      await world.step(10_000);
      await world.step(5001);
    },
    end: async (world) => {
      await world.step(1000);
      for (const validator of VALIDATORS) await attest(world, validator);
    },
  },
  {
    reason: "provingBacklog",
    breakers: { ...UNCERTIFIED, provingMax: 3 },
    start: async (world, maker) => {
      for (let count = 0; count < 3; count++) {
        await world.place(maker, { price: 470 - count });
        await world.step(10_000);
      }
      await world.step(10);
    },
    end: async (world) => world.prove(),
  },
  {
    reason: "indexJump",
    start: async (world) => {
      // 20,000 + 3,500 - 500 is 15 % more.
      world.snapshotOptions = { marks: [3500] };
      await world.step(1000);
    },
    end: async () => undefined,
  },
];

async function attest(world: World, validator: string, change: object = {}): Promise<void> {
  const batch = await world.sequencer.service.batch("latest");
  assert.ok(batch);
  const logHash = world.log.records[batch.logPosition]?.hash ?? "";
  const words = (await world.batches.sealed(batch.number))!.words;
  const root = `0x${batch.root.toString(16)}`;
  const content = { number: batch.number, root, wordsHash: wordsHash(words), logHash };
  world.network.attest({ validator, ...content, signature: "0x", ...change });
  await turns();
}

for (const { reason, breakers = UNCERTIFIED, start, end } of TRIGGERS) {
  test(`${reason} pauses trading, and it comes back by cancel-only`, async () => {
    const { world, maker, taker } = await createMarket({ breakers });
    const resting = await world.place(maker, { price: 490, lots: 5 });
    await world.step(1000);
    assert.equal(await modeOf(world), "open");
    await start(world, maker);
    assert.equal(await modeOf(world), `paused: ${reason}`);
    const refused = await ask(world, taker);
    assert.equal(refused.accepted ? "accepted" : refused.code, "tradingPaused");
    const { since } = (await statusOf(world)).trading;
    assert.deepEqual(refused.accepted ? {} : refused.data, { reason, since });
    await end(world);
    const modes = await untilOpen(world);
    assert.deepEqual(modes, [`paused: ${reason}`, `cancelOnly: ${reason}`, "open"]);
    assert.deepEqual(typesOf(world), ["pause", "cancelOnly", "resume"]);
    const orders = await world.sequencer.service.orders(maker.account);
    assert.ok(
      orders.some(({ orderId }) => orderId === resting.orderId),
      "resting orders stay",
    );
    assert.equal(await codeOf(world, taker), "accepted");
    await world.finish();
    assert.equal((await statusOf(world)).halted, null);
    // Everybody who reads the log finds the same mode.
    const other = createNodeState(deployment, logOrigin(DOMAIN), undefined);
    for (const record of world.log.records) other.apply(record);
    assert.equal(other.executor.trading().mode, (await statusOf(world)).trading.mode);
  });
}

test("while paused, cancels, payments and forced operations go on", async () => {
  const { world, maker } = await createMarket();
  const order = await world.place(maker, { price: 490, lots: 5 });
  world.snapshotOptions = { marks: [3500] };
  await world.step(1000);
  assert.equal(await modeOf(world), "paused: indexJump");
  const deadline = world.clock.now() + 1_000_000;
  const cancel = { kind: "cancel", book: 0, isSell: false, price: 490, seq: order.seq! } as const;
  const cancelled = await ask(world, maker, { ...cancel, deadline });
  assert.equal(cancelled.accepted && cancelled.receipt.outcome, "cancelled");
  assert.equal((await ask(world, maker, { kind: "cancelAll", deadline })).accepted, true);
  const withdrawal = ask(world, maker, { kind: "withdraw", amount: 1_000_000, deadline });
  world.deposit(maker, 7);
  const { account, owner } = maker;
  world.settlement.enqueue({ kind: "forcedWithdraw", account, owner, amount: 5 });
  // The mode is a pause all the while: the underlying jumps there and back.
  for (let count = 0; count < 4; count++) {
    world.snapshotOptions = { marks: [count % 2 === 0 ? 500 : 3500] };
    await world.step(1000);
    assert.equal(await modeOf(world), "paused: indexJump");
  }
  const paid = await withdrawal;
  assert.equal(paid.accepted && paid.receipt.outcome, "executed");
  const kinds = world.log.records.flatMap(({ entry }) => {
    return entry.type === "operation" ? [entry.operation.kind] : [];
  });
  assert.deepEqual(kinds.slice(-3).sort(), ["deposit", "forcedWithdraw", "withdraw"]);
});

test("a takeover is refused while paused, and a preview says so too", async () => {
  const { world, maker, taker } = await createMarket();
  world.snapshotOptions = { marks: [3500] };
  await world.step(1000);
  const deadline = world.clock.now() + 9_000;
  const takeover = { kind: "backstop", from: 3, slot: 0, lots: 1, amount: 0, deadline } as const;
  const answer = ask(world, taker, takeover);
  await world.step(1000);
  const refused = await answer;
  assert.equal(refused.accepted ? "accepted" : refused.code, "tradingPaused");
  const request = { ...PLACE, account: maker.account, keyIndex: 0 };
  const preview = await world.sequencer.service.preview(request);
  assert.equal(preview?.verdict, "tradingPaused");
});

test("every change of the mode is told, with what it was", async () => {
  const { world } = await createMarket();
  world.snapshotOptions = { marks: [3500] };
  await world.step(1000);
  await untilOpen(world);
  const told = world.events.flatMap((event) => (event.type === "trading" ? [event.trading] : []));
  assert.deepEqual(
    told.map(({ mode, reason }) => [mode, reason]),
    [
      ["paused", "indexJump"],
      ["cancelOnly", "indexJump"],
      ["open", null],
    ],
  );
  const [pause, announced] = told;
  assert.match(pause?.detail ?? "", /moved 1500 basis points, at most 1000/);
  assert.ok((announced?.opensAt ?? 0) >= (pause?.since ?? 0) + cancelOnlyMs);
});

test("an interrupted order is finished before the pause stands in the log", async () => {
  const { world, maker, taker } = await createMarket();
  for (let count = 0; count < 8; count++) {
    await world.place(maker, { isSell: true, price: 500 + count, lots: 1 });
  }
  assert.equal((await world.place(taker, { price: 520, lots: 9 })).outcome, "interrupted");
  world.snapshotOptions = { marks: [3500] };
  await world.step(100);
  assert.equal(await modeOf(world), "paused: indexJump");
  assert.equal((await world.sequencer.service.trades(0, 100)).length, 8);
  const at = world.log.records.findIndex(({ entry }) => entry.type === "pause");
  const fills = world.events.filter(({ type }) => type === "trade");
  assert.equal(fills.length, 8);
  // The last batch has ended; its seal comes when its root is known.
  assert.deepEqual(
    world.log.records.slice(at - 1).map(({ entry }) => entry.type),
    ["end", "pause", "seal"],
  );
});

test("a restart in the middle of a pause is still paused, by log and by checkpoint", async () => {
  const { world, maker, taker } = await createMarket({ checkpointEvery: 1 });
  world.snapshotOptions = { marks: [3500] };
  await world.step(1000);
  const before = (await statusOf(world)).trading;
  assert.equal(before.mode, "paused");
  const byLog = await world.restart();
  assert.deepEqual((await statusOf(byLog)).trading, before);
  // A batch of cancels is sealed, and with it a checkpoint that is newer than the pause.
  const deadline = world.clock.now() + 60_000;
  assert.equal((await ask(world, maker, { kind: "cancelAll", deadline })).accepted, true);
  world.isOracleAway = true;
  await world.step(11_000);
  const pausedAt = world.log.records.findIndex(({ entry }) => entry.type === "pause");
  assert.ok((world.checkpoints.saved.at(-1)?.position ?? 0) > pausedAt);
  const announced = (await statusOf(world)).trading;
  assert.equal(announced.mode, "cancelOnly");
  const byCheckpoint = await world.restart();
  byCheckpoint.snapshotOptions = { marks: [3500] };
  assert.deepEqual((await statusOf(byCheckpoint)).trading, announced);
  assert.equal(await codeOf(byCheckpoint, taker), "tradingPaused");
  await byCheckpoint.step(cancelOnlyMs);
  assert.equal(await modeOf(byCheckpoint), "cancelOnly: indexJump", "one snapshot is not two");
  await byCheckpoint.step(1000);
  assert.equal(await modeOf(byCheckpoint), "open");
});

test("who has been away for long comes back by cancel-only", async () => {
  const { world, taker } = await createMarket();
  await world.step(10_000);
  world.clock.advance(oracleStaleMs + 60_000);
  const again = await world.restart();
  await again.step(10);
  assert.equal(await modeOf(again), "paused: oracleStale");
  assert.equal((await untilOpen(again)).at(-1), "open");
  assert.equal(await codeOf(again, taker), "accepted");
});

test("the snapshot of the pause itself is none of the two", async () => {
  const { world } = await createMarket();
  world.snapshotOptions = { marks: [3500] };
  await world.step(1000);
  world.isOracleAway = true;
  await world.step(1000);
  await world.step(cancelOnlyMs);
  world.isOracleAway = false;
  await world.step(1000);
  assert.equal(await modeOf(world), "cancelOnly: indexJump");
  assert.equal((await statusOf(world)).halted, null);
  await world.step(1000);
  assert.equal(await modeOf(world), "open");
});

test("a trigger in the cancel-only phase pauses again", async () => {
  const { world } = await createMarket();
  world.snapshotOptions = { marks: [3500] };
  await world.step(1000);
  await world.step(1000);
  assert.equal(await modeOf(world), "cancelOnly: indexJump");
  const { since } = (await statusOf(world)).trading;
  world.snapshotOptions = { marks: [500] };
  await world.step(1000);
  assert.equal(await modeOf(world), "paused: indexJump");
  assert.ok((await statusOf(world)).trading.since! > since!);
});

test("the operator's hand pauses, and without it trading comes back", async () => {
  const held = { breakers: { ...UNCERTIFIED, isHeld: true } };
  const { world, taker } = await createMarket(held);
  assert.equal(await modeOf(world), "paused: operator");
  for (let count = 0; count < 30; count++) await world.step(1000);
  assert.equal(await modeOf(world), "paused: operator");
  const free = await world.restartWith({ breakers: UNCERTIFIED });
  await free.step(1000);
  assert.deepEqual(await untilOpen(free), ["cancelOnly: operator", "open"]);
  assert.equal(await codeOf(free, taker), "accepted");
});

test("a pause for another state ends by name only", async () => {
  const { world, maker } = await createMarket();
  await world.place(maker, { price: 470 });
  await world.step(10_000);
  // Of three members none may be faulty: one is enough.
  await attest(world, VALIDATORS[0]!, { root: "0x1" });
  await world.step(10);
  assert.equal(await modeOf(world), "paused: rootMismatch");
  const { since } = (await statusOf(world)).trading;
  const other = await world.restartWith({ breakers: { ...UNCERTIFIED, endsPause: since! - 1 } });
  for (let count = 0; count < 30; count++) await other.step(1000);
  assert.equal(await modeOf(other), "paused: rootMismatch");
  const named = await world.restartWith({ breakers: { ...UNCERTIFIED, endsPause: since! } });
  // The same word, sent again, is about a batch that somebody has looked into.
  await attest(named, VALIDATORS[0]!, { root: "0x1" });
  await named.step(1000);
  assert.deepEqual(await untilOpen(named), ["cancelOnly: rootMismatch", "open"]);
  await attest(named, VALIDATORS[0]!, { root: "0x1" });
  await named.step(1000);
  assert.equal(await modeOf(named), "open");
});

test("a harder reason takes the place of a softer one", async () => {
  const { world, maker } = await createMarket();
  await world.place(maker, { price: 470 });
  await world.step(10_000);
  world.snapshotOptions = { marks: [3500] };
  await world.step(1000);
  assert.equal(await modeOf(world), "paused: indexJump");
  await attest(world, VALIDATORS[0]!, { logHash: "0".repeat(64) });
  await world.step(1000);
  assert.equal(await modeOf(world), "paused: rootMismatch");
  for (let count = 0; count < 30; count++) await world.step(1000);
  assert.equal(await modeOf(world), "paused: rootMismatch");
});

test("status tells what was measured, and the bound follows it", async () => {
  const append = { floorMs: 100, ceilingMs: 5000, factor: 4 };
  const { world, maker } = await createMarket({ breakers: { ...UNCERTIFIED, append } });
  const before = (await statusOf(world)).trading.append;
  assert.deepEqual(before, { latencyMs: null, boundMs: 100 });
  for (let count = 0; count < 40; count++) {
    world.log.hold();
    const placed = world.place(maker, { price: 400 + count, lots: 1 });
    world.clock.advance(80);
    world.log.release();
    await placed;
    await world.step(20);
  }
  const { append: after, mode } = (await statusOf(world)).trading;
  assert.equal(mode, "open");
  assert.deepEqual(after, { latencyMs: 80, boundMs: 320 });
});
