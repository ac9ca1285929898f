// B3: what an exit claims is what the engine values the account at, to the last unit, over random
// books that are closed: every lot and every dollar has its other side.
import assert from "node:assert/strict";
import { test } from "node:test";
import { exitClaim } from "../../sequencer/batch/exitWitness.ts";
import type { LedgerView } from "../../sequencer/batch/restore.ts";
import { effectiveRisk, maintenanceValues } from "../../sequencer/engine/risk.ts";
import {
  CASH_OFFSET,
  MARK_BITS,
  POSITION_OFFSET,
  SCENARIOS,
} from "../../sequencer/protocol/constants.ts";
import { poseidon } from "../../sequencer/protocol/hash.ts";
import {
  type Account,
  accountLeaf,
  emptyAccount,
  emptySeries,
  ledgerRoot,
  type Series,
  seriesRoot,
} from "../../sequencer/protocol/state.ts";
import { createMerkleTree } from "../../sequencer/state/merkleTree.ts";
import { loadCircuit } from "../support/circuit.ts";
import { sizesOf } from "../support/market.ts";

const BOOKS = 40;
const ACCOUNTS = 250;
const TRADES = 2000;
/** Witnesses of the whole circuit take long: of all accounts in the long suite. */
const WITNESSES = process.env.STRADDLE_TEST_LONG ? BOOKS * ACCOUNTS : 250;
const MARK_MAX = 2 ** MARK_BITS - 1;
const NO_CHANGES = new Array<number>(SCENARIOS).fill(0);
const { trade: shape } = sizesOf("tiny");

type Random = (below: number) => number;

/** The same sequence on every machine; `below` is at most 2^40. */
function createRandom(seed: bigint): Random {
  let state = seed;
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number((state >> 20n) % BigInt(below));
  };
}

interface Book {
  readonly accounts: Account[];
  readonly series: Series[];
  readonly fees: number;
  /** What was paid in. */
  readonly custody: number;
}

/** Deposits, then trades at any price: nobody asks for margin, so that some end below zero. */
function randomBook(random: Random): Book {
  const series = Array.from({ length: shape.slots }, (): Series => {
    const status = (["listed", "settled", "empty"] as const)[random(3)]!;
    const mark = [0, 1, MARK_MAX, random(MARK_MAX)][random(4)]!;
    return { ...emptySeries(), status, mark, strike: 1 + random(2 ** 20), expiry: random(2 ** 32) };
  });
  const accounts = Array.from({ length: ACCOUNTS }, (_, id): Account => {
    return { ...emptyAccount(shape.slots), owner: 1n + BigInt(id), cash: random(2 ** 40) };
  });
  const custody = accounts.reduce((sum, { cash }) => sum + cash, 0);
  let fees = 0;
  for (let count = 0; count < TRADES; count++) {
    const [buyer, seller] = [accounts[random(ACCOUNTS)]!, accounts[random(ACCOUNTS)]!];
    const [slot, lots] = [random(shape.slots), 1 + random(2 ** random(17))];
    const worth = lots * shape.unit * random(2 ** 12);
    const fee = random(1 + Math.floor(worth / 8));
    buyer.positions[slot]! += lots;
    seller.positions[slot]! -= lots;
    buyer.cash -= worth + fee;
    seller.cash += worth;
    fees += fee;
  }
  return { accounts, series, fees, custody };
}

function ledgerOf({ accounts, series, fees }: Omit<Book, "custody">): LedgerView {
  const emptyLeaf = accountLeaf(emptyAccount(shape.slots));
  const tree = createMerkleTree({ levels: shape.accountLevels, emptyLeaf });
  tree.setMany(accounts.map((account, id) => [id, accountLeaf(account)] as const));
  const restored = ledgerRoot({ accounts: tree.root(), series: seriesRoot(series), fees });
  const privateRoot = 77n;
  return {
    accounts: tree,
    number: () => 1,
    root: () => poseidon([restored, privateRoot]),
    privateRoot: () => privateRoot,
    account: (id) => accounts[id]!,
    accountIds: () => [...accounts.keys()],
    series: () => series,
    fees: () => fees,
  };
}

/** The account's equity by the rule of every margin test: its value where nothing changes. */
function engineEquity(account: Account, series: readonly Series[]): bigint {
  // Settled series keep their mark, whatever a snapshot says of their place.
  const slots = series.map(({ status, mark }) => ({
    mark: status === "settled" ? MARK_MAX - mark : mark,
    isFinal: false,
    changes: NO_CHANGES,
  }));
  const values = maintenanceValues(account, effectiveRisk(series, { slots }));
  return BigInt(account.cash) + BigInt(shape.unit) * BigInt(values[SCENARIOS]!);
}

const circuit = await loadCircuit("exit");

test("B3: 10,000 accounts of random books claim what the engine says, to the unit", (context) => {
  const random = createRandom(20_261_121n);
  const every = Math.floor((BOOKS * ACCOUNTS) / WITNESSES);
  let [compared, proven, under] = [0, 0, 0];
  for (let book = 0; book < BOOKS; book++) {
    const { accounts, series, fees, custody } = randomBook(random);
    const ledger = ledgerOf({ accounts, series, fees });
    let [sum, owed, missing] = [0n, 0n, 0n];
    for (const [id, account] of accounts.entries()) {
      const equity = engineEquity(account, series);
      const { claim, inputs } = exitClaim(ledger, id, shape.unit);
      assert.equal(claim, equity > 0n ? equity : 0n);
      sum += equity;
      owed += claim;
      missing += claim - equity;
      if (equity < 0n) under++;
      if (compared++ % every !== 0) continue;
      circuit.check(inputs);
      proven++;
    }
    // The book is closed: claims exceed custody by exactly what others owe, which is the haircut.
    assert.equal(sum + BigInt(fees), BigInt(custody));
    assert.equal(owed - missing, BigInt(custody - fees));
  }
  assert.deepEqual([compared, proven], [BOOKS * ACCOUNTS, WITNESSES]);
  assert.ok(under > ACCOUNTS && under < compared - ACCOUNTS, `${under} below zero`);
  context.diagnostic(
    `B3: ${compared} claims equal the engine's equity, ${under} of them 0, ${proven} by witness`,
  );
});

test("B3: claims at the limits of cash, positions and marks are the engine's too", () => {
  const edges = [1 - POSITION_OFFSET, -1, 0, 1, POSITION_OFFSET - 1];
  const cashes = [1 - CASH_OFFSET, -1, 0, 1, CASH_OFFSET - 1];
  const accounts = edges.flatMap((lots) =>
    cashes.map((cash, index): Account => {
      const positions = new Array<number>(shape.slots).fill(lots).fill(-lots, 0, index);
      return { owner: 1n, cash, positions };
    }),
  );
  for (const mark of [0, 1, MARK_MAX]) {
    const series = Array.from({ length: shape.slots }, () => ({ ...emptySeries(), mark }));
    const ledger = ledgerOf({ accounts, series, fees: 0 });
    for (const [id, account] of accounts.entries()) {
      const equity = engineEquity(account, series);
      const { claim, inputs } = exitClaim(ledger, id, shape.unit);
      assert.equal(claim, equity > 0n ? equity : 0n);
      circuit.check(inputs);
    }
  }
});
