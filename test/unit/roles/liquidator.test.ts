// Liquidation from the first margin call to the last resort, by the sequencer as it runs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { logOrigin } from "../../../sequencer/batch/log.ts";
import type { LiquidationUpdate } from "../../../sequencer/market/liquidation.ts";
import { FEE_ACCOUNT, INSURANCE_ACCOUNT } from "../../../sequencer/protocol/constants.ts";
import { DEFAULT_FEES } from "../../../sequencer/roles/feeSchedule.ts";
import { DEFAULT_COLLECTION } from "../../../sequencer/roles/keeper.ts";
import { createNodeState } from "../../../sequencer/roles/nodeState.ts";
import { TRADING_AGE_MS_MAX } from "../../../sequencer/roles/opening.ts";
import type { SequencerConfig } from "../../../sequencer/roles/sequencerConfig.ts";
import { createSequencing, type SequencingOptions } from "../../../sequencer/roles/sequencing.ts";
import { createMemoryState } from "../../../sequencer/state/memoryState.ts";
import {
  createTrader,
  createWorld,
  DOMAIN,
  deployment,
  PATIENT,
  START,
  snapshotAt,
  type TestTrader,
  type World,
} from "./market.ts";

const USDC = 1_000_000;
/** Every account's deposit. */
const CASH = 1000 * USDC;
const FUND = 10_000 * USDC;
/** Of slot 0: a short of 4000 lots opened at 500 is then below maintenance, equity 96 USDC. */
const CALLED = 720;
const LOTS = 4000;

interface Scene {
  world: World;
  /** Short of slot 0, to `long`. */
  readonly short: TestTrader;
  readonly long: TestTrader;
  readonly third: TestTrader;
}

async function createScene({
  fund = FUND,
  config = {},
}: {
  fund?: number;
  config?: Partial<SequencerConfig>;
} = {}): Promise<Scene> {
  const world = await createWorld(config);
  // Layer one opens these two before anybody's.
  world.deposit(createTrader(FEE_ACCOUNT), 1);
  world.deposit(createTrader(INSURANCE_ACCOUNT), fund);
  const traders = [3, 4, 5].map(createTrader) as [TestTrader, TestTrader, TestTrader];
  for (const trader of traders) world.open(trader, CASH);
  for (let count = 0; count < 6; count++) await world.step(400);
  const [short, long, third] = traders;
  await world.place(long, { price: 500, lots: LOTS });
  const sold = await world.place(short, { isSell: true, price: 500, lots: LOTS });
  assert.equal(sold.outcome, "filled");
  return { world, short, long, third };
}

function mark(world: World, ticks: number): void {
  world.snapshotOptions = { marks: [ticks] };
}

function updates({ events }: World): LiquidationUpdate[] {
  return events.flatMap((event) => (event.type === "liquidation" ? [event.update] : []));
}

const actions = (world: World) => updates(world).map(({ action }) => action);

async function accountOf(world: World, id: number) {
  const found = await world.sequencer.service.account({ id });
  assert.ok(found);
  return found;
}

/** Cash and fees are what was deposited, positions sum to nothing, and the log replays alike. */
async function checkBooks(world: World): Promise<void> {
  await world.finish();
  const { service } = world.sequencer;
  const status = await service.status();
  assert.equal(status.halted, null);
  const accounts = await Promise.all([1, 2, 3, 4, 5].map((id) => accountOf(world, id)));
  const cash = accounts.reduce((sum, account) => sum + account.cash, status.feesUncollected);
  const paidIn = world.settlement.queue.reduce(
    (sum, { operation }) => sum + (operation.kind === "deposit" ? operation.amount : 0),
    0,
  );
  assert.equal(cash, paidIn);
  const held = accounts.reduce((sum, { positions }) => sum + positions[0]!, 0);
  assert.equal(held, 0);
  const other = createNodeState(deployment, logOrigin(DOMAIN), undefined);
  for (const record of world.log.records) other.apply(record);
  // Every seal that it has passed states the root that it found itself.
  assert.equal(other.position(), world.log.records.length);
}

