/**
 * A venue under attack: the sequencer with door policy and liquidator, honest traders, and marks
 * that the attacker moves within what oracles let through (`oracle/marketView.ts`: 5 % a round
 * unless it is confirmed; sources beyond a minority hold the price to its true neighbourhood).
 */
import assert from "node:assert/strict";
import { FEE_ACCOUNT, INSURANCE_ACCOUNT } from "../../sequencer/protocol/constants.ts";
import type { PlaceMessage } from "../../sequencer/protocol/messages.ts";
import {
  createTrader,
  createWorld,
  EXPIRY,
  type TestTrader,
  type World,
} from "../unit/roles/market.ts";

export const USDC = 1_000_000;
/** True price of slot 0, a forward, in ticks; and what a lot of it moves by in a scenario. */
export const PRICE = 1000;
const SCAN_RANGE = 0.15;
const MOVE_MAX = 0.05;
const EXCURSION_MAX = 0.3;
const ROUND_MS = 10_000;
export const FUND = 2000 * USDC;

export interface Venue {
  readonly world: World;
  readonly attackers: readonly TestTrader[];
  /** Quotes both sides around the true price, and takes over what is offered in auctions. */
  readonly maker: TestTrader;
  readonly backstop: TestTrader;
  mark: number;
  /** What the attackers have paid in and got out (1e-6 USDC). */
  deposited: number;
  withdrawn: number;
  /** The most that they could have had, less what they had paid in. */
  worst: number;
}

/** `depth`: lots that the maker bids and offers. */
export async function openVenue(options: {
  attackerDeposits: readonly number[];
  depth: number;
}): Promise<Venue> {
  const world = await createWorld({
    plan: {
      series: [{ slot: 0, isCall: true, strike: 0, expiry: EXPIRY }],
      books: [{ book: 0, legs: [[0, 1]] }],
    },
    policy: { positionLimit: 6000, openInterestLimit: 8000, bandMoves: 1, bandTicks: 10 },
  });
  world.deposit(createTrader(FEE_ACCOUNT), 1);
  world.deposit(createTrader(INSURANCE_ACCOUNT), FUND);
  const [maker, backstop] = [createTrader(3), createTrader(4)];
  world.open(maker, 20_000 * USDC);
  world.open(backstop, 2000 * USDC);
  const attackers = options.attackerDeposits.map((amount, index) => {
    const trader = createTrader(5 + index);
    world.open(trader, amount);
    return trader;
  });
  const deposited = options.attackerDeposits.reduce((sum, amount) => sum + amount, 0);
  const venue: Venue = {
    ...{ world, attackers, maker, backstop, deposited },
    ...{ mark: PRICE, withdrawn: 0, worst: -Infinity },
  };
  setMark(venue, PRICE);
  for (let count = 0; count < 8; count++) await world.step(400);
  for (const isSell of [false, true]) {
    const price = isSell ? PRICE * 1.02 : PRICE * 0.98;
    await world.place(maker, { isSell, price: Math.round(price), lots: options.depth });
  }
  return venue;
}

function setMark(venue: Venue, ticks: number): void {
  venue.mark = ticks;
  venue.world.snapshotOptions = { marks: [ticks], moves: [Math.round(ticks * SCAN_RANGE)] };
}

/** An order of an attacker; the venue may refuse it. Returns the lots that were filled. */
export async function attack(
  venue: Venue,
  index: number,
  order: Pick<PlaceMessage, "isSell" | "price" | "lots"> & Partial<PlaceMessage>,
): Promise<number> {
  const trader = venue.attackers[index]!;
  const message: PlaceMessage = {
    ...{ kind: "place", book: 0, timeInForce: "gtc", postOnly: false, reduceOnly: false },
    deadline: venue.world.clock.now() + 60_000,
    ...order,
  };
  const submission = { account: trader.account, keyIndex: 0, ...trader.peek(message) };
  const result = await venue.world.sequencer.service.submit(submission);
  if (!result.accepted) return 0;
  trader.next(message);
  return result.receipt.fills.reduce((sum, { lots }) => sum + lots, 0);
}

/** One oracle round towards `target`: everybody does what is best for them. */
export async function round(venue: Venue, target: number): Promise<void> {
  const step = venue.mark * MOVE_MAX;
  const bounded = Math.min(
    Math.max(target, PRICE * (1 - EXCURSION_MAX)),
    PRICE * (1 + EXCURSION_MAX),
  );
  const next = Math.min(Math.max(bounded, venue.mark - step), venue.mark + step);
  setMark(venue, Math.round(next));
  await venue.world.step(ROUND_MS);
  await venue.world.step(1000);
  await takeOver(venue);
  await check(venue);
}

