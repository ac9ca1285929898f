// Invariants I1 to I6 of SPEC section 10, after every step of random flows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type {
  Fill,
  LedgerOperation,
  OrderStep,
  StepRecord,
} from "../../sequencer/engine/records.ts";
import type { Risk } from "../../sequencer/engine/risk.ts";
import { publishedFills } from "../../sequencer/engine/trade.ts";
import { INSURANCE_ACCOUNT } from "../../sequencer/protocol/constants.ts";
import { firstHead, nextHead } from "../../sequencer/protocol/messages.ts";
import { type Account, type Entry, priceKey } from "../../sequencer/protocol/state.ts";
import type { MemoryState } from "../../sequencer/state/memoryState.ts";
import { createStateTrees } from "../../sequencer/state/stateTrees.ts";
import { DOMAIN, SHAPE } from "../unit/engine/market.ts";
import { ACCOUNTS, command, createFlow, type Flow, type Sequenced } from "./flow.ts";
import { runs } from "./runs.ts";

const commands = fc.array(command, { minLength: 40, maxLength: 120, size: "max" });
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function checkMoney(state: MemoryState, paidIn: number): void {
  const accounts = ACCOUNTS.map((id) => state.account(id));
  assert.ok(state.fees() >= 0, "I1: fees");
  let total = state.fees() + sum(accounts.map(({ cash }) => cash));
  for (const [slot, { status, mark, holders }] of state.series().entries()) {
    const positions = accounts.map((account) => account.positions[slot]!);
    if (status === "settled") total += SHAPE.unit * mark * sum(positions);
    else assert.equal(sum(positions), 0, `slot ${slot} does not add up`);
    assert.equal(holders, positions.filter((lots) => lots !== 0).length);
  }
  assert.equal(total, paidIn, "I1: cash");
}

function checkBooks(state: MemoryState): void {
  for (const id of state.bookIds()) {
    const { bids, asks } = state.book(id)!;
    for (const [isSell, side] of [
      [false, bids],
      [true, asks],
    ] as const) {
      assert.ok(side.length <= SHAPE.depth, "I2: depth");
      for (const [index, entry] of side.entries()) {
        assert.ok(entry.lots > 0);
        const next = side[index + 1];
        assert.ok(next === undefined || isBetter(isSell, entry, next), "I2: order");
      }
    }
    const [bid, ask] = [bids[0], asks[0]];
    assert.ok(bid === undefined || ask === undefined || bid.price < ask.price, "I2: crossed");
  }
}

function isBetter(isSell: boolean, a: Entry, b: Entry): boolean {
  const [keyOfA, keyOfB] = [priceKey(isSell, a.price), priceKey(isSell, b.price)];
  return keyOfA < keyOfB || (keyOfA === keyOfB && a.seq < b.seq);
}

/** What the steps of one instruction start from: sides and accounts are copies. */
interface Before {
  readonly sides: Map<string, Entry[]>;
  readonly accounts: Map<number, Account>;
  readonly watermarks: Map<number, number>;
}

function copyOf(state: MemoryState): Before {
  const sides = state.bookIds().flatMap((id): [string, Entry[]][] => {
    const { bids, asks } = structuredClone(state.book(id)!);
    return [
      [`${id} false`, bids],
      [`${id} true`, asks],
    ];
  });
  return {
    sides: new Map(sides),
    accounts: new Map(ACCOUNTS.map((id) => [id, structuredClone(state.account(id))])),
    watermarks: new Map(ACCOUNTS.map((id) => [id, state.session(id).watermark])),
  };
}

/** I3 and I4 for each fill, the steps before it in the same instruction replayed. */
function checkSteps(flow: Flow, before: Before, records: readonly StepRecord[]): void {
  const { state, trade } = flow.market;
  for (const record of records) {
    if (!("order" in record)) continue;
    const step: OrderStep = record.order;
    for (const { book, isSell, seq } of step.removed) {
      const key = `${book} ${isSell}`;
      const side = before.sides.get(key)!;
      before.sides.set(
        key,
        side.filter((entry) => entry.seq !== seq),
      );
    }
    if (step.fill === undefined) continue;
    checkPriority(before, step.fill);
    const { weights } = state.book(step.fill.book)!;
    const relieved = record.kind === "liquidate" && record.reduceOnly;
    checkMargin(before, step.fill, { risk: trade.risk, weights, relieved });
  }
}