test("healthy accounts are never touched", async () => {
  const { world } = await createScene();
  // Short: 4 * equity 156 USDC covers a loss of 400 USDC at mark 600, not with 5/4 of it.
  for (const ticks of [500, 560, 600, 440, 630, 500]) {
    mark(world, ticks);
    for (let count = 0; count < 3; count++) await world.step(1000);
  }
  assert.deepEqual(actions(world), []);
  const kinds = new Set(world.log.records.map(({ entry }) => entry.type));
  assert.ok(!kinds.has("liquidate"));
  await checkBooks(world);
});

test("the books reduce an account as far as it needs, at prices that help it", async () => {
  const { world, short, third } = await createScene();
  const resting = await world.place(short, { price: 300, lots: 7 });
  await world.place(third, { isSell: true, price: 735, lots: 1500 });
  await world.place(third, { isSell: true, price: 738, lots: 3000 });
  // Beyond a quarter of the way from mark to scenario: nobody is sold out at such a price.
  await world.place(third, { isSell: true, price: 745, lots: 1500 });
  mark(world, CALLED);
  await world.step(1000);
  const [locked, first, second] = updates(world);
  assert.equal(locked?.action, "locked");
  assert.deepEqual([first?.price, first?.lots, first?.isSell], [735, 1500, false]);
  assert.equal(second?.price, 738);
  const { positions, lockedSince } = await accountOf(world, short.account);
  assert.ok(positions[0]! < 0 && positions[0]! > -LOTS);
  assert.ok(lockedSince !== null);
  const orders = await world.sequencer.service.orders(short.account);
  assert.deepEqual(orders, [], `order ${resting.orderId} is void`);
  for (let count = 0; count < 4; count++) await world.step(1000);
  const health = await accountOf(world, short.account);
  assert.ok((health.maintenance ?? -1) >= 0);
  assert.equal(health.lockedSince, null, "released");
  assert.equal(actions(world).at(-1), "release");
  await world.place(short, { price: 300, lots: 1 });
  await checkBooks(world);
});

test("a locked account places nothing and may cancel; others trade on", async () => {
  const { world, short, third } = await createScene();
  mark(world, CALLED);
  await world.step(1000);
  const deadline = world.clock.now() + 60_000;
  const order = { kind: "place", book: 1, isSell: false, price: 500, lots: 1 } as const;
  const flags = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;
  const signed = short.peek({ ...order, ...flags, deadline });
  const refused = await world.sequencer.service.submit({
    ...{ account: short.account, keyIndex: 0, ...signed },
  });
  assert.equal(refused.accepted ? "accepted" : refused.code, "accountLocked");
  assert.equal((await world.submit(short, { kind: "cancelAll", deadline })).accepted, true);
  assert.equal((await world.place(third, { book: 1, price: 490 })).outcome, "rested");
});

test("nobody is liquidated before two snapshots after a restart", async () => {
  const scene = await createScene();
  const world = await scene.world.restart();
  mark(world, CALLED);
  await world.step(1000);
  assert.deepEqual(actions(world), [], "one snapshot");
  world.sequencer.tick();
  world.clock.advance(50);
  world.sequencer.tick();
  assert.deepEqual(actions(world), [], "still the same one");
  await world.step(1000);
  assert.deepEqual(actions(world), ["locked"]);
});

test("nor before two snapshots after the oracles were silent", async () => {
  const { world } = await createScene({ config: { breakers: PATIENT } });
  world.isOracleAway = true;
  await world.step(140_000);
  world.isOracleAway = false;
  mark(world, CALLED);
  await world.step(1000);
  assert.deepEqual(actions(world), []);
  await world.step(1000);
  assert.deepEqual(actions(world), ["locked"]);
});

function backstop(world: World, taker: TestTrader, terms: { lots: number; amount: number }) {
  const deadline = world.clock.now() + 60_000;
  const message = { kind: "backstop", from: 3, slot: 0, ...terms, deadline } as const;
  const signed = taker.peek(message);
  const answer = world.sequencer.service.submit({
    ...{ account: taker.account, keyIndex: 0, ...signed },
  });
  return { answer, accept: () => taker.next(message) };
}

