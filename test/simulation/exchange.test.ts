// A venue on a bad day: crashes at any moment, oracles and layer one away, provers slow, traders
// who do anything. Virtual time, one seed for each run; STRADDLE_SEED repeats one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { logOrigin } from "../../sequencer/batch/log.ts";
import type { ExchangeEvent, Receipt } from "../../sequencer/exchangeService.ts";
import type { BookLevel } from "../../sequencer/market/publicBook.ts";
import type { Message } from "../../sequencer/protocol/messages.ts";
import { createNodeState } from "../../sequencer/roles/nodeState.ts";
import {
  createTrader,
  createWorld,
  DOMAIN,
  deployment,
  type TestTrader,
  turns,
  type World,
} from "../unit/roles/market.ts";
import { type Chance, createChance } from "./random.ts";

const { STRADDLE_SEED, STRADDLE_TEST_LONG } = process.env;
const SEEDS =
  STRADDLE_SEED === undefined
    ? Array.from({ length: STRADDLE_TEST_LONG ? 40 : 3 }, (_, index) => 1000 + index)
    : [Number(STRADDLE_SEED)];
const STEPS = 120;
const TRADERS = 4;

/** Lots by price. */
interface Depth {
  readonly bids: Map<number, number>;
  readonly asks: Map<number, number>;
}

interface Simulation {
  readonly chance: Chance;
  readonly receipts: Receipt[];
  traders: TestTrader[];
  world: World;
  /** Depths as a subscriber builds them from changes alone. */
  depths: Map<number, Depth>;
  crashes: number;
}

for (const seed of SEEDS) {
  test(`a bad day loses nothing acknowledged, all nodes agree; seed ${seed}`, async (context) => {
    context.diagnostic(await simulate(seed));
  });
}

/** Returns what the day was like. */
async function simulate(seed: number): Promise<string> {
  const world = await createWorld({ backlogMax: 6, rate: { perSecond: 10, burst: 20 } });
  const simulation: Simulation = {
    chance: createChance(seed),
    receipts: [],
    traders: Array.from({ length: TRADERS }, (_, index) => createTrader(index + 3)),
    world,
    depths: new Map(),
    crashes: 0,
  };
  await watch(simulation);
  for (const trader of simulation.traders) world.open(trader, 2_000_000_000);
  for (let count = 0; count < 4; count++) await world.step(1000);
  for (let step = 0; step < STEPS; step++) await act(simulation);
  await quieten(simulation);
  await check(simulation);
  const { receipts, crashes } = simulation;
  const outcomes = new Map<string, number>();
  for (const { outcome } of receipts) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const trades = (await simulation.world.sequencer.service.trades(null, 10_000)).length;
  const counts = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(", ");
  return `${receipts.length} messages (${counts}), ${trades} trades, ${crashes} crashes`;
}

async function act(simulation: Simulation): Promise<void> {
  const { chance, world } = simulation;
  world.isOracleAway = chance.happens(10);
  world.isChainAway = chance.happens(10);
  const kind = chance.pick(100);
  if (kind < 60) await send(simulation);
  else if (kind < 85) await world.step(chance.pick(3000));
  else if (kind < 95) await world.prove();
  else if (kind < 97) world.deposit(chance.one(simulation.traders), 1_000_000);
  else await crash(simulation);
}

async function send(simulation: Simulation): Promise<void> {
  const { chance, world } = simulation;
  const trader = chance.one(simulation.traders);
  const message = await chooseMessage(simulation, trader);
  const answer = world.sequencer.service.submit({
    ...{ account: trader.account, keyIndex: 0 },
    ...trader.peek(message),
  });
  // Withdrawals are answered after a ledger group.
  for (let tried = 0; tried < 3 && message.kind === "withdraw"; tried++) await world.step(1000);
  world.isOracleAway = false;
  if (message.kind === "withdraw") await world.step(1000);
  const result = await answer;
  if (!result.accepted) return;
  trader.next(message);
  assert.equal(result.receipt.head, trader.head());
  simulation.receipts.push(result.receipt);
}

async function chooseMessage({ chance, world }: Simulation, trader: TestTrader): Promise<Message> {
  const deadline = world.clock.now() + 60_000;
  const kind = chance.pick(100);
  if (kind < 5) return { kind: "cancelAll", deadline };
  if (kind < 10) return { kind: "withdraw", amount: 1 + chance.pick(5_000_000), deadline };
  const orders = await world.sequencer.service.orders(trader.account);
  if (kind < 25 && orders.length > 0) return { ...chance.one(orders), kind: "cancel", deadline };
  const timeInForce = chance.one(["gtc", "gtc", "gtc", "ioc", "fok"] as const);
  const isResting = timeInForce === "gtc";
  return {
    kind: "place",
    book: chance.pick(2),
    isSell: chance.happens(50),
    price: 495 + chance.pick(11),
    lots: 1 + chance.pick(20),
    timeInForce,
    postOnly: isResting && chance.happens(20),
    reduceOnly: !isResting && chance.happens(20),
    deadline,
  };
}