export async function rounds(venue: Venue, target: number, count: number): Promise<void> {
  for (let done = 0; done < count; done++) await round(venue, target);
}

/** The backstop takes what is offered, in pieces that its own margin bears. */
async function takeOver({ world, backstop, attackers }: Venue): Promise<void> {
  const { service } = world.sequencer;
  const ours = new Set([...attackers.map(({ account }) => account), INSURANCE_ACCOUNT]);
  for (const { account: from, offers, lockedFor } of await service.liquidations()) {
    const [offer] = offers;
    if (!ours.has(from) || offer === undefined || lockedFor < 32) continue;
    for (let lots = offer.lotsMax; lots >= 1; lots = Math.floor(lots / 2)) {
      const amount = Math.floor(Math.max(offer.amountPerLot, 0) * lots * 0.9);
      const deadline = world.clock.now() + 60_000;
      const message = { kind: "backstop", from, slot: 0, lots, amount, deadline } as const;
      const submission = { account: backstop.account, keyIndex: 0, ...backstop.peek(message) };
      const answer = service.submit(submission);
      await world.step(600);
      await world.step(600);
      const result = await answer;
      if (!result.accepted) continue;
      backstop.next(message);
      break;
    }
  }
}

/** Takes out whatever the venue lets an attacker take. */
export async function withdrawAll(venue: Venue, index: number): Promise<void> {
  const trader = venue.attackers[index]!;
  const amount = await withdrawable(venue, trader.account);
  if (amount <= 0) return;
  const deadline = venue.world.clock.now() + 60_000;
  const message = { kind: "withdraw", amount, deadline } as const;
  const submission = { account: trader.account, keyIndex: 0, ...trader.peek(message) };
  const answer = venue.world.sequencer.service.submit(submission);
  await venue.world.step(600);
  await venue.world.step(600);
  const result = await answer;
  if (!result.accepted) return;
  trader.next(message);
  if (result.receipt.outcome === "executed") venue.withdrawn += amount;
}

async function withdrawable({ world }: Venue, id: number): Promise<number> {
  const account = await world.sequencer.service.account({ id });
  assert.ok(account);
  return Math.max(Math.min(account.cash, account.headroom ?? 0), 0);
}

/** What must hold at every moment of the attack. */
async function check(venue: Venue): Promise<void> {
  const { world, attackers } = venue;
  const { service } = world.sequencer;
  const status = await service.status();
  assert.equal(status.halted, null);
  const ids = [FEE_ACCOUNT, INSURANCE_ACCOUNT, 3, 4, ...attackers.map(({ account }) => account)];
  let cash = status.feesUncollected + venue.withdrawn;
  for (const id of ids) cash += (await service.account({ id }))?.cash ?? 0;
  const paidIn = world.settlement.queue.reduce(
    (sum, { operation }) => sum + (operation.kind === "deposit" ? operation.amount : 0),
    0,
  );
  assert.equal(cash, paidIn, "cash and fees are the vault's");
  const fund = await service.account({ id: INSURANCE_ACCOUNT });
  assert.ok(fund && fund.cash >= 0, "the fund owes nothing");
  assert.ok((fund.equity ?? 0) >= FUND / 2, "the fund keeps half of what it had");
  let theirs = venue.withdrawn - venue.deposited;
  for (const { account } of attackers) theirs += await withdrawable(venue, account);
  venue.worst = Math.max(venue.worst, theirs);
  assert.ok(theirs <= 0, `the attackers could take \`${theirs}\` more than they brought`);
}

/** For the test's report. */
export async function summary(venue: Venue): Promise<string> {
  const { world } = venue;
  const fund = await world.sequencer.service.account({ id: INSURANCE_ACCOUNT });
  const counts = new Map<string, number>();
  for (const event of world.events) {
    if (event.type !== "liquidation") continue;
    counts.set(event.update.action, (counts.get(event.update.action) ?? 0) + 1);
  }
  const actions = [...counts].map(([action, count]) => `${count} ${action}`).join(", ");
  const worst = (venue.worst / USDC).toFixed(2);
  const rest = (((fund?.equity ?? 0) - FUND) / USDC).toFixed(2);
  const best = `best moment for the attackers ${worst} USDC, fund ${rest} USDC`;
  return `${best}; ${actions || "no liquidation"}`;
}

/** What the liquidator has done so far, by name. */
export function liquidationActions({ world }: Venue): string[] {
  return world.events.flatMap((event) =>
    event.type === "liquidation" ? [event.update.action] : [],
  );
}