async function offer(world: World, taker: TestTrader, terms: { lots: number; amount: number }) {
  const { answer, accept } = backstop(world, taker, terms);
  for (let count = 0; count < 2; count++) await world.step(600);
  const result = await answer;
  if (result.accepted) accept();
  return result.accepted ? result.receipt.outcome : result.code;
}

test("backstops take locked accounts over for a discount that grows with time", async () => {
  const { world, short, third } = await createScene();
  assert.equal(await offer(world, third, { lots: 100, amount: 0 }), "takeoverRefused");
  mark(world, CALLED);
  await world.step(1000);
  assert.deepEqual(actions(world), ["locked"]);
  // 100 lots threaten to lose 100 ticks each: 10 USDC, of which at 64 s an eighth may be asked.
  for (let count = 0; count < 6; count++) await world.step(10_000);
  assert.equal(await offer(world, third, { lots: 100, amount: 1.4 * USDC }), "takeoverRefused");
  assert.equal(await offer(world, third, { lots: 100, amount: 1.1 * USDC }), "executed");
  const update = updates(world).at(-1);
  assert.deepEqual(
    [update?.action, update?.lots, update?.price, update?.amount, update?.isSell],
    ["backstop", 100, CALLED, 1.1 * USDC, false],
  );
  assert.equal(update?.counterparty, third.account);
  assert.equal((await accountOf(world, short.account)).positions[0], -LOTS + 100);
  assert.equal((await accountOf(world, third.account)).positions[0], -100);
  await checkBooks(world);
});

test("what nobody takes is insured from 256 s on, with half of the fund's equity", async () => {
  const { world, short } = await createScene();
  mark(world, CALLED);
  for (let count = 0; count < 25; count++) await world.step(10_000);
  assert.deepEqual(actions(world), ["locked"]);
  await world.step(10_000);
  await world.step(10_000);
  const insured = updates(world).filter(({ action }) => action === "insure");
  assert.ok(insured.length > 0);
  assert.ok(
    insured.every(({ amount }) => amount > 0),
    "the fund is paid",
  );
  const fund = await accountOf(world, INSURANCE_ACCOUNT);
  assert.ok(fund.cash >= FUND);
  assert.ok((fund.headroom ?? 0) * 4 >= 2 * fund.cash);
  assert.equal((await accountOf(world, short.account)).lockedSince, null);
  assert.equal(actions(world).at(-1), "release");
  await checkBooks(world);
});

test("without a fund the largest opposite position is deleveraged from 512 s on", async () => {
  const { world, short, long } = await createScene({ fund: 1 });
  mark(world, CALLED);
  for (let count = 0; count < 50; count++) await world.step(10_000);
  assert.deepEqual(actions(world), ["locked"]);
  for (let count = 0; count < 4; count++) await world.step(10_000);
  const done = updates(world).filter(({ action }) => action === "deleverage");
  assert.equal(done[0]?.counterparty, long.account);
  assert.equal(done[0]?.amount, 0, "at the mark");
  const ranks = world.log.records.filter(({ entry }) => {
    return entry.type === "operation" && entry.operation.kind === "rank";
  });
  assert.equal(ranks.length, 2 * done.length, "both holders, for each takeover");
  assert.equal((await accountOf(world, short.account)).lockedSince, null);
  assert.equal((await accountOf(world, long.account)).lockedSince, null);
  await checkBooks(world);
});

test("the fund pays the deficit of a bankrupt account, which keeps nothing", async () => {
  const { world, short } = await createScene();
  // Equity is 976 - 4 * 300 USDC: 224 USDC short.
  mark(world, 800);
  for (let count = 0; count < 30; count++) await world.step(10_000);
  const { cash, positions, lockedSince } = await accountOf(world, short.account);
  assert.deepEqual([cash, positions[0], lockedSince], [0, 0, null]);
  const fund = await accountOf(world, INSURANCE_ACCOUNT);
  assert.equal((fund.equity ?? 0) - FUND, 976 * USDC - LOTS * 300 * 1000);
  await checkBooks(world);
});

