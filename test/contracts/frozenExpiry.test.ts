// B10: what a series is worth in a frozen rollup. If its settlement price was final at the last
// anchored batch, its payoff; else, expired or not, its last anchored mark. Engine, rebuilt ledger,
// exit circuit, verifier and contract say the same, to the unit.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type ExitClaim, exitClaim } from "../../sequencer/batch/exitWitness.ts";
import { createRestoredLedger, type RestoredLedger } from "../../sequencer/batch/restore.ts";
import { equityOf } from "../../sequencer/market/riskReport.ts";
import { SERIES_PER_WORD } from "../../sequencer/protocol/constants.ts";
import { layoutBits, SERIES } from "../../sequencer/protocol/layout.ts";
import { assertRefused, changed, loadCircuit, plus } from "../support/circuit.ts";
import { createMarket, EXPIRY, FEES, type Market, order, slotRisk } from "../support/market.ts";
import { proveClaim } from "../support/provenBatches.ts";
import { anchor, genesisOf, ownerAddress } from "./anchoring.ts";
import {
  DEADLINE,
  deployRollup,
  eve,
  networkHelpers,
  refused,
  submit,
  viem,
  WINDOW,
  type World,
} from "./rollupChain.ts";

const { time } = networkHelpers;
const DAY = 86_400;
const [LONG, SHORT] = [3, 4] as const;
const DEPOSIT = 900_000_000;

/** Marks in ticks: at the last anchored batch, and what was or would have been the payoff. */
interface Case {
  readonly name: string;
  readonly expiry: number;
  readonly lots: number;
  readonly mark: number;
  readonly payoff: number;
}

/** By slot. */
const CASES: readonly Case[] = [
  { name: "settled and paid out", expiry: EXPIRY, lots: 10, mark: 251, payoff: 251 },
  { name: "settled, not paid out", expiry: EXPIRY, lots: 20, mark: 352, payoff: 352 },
  { name: "final, not settled", expiry: EXPIRY, lots: 30, mark: 453, payoff: 453 },
  { name: "expired, not final", expiry: EXPIRY, lots: 40, mark: 554, payoff: 0 },
  { name: "expires before the freeze", expiry: EXPIRY + 2 * DAY, lots: 50, mark: 655, payoff: 901 },
  { name: "expires later", expiry: EXPIRY + 60 * DAY, lots: 60, mark: 756, payoff: 0 },
];
const [PAID, SETTLED, FINAL, DISPUTABLE] = [0, 1, 2, 3] as const;

function list(market: Market): void {
  for (const [slot, { expiry }] of CASES.entries()) {
    market.operate({ kind: "listSeries", slot, isCall: true, strike: 20_000, expiry });
    const weights = market.slots.map((_, leg) => (leg === slot ? 1 : 0));
    market.operate({ kind: "openBook", book: slot, weights, fees: FEES });
  }
}

/** `isFinal` and marks of the slots to come; the others keep theirs. */
function price(market: Market, risks: Readonly<Record<number, { mark: number; final?: boolean }>>) {
  market.slots = market.slots.map((risk, slot) => {
    const next = risks[slot];
    return next === undefined ? risk : slotRisk(next.mark, 50, next.final ?? false);
  });
}

/** Everything up to the last anchored batch. */
function anchoredMarket(): Market {
  const market = createMarket();
  for (const account of [LONG, SHORT]) market.deposit(account, DEPOSIT);
  price(market, Object.fromEntries(CASES.map((_, slot) => [slot, { mark: 500 }])));
  list(market);
  for (const [book, { lots }] of CASES.entries()) {
    market.trade(SHORT, order({ book, price: 480, lots, isSell: true }));
    market.trade(LONG, order({ book, price: 480, lots }));
  }
  market.seal();
  market.time = EXPIRY * 1000;
  price(market, { [PAID]: { mark: 251, final: true }, [SETTLED]: { mark: 352, final: true } });
  market.operate({ kind: "settleSeries", slot: PAID });
  for (const account of [LONG, SHORT])
    market.operate({ kind: "settlePosition", account, slot: PAID });
  market.operate({ kind: "settleSeries", slot: SETTLED });
  market.seal();
  // A settled mark is deaf to later snapshots; a final one stands without having been settled.
  price(market, {
    ...{ [PAID]: { mark: 1 }, [SETTLED]: { mark: 2 }, [FINAL]: { mark: 453, final: true } },
    ...{ [DISPUTABLE]: { mark: 554 }, 4: { mark: 655 }, 5: { mark: 756 } },
  });
  market.openBatch("ledger");
  market.seal();
  return market;
}

/** The written rule, by hand: cash, and lots at the marks of {@link CASES}. */
function ruled({ state }: Market, account: number): number {
  const { cash, positions } = state.account(account);
  const held = CASES.map(({ mark }, slot) => positions[slot]! * mark);
  return cash + state.unit * held.reduce((sum, worth) => sum + worth, 0);
}

function engineEquity({ state }: Market, account: number): number {
  const marks = state.series().map(({ mark }) => mark);
  return equityOf(state.account(account), { marks, changes: [] }, state.unit);
}

let market: Market;
let world: World;
let ledger: RestoredLedger;
let values: Readonly<Record<number, number>>;
/** Sealed after the last anchored batch: it knows all payoffs, and comes too late. */
let late: Market["sealed"][number];