function checkPriority(before: Before, fill: Fill): void {
  const key = `${fill.book} ${!fill.takerIsSell}`;
  const side = before.sides.get(key)!;
  const maker = side.find(({ seq }) => seq === fill.makerSeq)!;
  for (const other of side) {
    const isLive = other.seq >= before.watermarks.get(other.account)!;
    if (other === maker || !isLive || other.account === fill.taker) continue;
    assert.ok(!isBetter(!fill.takerIsSell, other, maker), `I3: ${other.seq} was better`);
  }
  assert.ok(maker.seq >= before.watermarks.get(maker.account)!, "I3: a void order traded");
  assert.equal(maker.price, fill.price);
  assert.notEqual(maker.account, fill.taker);
  const lots = maker.lots - fill.lots;
  assert.ok(lots >= 0);
  before.sides.set(
    key,
    side.flatMap((entry) => (entry !== maker ? [entry] : lots > 0 ? [{ ...entry, lots }] : [])),
  );
}

/** `cash` times `ofCash` and the positions' worth for s = 0..17, in 1e-6 USDC. */
function levels(account: Account, risk: Risk, [ofCash, ofChange]: readonly [bigint, bigint]) {
  return Array.from({ length: 18 }, (_, row) => {
    const value = account.positions.reduce((total, lots, slot) => {
      const change = BigInt(row < 17 ? risk.changes[slot]![row]! : 0);
      return total + BigInt(lots) * (ofCash * BigInt(risk.marks[slot]!) + ofChange * change);
    }, 0n);
    return ofCash * BigInt(account.cash) + BigInt(SHAPE.unit) * value;
  });
}

const headrooms = (account: Account, risk: Risk) => levels(account, risk, [4n, 5n]);
const maintenance = (account: Account, risk: Risk) => levels(account, risk, [1n, 1n]);

function assertNoWorse(id: number, before: readonly bigint[], after: readonly bigint[]): void {
  for (const [row, room] of after.entries()) {
    assert.ok(room >= 0n || room >= before[row]!, `I4: account ${id}, scenario ${row}`);
  }
}

/** SPEC section 6: no scenario below where the exhibited one stood, or else no lower. */
function assertRelieved(before: readonly bigint[], after: readonly bigint[], scenario: number) {
  for (const [row, level] of after.entries()) {
    const isHigh = level >= before[scenario]!;
    assert.ok(isHigh || level >= before[row]!, `I4: no relief in scenario ${row}`);
  }
}

/** `relieved`: the taker's test is another one. */
function checkMargin(
  before: Before,
  fill: Fill,
  { risk, weights, relieved }: { risk: Risk; weights: readonly number[]; relieved: boolean },
): void {
  const takerLots = fill.takerIsSell ? -fill.lots : fill.lots;
  for (const [id, lots, fee] of [
    [fill.taker, takerLots, fill.takerFee],
    [fill.maker, -takerLots, fill.makerFee],
  ] as const) {
    const account = before.accounts.get(id)!;
    const rooms = headrooms(account, risk);
    account.cash -= fill.price * lots * SHAPE.unit + fee;
    for (const [slot, weight] of weights.entries()) account.positions[slot]! += lots * weight;
    if (relieved && id === fill.taker) continue;
    assertNoWorse(id, rooms, headrooms(account, risk));
  }
}

/** I4 of a liquidation: the account needed it, and comes out of it better. */
function checkLiquidated(flow: Flow, before: Before, record: StepRecord): void {
  if (record.kind !== "liquidate") return;
  const { state, trade } = flow.market;
  const { account: id, scenario } = record;
  const levelsBefore = maintenance(before.accounts.get(id)!, trade.risk);
  const levelsAfter = maintenance(state.account(id), trade.risk);
  assertRelieved(levelsBefore, levelsAfter, scenario);
  const [levelBefore, levelAfter] = [levelsBefore[scenario]!, levelsAfter[scenario]!];
  assert.ok(levelBefore < 0n, `I4: account ${id} was healthy in scenario ${scenario}`);
  if (record.order.fill === undefined) assert.equal(levelAfter, levelBefore);
  else assert.ok(levelAfter > levelBefore, `I4: account ${id} is worse in scenario ${scenario}`);
}