test("liquidations leave steps of each batch to the traders", async () => {
  const { world, third } = await createScene({ config: { liquidation: { stepsPerBatch: 2 } } });
  for (let count = 0; count < 6; count++) {
    await world.place(third, { isSell: true, price: 730, lots: 10 });
  }
  mark(world, CALLED);
  for (let count = 0; count < 8; count++) await world.step(2000);
  const steps = new Map<number, number>();
  let number = 0;
  for (const { entry } of world.log.records) {
    if (entry.type === "open") number = entry.number;
    if (entry.type === "liquidate") steps.set(number, (steps.get(number) ?? 0) + 1);
  }
  assert.ok(steps.size >= 3);
  for (const count of steps.values()) assert.ok(count <= 2);
});

test("an account that nothing can be done for does not end a batch at each snapshot", async () => {
  const { world, long } = await createScene();
  mark(world, CALLED);
  await world.step(1000);
  assert.deepEqual(actions(world), ["locked"]);
  await world.step(10_000);
  const { service } = world.sequencer;
  const { sealed } = await service.status();
  for (let count = 0; count < 20; count++) {
    await world.place(long, { price: 300 + count, lots: 1 });
    await world.step(1000);
  }
  const batches = (await service.status()).sealed - sealed;
  assert.ok(batches <= 4, `${batches} batches: a snapshot each second is renewed after five`);
});

test("nobody is liquidated by marks that are too old for trading", async () => {
  const scene = await createScene({ config: { breakers: PATIENT } });
  const { world, long, short, third } = scene;
  const resting = await world.place(long, { price: 300, lots: 1 });
  mark(world, CALLED);
  await world.step(1000);
  assert.deepEqual(actions(world), ["locked"]);
  world.isOracleAway = true;
  world.clock.advance(TRADING_AGE_MS_MAX - 5000);
  // What the locked account could buy, if it were asked for it in time.
  await world.place(third, { isSell: true, price: 735, lots: LOTS });
  // Ends that batch; the next one is of the cancel.
  await world.step(11_000);
  const deadline = world.clock.now() + 60_000;
  const order = { book: 0, isSell: false, price: 300, seq: resting.seq ?? 0 };
  const cancelled = await world.submit(long, { kind: "cancel", ...order, deadline });
  assert.equal(cancelled.accepted && cancelled.receipt.outcome, "cancelled");
  await world.step(10);
  assert.equal((await accountOf(world, short.account)).positions[0], -LOTS);
  world.isOracleAway = false;
  for (let count = 0; count < 3; count++) await world.step(1000);
  assert.ok((await accountOf(world, short.account)).positions[0]! > -LOTS);
});

test("a group that has ranked many holders goes on to the takeover", () => {
  const kinds = [...new Array<"rank">(300).fill("rank"), "deleverage", "release"] as const;
  const done: string[] = [];
  const snapshot = snapshotAt(START);
  const batch = { kind: "ledger", number: 1, time: START, empty: true } as const;
  const batcher = {
    current: () => batch,
    canOpen: () => true,
    isOrderCarried: () => false,
    nextNumber: () => 1,
    batchSnapshot: () => snapshot,
    operation: ({ operation }: { operation: { kind: string } }) => {
      done.push(operation.kind);
      return { value: { outcome: "executed" } };
    },
  };
  const liquidator = {
    watch: () => undefined,
    runBooks: () => undefined,
    dueOperation: () => {
      const kind = kinds[done.length];
      return kind === undefined ? undefined : { kind, account: 1 };
    },
  };
  const plan = { series: [], books: [] };
  const sequencing = createSequencing({
    ...{ batcher, liquidator, state: createMemoryState(deployment.shape), nextQueueId: 0 },
    keeper: { plan, fees: DEFAULT_FEES, collection: DEFAULT_COLLECTION },
    snapshot: () => snapshot,
  } as unknown as SequencingOptions);
  sequencing.tick(START);
  assert.deepEqual(done.slice(299), ["rank", "deleverage"], "and to nothing else");
});