before(async () => {
  market = anchoredMarket();
  const exitVerifier = (await viem.deployContract("InsecureDevExitTinyVerifier")).address;
  world = await deployRollup({ ...genesisOf(market), exitVerifier });
  ledger = createRestoredLedger(market.sizes.trade);
  for (const batch of market.sealed) {
    await anchor(world, market, batch);
    ledger.apply(batch.words);
  }
  values = { [LONG]: ruled(market, LONG), [SHORT]: ruled(market, SHORT) };
  await world.rollup.write.forceWithdraw([1n], { account: ownerAddress(LONG) });
});

test("B10 the rebuilt ledger has payoffs where they were final, and last marks elsewhere", () => {
  for (const [slot, { name, mark, lots, expiry }] of CASES.entries()) {
    const series = ledger.series()[slot]!;
    assert.deepEqual([series.mark, series.expiry], [mark, expiry], name);
    assert.equal(series.status, slot <= SETTLED ? "settled" : "listed", name);
    const held = slot === PAID ? [0, 0] : [lots, -lots];
    const found = [LONG, SHORT].map((id) => ledger.account(id).positions[slot]);
    assert.deepEqual(found, held, name);
  }
  assert.deepEqual(ledger.series(), market.state.series());
});

test("B10 engine and exit witness have the rule's value, and the circuit no other", async () => {
  const circuit = await loadCircuit("exit");
  for (const account of [LONG, SHORT]) {
    const { claim, inputs } = exitClaim(ledger, account, market.state.unit);
    assert.equal(engineEquity(market, account), values[account]);
    assert.equal(claim, BigInt(values[account]!));
    circuit.check(inputs);
    assert.equal(SERIES[0][0], "mark", "the mark is in a series word's lowest bits");
    for (const [slot, { mark, payoff, name }] of CASES.entries()) {
      if (mark === payoff) continue;
      const lots = BigInt(ledger.account(account).positions[slot]!);
      const off = BigInt(payoff - mark);
      const at = ["seriesWords", Math.floor(slot / SERIES_PER_WORD)];
      const inWord = off << BigInt((slot % SERIES_PER_WORD) * layoutBits(SERIES));
      const moved = changed(inputs, at, plus(inWord)) as typeof inputs;
      const worth = plus(BigInt(market.state.unit) * lots * off);
      const wished = changed(moved, ["claim"], worth);
      assertRefused(circuit, wished, "Exit: root === stateRoot");
      assert.notEqual(lots, 0n, name);
    }
  }
});

/** The operator goes on without layer one: all that has expired settles, and is paid out. */
function settleUnseen(): void {
  market.time = (EXPIRY + 3 * DAY) * 1000;
  price(market, { 3: { mark: 0, final: true }, 4: { mark: 901, final: true } });
  for (const slot of [FINAL, DISPUTABLE, 4]) {
    market.operate({ kind: "settleSeries", slot });
    market.operate({ kind: "settlePosition", account: LONG, slot });
  }
  late = market.seal();
}

test("B10 what settles after the last anchored batch changes nobody's claim", async () => {
  settleUnseen();
  const lost = CASES[DISPUTABLE]!.lots * 554;
  const won = CASES[4]!.lots * (901 - 655);
  assert.equal(engineEquity(market, LONG), values[LONG]! + market.state.unit * (won - lost));
  await time.increase(DEADLINE);
  assert.ok((await time.latest()) > EXPIRY + 2 * DAY, "a series has expired meanwhile");
  await world.rollup.write.freeze({ account: eve.account });
  const frozenAt = await world.rollup.read.frozenAt();
  await refused(world, submit(world, late.words), "AlreadyFrozen", [frozenAt]);
  const after = createRestoredLedger(market.sizes.trade);
  for (const { words } of market.sealed) after.apply(words);
  await assertUnproven(exitClaim(after, LONG, market.state.unit));
});

/** A proof of another state is good, and says nothing about the anchored one. */
async function assertUnproven(claim: ExitClaim): Promise<void> {
  const proof = await proveClaim(claim);
  const args = [BigInt(claim.account), ownerAddress(claim.account), claim.claim] as const;
  const call = world.rollup.write.exit([...args, proof], { account: eve.account });
  await refused(world, call, "ExitProofInvalid", args);
}

test("B10 the contract pays the rule's value, to the unit", async () => {
  for (const account of [LONG, SHORT]) {
    const claim = exitClaim(ledger, account, market.state.unit);
    const [id, owner] = [BigInt(account), ownerAddress(account)];
    const proof = await proveClaim(claim);
    for (const off of [1n, -1n]) {
      const args = [id, owner, claim.claim + off] as const;
      const call = world.rollup.write.exit([...args, proof], { account: eve.account });
      await refused(world, call, "ExitProofInvalid", args);
    }
    await world.rollup.write.exit([id, owner, claim.claim, proof], { account: eve.account });
  }
  await time.increase(WINDOW);
  const paid = [];
  for (const account of [LONG, SHORT]) {
    await world.rollup.write.payExit([BigInt(account)], { account: eve.account });
    paid.push(Number(await world.token.read.balanceOf([ownerAddress(account)])));
  }
  assert.deepEqual(paid, [values[LONG], values[SHORT]]);
  // Both sides are paid at the same marks: nothing is missing, and only fees are left.
  const left = Number(await world.token.read.balanceOf([world.vault.address]));
  assert.equal(left, ledger.fees());
  assert.equal(paid[0]! + paid[1]! + left, 2 * DEPOSIT);
});