/** I4 of a takeover, for both sides. */
function checkTakeover(flow: Flow, before: Before, { operation: done }: Sequenced): void {
  const operation = done?.operation;
  const scenario = operation && "scenario" in operation ? operation.scenario : undefined;
  if (operation === undefined || scenario === undefined) return;
  const { state, ledger } = flow.market;
  const from = "from" in operation ? operation.from : fromOf(operation);
  const levelsBefore = maintenance(before.accounts.get(from)!, ledger.risk);
  assertRelieved(levelsBefore, maintenance(state.account(from), ledger.risk), scenario);
  assert.ok(
    levelsBefore[scenario]! < 0n,
    `I4: account ${from} was healthy in scenario ${scenario}`,
  );
  for (const id of ACCOUNTS.filter((other) => other !== from)) {
    const rooms = headrooms(before.accounts.get(id)!, ledger.risk);
    assertNoWorse(id, rooms, headrooms(state.account(id), ledger.risk));
  }
}

/**
 * I4 of a forced close: its owner by maintenance, the fund by half of its equity; nobody else, and
 * nothing that was refused, has moved.
 */
function checkForced(flow: Flow, before: Before, { operation: done }: Sequenced): void {
  if (done?.operation.kind !== "forcedClose") return;
  const { state, ledger } = flow.market;
  for (const id of ACCOUNTS) {
    const account = before.accounts.get(id)!;
    const after = state.account(id);
    const isParty = id === INSURANCE_ACCOUNT || id === done.operation.account;
    if (done.outcome === "refused" || !isParty) assert.deepEqual(after, account);
    else if (id === INSURANCE_ACCOUNT) checkFund(account, after, ledger.risk);
    else assertNoWorse(id, maintenance(account, ledger.risk), maintenance(after, ledger.risk));
  }
}

function checkFund(before: Account, after: Account, risk: Risk): void {
  if (isDeepStrictEqual(before, after)) return;
  const [rooms, roomsAfter] = [headrooms(before, risk), headrooms(after, risk)];
  const equity = roomsAfter.at(-1)!;
  assert.ok(equity >= 0n, "I4: the fund has no equity");
  assert.ok(after.cash >= before.cash || 8n * BigInt(after.cash) >= equity, "I4: the fund's cash");
  for (const [row, room] of roomsAfter.entries()) {
    assert.ok(2n * room >= equity || room >= rooms[row]!, `I4: the fund, scenario ${row}`);
  }
}

function fromOf(operation: LedgerOperation): number {
  assert.ok("message" in operation && operation.message.kind === "backstop");
  return operation.message.from;
}

/** A locked account has no live orders and none that is carried. */
function checkLocks(state: MemoryState): void {
  for (const id of ACCOUNTS) {
    if (state.session(id).lockedSince === 0) continue;
    assert.deepEqual(state.openOrdersOf(id), []);
    assert.notEqual(state.carry()?.account, id);
  }
}

/** I5: heads as far as signed words have carried them, by account. */
function createChains() {
  const first = (account: number, version: number) =>
    firstHead({ domain: DOMAIN, account, keyIndex: 0, version });
  const heads = new Map(ACCOUNTS.map((id) => [id, first(id, 1)]));
  const versions = new Map(ACCOUNTS.map((id) => [id, 1]));
  const extend = (account: number, word: bigint) => {
    heads.set(account, nextHead(heads.get(account)!, word));
  };
  return {
    follow({ records, operation }: Sequenced): void {
      for (const record of records)
        if ("word" in record) extend(record.author.account, record.word);
      const done = operation?.operation;
      if (done === undefined) return;
      if ("word" in done) extend(done.author.account, done.word);
      if (done.kind === "deposit") {
        const version = versions.get(done.account)! + 1;
        versions.set(done.account, version);
        heads.set(done.account, first(done.account, version));
      }
    },
    check(state: MemoryState): void {
      for (const [id, head] of heads) assert.equal(state.session(id).keys[0]!.head, head, "I5");
    },
  };
}

function paidInBy({ operation }: Sequenced): number {
  if (operation === undefined || operation.outcome === "refused") return 0;
  const done = operation.operation;
  if (done.kind === "deposit") return done.amount;
  if (done.kind === "forcedWithdraw") return -done.amount;
  return done.kind === "withdraw" && "message" in done ? -done.message.amount : 0;
}

