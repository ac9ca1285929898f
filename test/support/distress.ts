// A market whose marks move until accounts are liquidated and taken over: every instruction first
// brings about what it needs, so that a short random sequence reaches every operation.
import { canPay } from "../../sequencer/engine/balance.ts";
import { isBookOpen } from "../../sequencer/engine/bookState.ts";
import { checkOperation, type LedgerContext } from "../../sequencer/engine/ledger.ts";
import type { LedgerOperation, OperationRecord, Takeover } from "../../sequencer/engine/records.ts";
import {
  effectiveRisk,
  firstBelowMaintenance,
  maintenanceValues,
} from "../../sequencer/engine/risk.ts";
import { discountLimit } from "../../sequencer/engine/transactions/takeover.ts";
import {
  DELEVERAGE_SECONDS,
  INSURANCE_ACCOUNT,
  SCENARIOS,
} from "../../sequencer/protocol/constants.ts";
import { type LedgerMessage, messageWord } from "../../sequencer/protocol/messages.ts";
import { possibleLiquidations } from "./liquidations.ts";
import {
  createMarket,
  FAR,
  listMarket,
  type Market,
  order,
  ownerOf,
  slotRisk,
  TEST_DOMAIN,
} from "./market.ts";

/** Whose equity runs out. */
export const WEAK = 5;
const STRONG = [6, 7, 8];
export const TRADERS = [WEAK, ...STRONG];
/** Slots with listed series. */
const LISTED = [0, 1, 2, 3];
const ROUNDS_MAX = 60;
/** Batches that a message needs at most take a second of the market's time each. */
const CLOSING_MS = 30_000;

export interface DistressRun {
  readonly market: Market;
  /** Called with each operation after it was applied. */
  readonly seen: (record: OperationRecord) => void;
}

/** Venue accounts 1 and 2, a weak account and three with plenty; books with fees, marks at rest. */
export function createDistressRun(
  seen: DistressRun["seen"],
  market: Market = createMarket(),
): DistressRun {
  const run = { market, seen };
  seen(market.deposit(1, 1));
  for (const account of [INSURANCE_ACCOUNT, ...STRONG]) {
    seen(market.deposit(account, 2_000_000_000));
  }
  seen(market.deposit(WEAK, 20_000_000));
  listMarket(market);
  return run;
}

export function operate({ market, seen }: DistressRun, operation: LedgerOperation): void {
  seen(market.operate(operation));
}

/** What the next operation will be judged by. */
export function nextContext({ executor, state, slots, time }: Market): LedgerContext {
  const current = executor.current();
  const snapshot = { slots };
  const isOpen = current?.kind === "ledger";
  const risk = isOpen ? executor.risk()! : effectiveRisk(state.series(), snapshot);
  return { risk, time: isOpen ? current.time : time + 1000, domain: TEST_DOMAIN, snapshot };
}

/** Marks and time change between batches only. */
function sealOpen(market: Market): void {
  if (market.executor.current() !== undefined) market.seal();
}

export function wait(market: Market, seconds: number): void {
  sealOpen(market);
  market.time += 1000 * seconds;
}

/** The loss of a deep move is large, so that a quarter of it is worth more than a fee. */
function setMark(market: Market, slot: number, mark: number): void {
  sealOpen(market);
  market.slots = market.slots.with(slot, slotRisk(mark, 80 - 20 * slot));
}

/** Trade batches until no order is being carried. */
function finishCarry(market: Market): void {
  while (market.state.carry() !== undefined) {
    sealOpen(market);
    market.openBatch("trade");
  }
}

/** Sells the weak account short where it is not, and takes what cash it can do without. */
function weaken(run: DistressRun, b: number): void {
  const { market } = run;
  const { positions } = market.state.account(WEAK);
  if (LISTED.every((slot) => positions[slot]! >= 0)) {
    if (market.state.session(WEAK).lockedSince !== 0) rescue(run, 0);
    const book = b % LISTED.length;
    const price = market.slots[book]!.mark;
    const offer = { book, price, lots: 10 + (b % 7) };
    topUp(run, WEAK, offer.lots * 1_000_000);
    market.trade(WEAK, order({ ...offer, isSell: true }));
    market.trade(STRONG[b % 3]!, order({ ...offer, timeInForce: "ioc" }));
  }
  const amount = mostPayable(market);
  if (amount > 0) {
    operate(run, { kind: "forcedWithdraw", account: WEAK, owner: ownerOf(WEAK), amount });
  }
}