/** The process ends; what the log had not written yet is lost with it. */
async function crash(simulation: Simulation): Promise<void> {
  const { chance, world } = simulation;
  world.log.hold();
  const lost = chance.one(simulation.traders);
  const message = await chooseMessage({ ...simulation, world }, lost).catch(() => undefined);
  if (message !== undefined) {
    const submission = { account: lost.account, keyIndex: 0, ...lost.peek(message) };
    void world.sequencer.service.submit(submission).catch(() => undefined);
  }
  await turns();
  simulation.world = await world.restart();
  simulation.crashes += 1;
  await watch(simulation);
}

/** Everything comes back, and what is under way arrives. */
async function quieten({ world }: Simulation): Promise<void> {
  world.isOracleAway = false;
  world.isChainAway = false;
  for (let count = 0; count < 6; count++) await world.step(11_000);
  await world.finish();
}

/** As a client does: the books as they are, then every change. */
async function watch(simulation: Simulation): Promise<void> {
  const { service } = simulation.world.sequencer;
  simulation.depths.clear();
  for (const { book } of await service.books()) {
    simulation.depths.set(book, await readDepth(simulation.world, book));
  }
  service.subscribe((event) => follow(simulation, event));
}

async function readDepth({ sequencer }: World, book: number): Promise<Depth> {
  const found = await sequencer.service.book(book, 100);
  const side = (levels: readonly BookLevel[] = []): Map<number, number> =>
    new Map(levels.map(({ price, lots }) => [price, lots]));
  return { bids: side(found?.bids), asks: side(found?.asks) };
}

function follow({ depths }: Simulation, event: ExchangeEvent): void {
  if (event.type !== "book") return;
  const { book, bids, asks } = event.change;
  const known = depths.get(book) ?? { bids: new Map(), asks: new Map() };
  depths.set(book, known);
  for (const [changes, side] of [
    [bids, known.bids],
    [asks, known.asks],
  ] as const) {
    for (const { action, price, lots } of changes) {
      assert.equal(action === "new", !side.has(price), "a level is new once");
      if (action === "delete") side.delete(price);
      else side.set(price, lots);
    }
  }
}

async function check(simulation: Simulation): Promise<void> {
  const { world, receipts, traders } = simulation;
  const { service } = world.sequencer;
  const status = await service.status();
  assert.equal(status.halted, null);
  assert.equal(status.anchored, status.sealed, "every batch reached layer one");
  for (const { logPosition, logHash } of receipts) {
    assert.equal(world.log.records[logPosition]?.hash, logHash, "an acknowledged record");
  }
  for (const trader of traders) {
    const key = await service.session(trader.account, 0);
    assert.equal(key?.head, trader.head(), "the chain is where its trader left it");
  }
  for (const [book, depth] of simulation.depths) {
    const sorted = ({ bids, asks }: Depth) => [bids, asks].map((side) => [...side].sort());
    assert.deepEqual(sorted(depth), sorted(await readDepth(world, book)));
  }
  await checkMoney(simulation);
  // Another node, from nothing but the log.
  const other = createNodeState(deployment, logOrigin(DOMAIN), undefined);
  for (const record of world.log.records) other.apply(record);
  assert.equal(other.executor.root(), world.settlement.anchoredBatches.at(-1)?.root);
  const trades = await service.trades(null, 10_000);
  assert.deepEqual(
    trades.map(({ tradeId }) => tradeId),
    trades.map((_, index) => trades.length - index),
  );
}

async function checkMoney({ world, traders }: Simulation): Promise<void> {
  const { service } = world.sequencer;
  const { feesUncollected, feeAccount } = await service.status();
  let cash = feesUncollected + feeAccount;
  const held = new Map<number, number>();
  for (const trader of traders) {
    const account = await service.account({ id: trader.account });
    assert.ok(account);
    cash += account.cash;
    for (const [slot, lots] of account.positions.entries()) {
      held.set(slot, (held.get(slot) ?? 0) + lots);
    }
    for (const { amount } of await service.withdrawals(trader.owner)) cash += amount;
  }
  for (const lots of held.values()) assert.equal(lots, 0, "positions add up to nothing");
  const paidIn = world.settlement.queue.reduce(
    (sum, { operation }) => sum + (operation.kind === "deposit" ? operation.amount : 0),
    0,
  );
  assert.equal(cash, paidIn, "nothing is lost or made");
}