test("I1 to I5 hold after every step", () => {
  const seen = new Map<string, number>();
  const count = (name: string) => seen.set(name, (seen.get(name) ?? 0) + 1);
  fc.assert(
    fc.property(commands, (list) => {
      const flow = createFlow();
      const { state } = flow.market;
      const chains = createChains();
      let paidIn = sum(ACCOUNTS.map((id) => state.account(id).cash));
      for (const entry of list) {
        const before = copyOf(state);
        const done = flow.run(entry);
        if (done === undefined) continue;
        paidIn += paidInBy(done);
        chains.follow(done);
        checkMoney(state, paidIn);
        checkBooks(state);
        for (const record of done.records) checkLiquidated(flow, before, record);
        checkTakeover(flow, before, done);
        checkForced(flow, before, done);
        checkSteps(flow, before, done.records);
        checkLocks(state);
        chains.check(state);
        assert.ok(publishedFills(done.records).length <= done.records.length);
        for (const record of done.records) {
          count(caseOf(record));
          if (record.kind === "liquidate") count(`liquidate ${record.order.outcome}`);
        }
        if (done.operation) count(`${done.operation.operation.kind} ${done.operation.outcome}`);
      }
    }),
    runs(100),
  );
  const { FC_NUM_RUNS, STRADDLE_TEST_LONG } = process.env;
  if (FC_NUM_RUNS === undefined) assertReached(seen, ["fill", "liquidate killed"]);
  if (STRADDLE_TEST_LONG) assertReached(seen, CASES);
});

function caseOf(record: StepRecord): string {
  return "order" in record ? record.order.orderCase : record.kind;
}

const CASES = [
  ...["noCross", "makerVoid", "postOnly", "selfTrade", "nothingToReduce", "makerMargin"],
  ...["takerMargin", "fill", "cancel", "cancelAll", "purge"],
  ...["deposit executed", "withdraw executed", "withdraw refused", "transfer executed"],
  ...["transfer refused", "forcedWithdraw executed", "forcedWithdraw refused"],
  ...["listSeries executed", "openBook executed", "settleSeries executed"],
  ...["settlePosition executed", "collectFees executed", "release executed"],
  ...["liquidate filled", "liquidate killed", "rank executed", "absorb executed"],
  ...["backstop executed", "insure executed", "deleverage executed"],
  ...["forcedCancelAll executed", "forcedClose executed", "forcedClose refused"],
];

/** That the flows reach these cases: what they do not reach they do not test. */
function assertReached(seen: ReadonlyMap<string, number>, cases: readonly string[]): void {
  assert.deepEqual(
    cases.filter((name) => !seen.has(name)),
    [],
  );
}

function rootOf(state: MemoryState): bigint {
  const trees = createStateTrees(SHAPE);
  trees.sync(state, state.touched());
  return trees.root(state);
}

test("I6: the same commands give the same root, and an imported state goes on as the same", () => {
  fc.assert(
    fc.property(commands, fc.nat({ max: 40 }), (list, cut) => {
      const [first, second] = [createFlow(), createFlow()];
      for (const entry of list.slice(0, cut)) {
        first.run(entry);
        second.run(entry);
      }
      const { state } = second.market;
      const exported = JSON.parse(JSON.stringify(state.exportState()));
      state.importState(exported);
      for (const entry of list.slice(cut)) {
        first.run(entry);
        second.run(entry);
      }
      assert.equal(rootOf(first.market.state), rootOf(state));
    }),
    runs(4),
  );
});

test("rolling back restores the exact root, wherever the points are", () => {
  fc.assert(
    fc.property(commands, fc.array(fc.nat({ max: 119 }), { maxLength: 3 }), (list, cuts) => {
      const flow = createFlow();
      const { state } = flow.market;
      const points: { point: number; root: bigint; text: string }[] = [];
      for (const [index, entry] of list.entries()) {
        if (cuts.includes(index)) {
          const text = JSON.stringify(state.exportState());
          points.push({ point: state.checkpoint(), root: rootOf(state), text });
        }
        flow.run(entry);
      }
      for (const { point, root, text } of points.reverse()) {
        state.rollback(point);
        assert.equal(JSON.stringify(state.exportState()), text);
        assert.equal(rootOf(state), root);
      }
    }),
    runs(6),
  );
});