/** The most that the weak account could take out (1e-6 USDC), by bisection. */
function mostPayable(market: Market): number {
  const { risk } = nextContext(market);
  let [low, high] = [0, Math.max(0, market.state.account(WEAK).cash)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (canPay(market.state, WEAK, middle, risk)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function topUp(run: DistressRun, account: number, amount: number): void {
  const rest = { key: { x: 0n, y: 0n }, keyIndex: 0, keyExpiry: 0 };
  operate(run, { kind: "deposit", account, owner: ownerOf(account), amount, ...rest });
}

/** Makes the weak account one that is locked, below maintenance and, if wanted, without equity. */
export function ensureDistress(
  run: DistressRun,
  b: number,
  { deficit = false }: { readonly deficit?: boolean } = {},
): void {
  const { market } = run;
  const { state } = market;
  weaken(run, b);
  if (!deficit) repair(run);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    finishCarry(market);
    const { risk } = nextContext(market);
    const account = state.account(WEAK);
    const scenario = firstBelowMaintenance(account, risk, state.unit);
    const isDeep = !deficit || equity(market) < 0;
    if (scenario !== undefined && scenario < SCENARIOS && isDeep) {
      if (state.session(WEAK).lockedSince === 0) lock(market);
      if (state.session(WEAK).lockedSince !== 0 && isBelow(market)) return;
      weaken(run, b + round);
    }
    const slot = LISTED.find((each) => state.account(WEAK).positions[each]! < 0);
    if (slot === undefined) weaken(run, b + round);
    else setMark(market, slot, market.slots[slot]!.mark + 5 + (b % 11));
  }
}

/** Pays a deficit from outside, to half of what the worst scenario takes. */
function repair(run: DistressRun): void {
  const missing = -equity(run.market);
  if (missing >= 0) topUp(run, WEAK, missing + Math.ceil(worstLoss(run.market) / 2));
}

/** What the worst scenario takes from the weak account (1e-6 USDC). */
function worstLoss(market: Market): number {
  const values = maintenanceValues(market.state.account(WEAK), nextContext(market).risk);
  return market.state.unit * (values[SCENARIOS]! - Math.min(...values));
}

function isBelow(market: Market): boolean {
  const { risk } = nextContext(market);
  return firstBelowMaintenance(market.state.account(WEAK), risk, market.state.unit) !== undefined;
}

/** Equity of the weak account (1e-6 USDC). */
function equity(market: Market): number {
  const account = market.state.account(WEAK);
  const { risk } = nextContext(market);
  return account.cash + market.state.unit * maintenanceValues(account, risk)[SCENARIOS]!;
}

/** Liquidates a lot; a book without offers locks the account all the same. */
function lock(market: Market): void {
  const time = market.executor.current()?.kind === "trade" ? market.time : market.time + 1000;
  const { risk } = nextContext(market);
  const found = possibleLiquidations(market.state, { risk, time }).find(
    ({ account }) => account === WEAK,
  );
  if (found !== undefined) market.liquidate({ ...found, lots: 1 });
}

/** Takeovers from the weak account, whether they are allowed or not. */
function takeovers(market: Market): Takeover[] {
  const context = nextContext(market);
  const { positions } = market.state.account(WEAK);
  const deficit = Math.max(1, Math.floor(-equity(market)));
  return LISTED.flatMap((slot) => {
    const held = Math.abs(positions[slot]!);
    const sizes = [...new Set([held, Math.ceil(held / 2), 1])].filter(
      (lots) => lots <= held && held > 0,
    );
    return sizes.flatMap((lots) =>
      Array.from({ length: SCENARIOS }, (_, scenario) => scenario).flatMap((scenario) => {
        const free = { from: WEAK, slot, lots, amount: 0, isSubsidy: false, scenario };
        const most = discountLimit(market.state, free, context);
        const dear = most > 0 ? [{ ...free, amount: most }] : [];
        const subsidies = [Math.ceil(deficit / 2), deficit].map((amount) => {
          return { ...free, amount, isSubsidy: true };
        });
        return [free, ...dear, ...subsidies];
      }),
    );
  });
}

/** One of those that can be sequenced now: with a subsidy, a discount or neither, where it can. */
function choose(
  market: Market,
  seed: number,
  build: (takeover: Takeover) => LedgerOperation,
): LedgerOperation | undefined {
  const context = nextContext(market);
  const possible = takeovers(market)
    .map((takeover) => ({ takeover, operation: build(takeover) }))
    .filter(({ operation }) => checkOperation(market.state, operation, context) === undefined);
  const paid = possible.filter(({ takeover }) => takeover.amount > 0);
  const list = paid.length > 0 && seed % 4 !== 0 ? paid : possible;
  return list[seed % Math.max(1, list.length)]?.operation;
}

function backstop(run: DistressRun, a: number, b: number): void {
  const { market, seen } = run;
  ensureDistress(run, b);
  wait(market, a % 300);
  const account = STRONG[a % 3]!;
  const messageOf = (takeover: Takeover): LedgerMessage => {
    const { from, slot, lots, amount } = takeover;
    return { kind: "backstop", from, slot, lots, amount, deadline: FAR };
  };
  const found = choose(market, a, (takeover) => {
    const message = messageOf(takeover);
    const author = { account, keyIndex: 0 };
    const operation = { kind: "backstop", author, message, word: messageWord(message) } as const;
    return { ...operation, scenario: takeover.isSubsidy ? SCENARIOS : takeover.scenario };
  });
  if (found?.kind !== "backstop") return;
  seen(market.payment(account, found.message, 0, found.scenario));
}

function insure(run: DistressRun, a: number, b: number): void {
  const { market } = run;
  ensureDistress(run, b, { deficit: a % 2 === 0 });
  wait(market, 256 + (a % 300));
  const found = choose(market, b, (takeover) => ({ kind: "insure", ...takeover }));
  if (found !== undefined) operate(run, found);
}

function deleverage(run: DistressRun, a: number, b: number): void {
  const { market } = run;
  ensureDistress(run, b, { deficit: a % 2 === 0 });
  wait(market, DELEVERAGE_SECONDS);
  const { positions } = market.state.account(WEAK);
  const slot = LISTED.find((each) => positions[each]! < 0);
  if (slot === undefined) return;
  rankAll(run, slot, true);
  const account = market.state.ranking()!.best;
  const found = choose(market, b, (takeover) => ({ kind: "deleverage", account, ...takeover }));
  if (found !== undefined) operate(run, found);
}

function holdersOf(market: Market, slot: number): number[] {
  return market.state.accountIds().filter((id) => market.state.account(id).positions[slot] !== 0);
}

function rankAll(run: DistressRun, slot: number, isLong: boolean): void {
  for (const account of holdersOf(run.market, slot)) {
    operate(run, { kind: "rank", account, slot, isLong });
  }
}

/** One holder out of order, or all of a slot. */
function rank(run: DistressRun, a: number, b: number): void {
  const slot = LISTED.find((each) => holdersOf(run.market, (each + a) % 4).length > 0);
  if (slot === undefined) return;
  const held = (slot + a) % 4;
  if (b % 3 === 0) {
    rankAll(run, held, a % 2 === 0);
    return;
  }
  const holders = holdersOf(run.market, held);
  const account = holders[b % holders.length]!;
  operate(run, { kind: "rank", account, slot: held, isLong: a % 2 === 0 });
}

function absorb(run: DistressRun, a: number, b: number): void {
  ensureDistress(run, b, { deficit: true });
  const deficit = -equity(run.market);
  if (deficit <= 0) return;
  const amount = a % 3 === 0 ? deficit : 1 + (a % deficit);
  operate(run, { kind: "absorb", from: WEAK, amount });
}

function release(run: DistressRun, a: number, b: number): void {
  if (run.market.state.session(WEAK).lockedSince === 0) ensureDistress(run, b);
  rescue(run, a % 3);
}

/** Brings the weak account to maintenance, or a little above, by a deposit, and releases it. */
function rescue(run: DistressRun, above: number): void {
  const missing = worstLoss(run.market) - equity(run.market);
  if (missing > 0) topUp(run, WEAK, missing + above);
  operate(run, { kind: "release", account: WEAK });
}

function trade({ market }: DistressRun, a: number, b: number): void {
  const { state, time } = market;
  const isOpen = (id: number) => isBookOpen(state, state.book(id)!, time + CLOSING_MS);
  const books = state.bookIds().filter(isOpen);
  const book = books[a % books.length];
  if (book === undefined) return;
  const { weights } = market.state.book(book)!;
  const mark = weights.reduce((sum, weight, slot) => sum + weight * market.slots[slot]!.mark, 0);
  const shape = { book, price: mark + (b % 3) - 1, lots: 1 + (b % 9) };
  const accounts = TRADERS.filter((id) => market.state.session(id).lockedSince === 0);
  const maker = accounts[a % accounts.length]!;
  const taker = accounts[(a + 1 + (b % 2)) % accounts.length]!;
  market.trade(maker, order({ ...shape, isSell: b % 2 === 0 }));
  market.trade(taker, order({ ...shape, isSell: b % 2 !== 0, timeInForce: "ioc" }));
}

/** A book over one series with rates of its own: taker fees, rebates and none. */
function openBook(run: DistressRun, a: number, b: number): void {
  const { state } = run.market;
  const book = 5 + (a % 50);
  if (state.book(book) !== undefined) return;
  const weights = Array.from({ length: 16 }, (_, slot) => (slot === b % 4 ? 1 : 0));
  const taker = b % 40;
  const maker = (a % (2 * taker + 1)) - taker;
  operate(run, { kind: "openBook", book, weights, fees: { taker, maker } });
}

/** A close from layer one: of a position, of a part of it, or of nothing. */
function forcedClose(run: DistressRun, a: number, b: number): void {
  const account = TRADERS[a % TRADERS.length]!;
  const terms = { slot: (a >> 2) % LISTED.length, lots: 1 + (b % 20) };
  operate(run, { kind: "forcedClose", account, owner: ownerOf(account), ...terms });
}

function forcedCancelAll(run: DistressRun, a: number): void {
  const account = TRADERS[a % TRADERS.length]!;
  operate(run, { kind: "forcedCancelAll", account, owner: ownerOf(account) });
}

function move(run: DistressRun, a: number, b: number): void {
  setMark(run.market, a % 4, 100 + (b % 600));
}

const ACTIONS = {
  trade,
  move,
  openBook,
  backstop,
  insure,
  deleverage,
  absorb,
  rank,
  release,
  forcedClose,
  forcedCancelAll,
  collectFees: (run: DistressRun) => operate(run, { kind: "collectFees" }),
} as const;
export type DistressKind = keyof typeof ACTIONS;
export const DISTRESS_KINDS = Object.keys(ACTIONS) as DistressKind[];

/** `a` and `b` choose everything that the kind leaves open. */
export interface DistressCommand {
  readonly kind: DistressKind;
  readonly a: number;
  readonly b: number;
}

export function runDistress(run: DistressRun, { kind, a, b }: DistressCommand): void {
  ACTIONS[kind](run, a, b);
}

/** Names of what a record reached, finer than its kind where a takeover has variants. */
export function reachedBy({ operation, outcome }: OperationRecord): string[] {
  const name = `${operation.kind} ${outcome}`;
  if (operation.kind === "backstop" && operation.message.kind === "backstop") {
    return [name, ...(operation.message.amount > 0 ? ["backstop with discount"] : [])];
  }
  const isSubsidised = "isSubsidy" in operation && operation.isSubsidy;
  return isSubsidised ? [name, `${operation.kind} with subsidy`] : [name];
}
