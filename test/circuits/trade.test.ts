// Cheating with whole trade batches: for each line of what Trade proves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sign } from "../../sequencer/protocol/eddsa.ts";
import { HEADER } from "../../sequencer/protocol/layout.ts";
import { snapshotHash } from "../../sequencer/protocol/snapshot.ts";
import {
  carryWord,
  privateRoot,
  type Roots,
  rankingWord,
  type Session,
  seriesRoot,
  sessionLeaf,
  stateRoot,
} from "../../sequencer/protocol/state.ts";
import {
  carryingBatches,
  expiringBatch,
  fillingBatch,
  liquidatingBatch,
} from "../support/batches.ts";
import {
  assertRefused,
  changed,
  loadCircuit,
  plus,
  set,
  withPublicInputs,
} from "../support/circuit.ts";
import { EXPIRY, keySecret, secretOf, TEST_DOMAIN } from "../support/market.ts";
import { assertOfListed, OTHER_WORDS } from "../support/restated.ts";

const circuit = await loadCircuit("trade");
const { batch, market } = fillingBatch();
const honest = withPublicInputs(batch);
const carrying = carryingBatches();
const liquidating = liquidatingBatch();
const liquidates = withPublicInputs(liquidating.batch);
type Inputs = typeof honest;

/** The batch with one public word changed, and public inputs that fit it. */
function told(at: number, change: (word: bigint) => bigint, of = batch): Inputs {
  return withPublicInputs(
    of,
    of.words.map((word, index) => (index === at ? change(word) : word)),
  );
}

/** The batch as if it had left other roots, told as its header tells roots. */
function leaving({ market, batch: of }: typeof liquidating, change: Partial<Roots>): Inputs {
  const roots = { ...market.trees.roots(market.state), ...change };
  const words = of.words
    .with(HEADER.indexOf("rootAfter"), stateRoot(roots))
    .with(HEADER.indexOf("privateRoot"), privateRoot(roots));
  return withPublicInputs(of, words);
}

/** The root of the sessions with another one of an account. */
function sessionsWith({ market }: typeof liquidating, id: number, change: Partial<Session>) {
  const { sessions } = market.trees;
  const leaf = sessions.leaf(id);
  sessions.set(id, sessionLeaf({ ...market.state.session(id), ...change }));
  const root = sessions.root();
  sessions.set(id, leaf);
  return root;
}

const array = (name: string) => batch.inputs[name] as string[];

test("Trade proves 1: the public words are those that the public inputs commit to", () => {
  for (const name of ["commitment", "gamma", "evaluation"]) {
    assertRefused(circuit, changed(honest, [name], plus(1n)), "PublicData");
  }
  for (const [at, name] of HEADER.entries()) {
    if (name === "rootAfter") continue;
    assertRefused(
      circuit,
      told(at, (word) => word + 1n),
      "PublicData",
    );
  }
});

test("Trade proves 2: rootBefore is the root of the state that was opened", () => {
  const [accounts, sessions] = ["Trade: accounts.leafAfter", "Trade: sessions.leafAfter"];
  const books = "Trade: bookTree.leafAfter";
  for (const [path, where] of [
    [["owner", 1], accounts],
    [["cash", 1], accounts],
    [["positions", 1, 0], accounts],
    [["accountSiblings", 1, 2, 0], accounts],
    [["accountTop", 0], accounts],
    [["accountTop", 1], "Trade: accounts.rootBefore"],
    [["sessionSiblings", 1, 0, 2], sessions],
    [["sessionTop", 0], sessions],
    [["sessionTop", 3], "Trade: sessions.rootBefore"],
    [["keyHashes", 2, 3], sessions],
    [["watermark", 3], sessions],
    [["lockedSince", 2], sessions],
    [["bookFees", 1], books],
    [["bids", 1, 0], books],
    [["bookSiblings", 0, 1, 1], books],
    [["bookTop", 0], books],
    [["bookTop", 2], "Trade: bookTree.rootBefore"],
    [["accountsRootBefore"], "Trade: accounts.rootBefore"],
    [["sessionsRootBefore"], "Trade: sessions.rootBefore"],
    [["booksRootBefore"], "Trade: bookTree.rootBefore"],
    [["bookGeneration", 1], books],
  ] as const) {
    // All ones is not more than it was in a side.
    const change = path[0] === "bids" ? plus(-1n) : plus(1n);
    assertRefused(circuit, changed(honest, path, change), where);
  }
  assertRefused(circuit, changed(honest, ["bookExists", 1], set("0")), books);
  // Positions with the same words as those of the leaf: of who trades, and of who does not.
  for (const [account, times] of [
    [0, 1n],
    [0, -1n],
    [1, 1n],
    [2, 1n],
    [3, 1n],
  ] as const) {
    const moved = changed(honest, ["positions", account, 2], plus(times << 36n)) as Inputs;
    assertRefused(circuit, changed(moved, ["positions", account, 3], plus(-times)), "InRange");
  }
  assertRefused(circuit, changed(honest, ["seriesWords", 4], plus(1n)), "PublicData");
  // A listing more of one slot, and one less of the other in its word.
  const listing = (1n << 40n) - (1n << 159n);
  assertRefused(circuit, changed(honest, ["seriesWords", 1], plus(listing)), "PublicData");
  assertRefused(circuit, changed(honest, ["feesBefore"], plus(-1000n)), "PublicData");
  assertRefused(circuit, changed(honest, ["rankingBefore"], plus(1n)), "PublicData");
});

test("Trade proves 2: rootAfter is the root of what the steps made of it", () => {
  assertRefused(
    circuit,
    told(HEADER.indexOf("rootAfter"), (word) => word + 1n),
    "PublicData",
  );
});

/** The second of the two oracles' signatures made by someone else. */
function signedBy(name: string): Inputs {
  const { slots } = market.snapshot();
  const time = Number(batch.inputs.snapshotTime);
  const { r8x, r8y, s } = sign(secretOf(name), snapshotHash(TEST_DOMAIN, { time, slots }));
  const r8 = changed(honest, ["oracleR8", 1], set([r8x, r8y])) as Inputs;
  return changed(r8, ["oracleS", 1], set(s)) as Inputs;
}

test("Trade proves 3: a quorum of the oracle set signed the snapshot", () => {
  assertRefused(circuit, signedBy("stranger"), "OracleQuorum");
  circuit.witness(signedBy("oracle 2"));
  const sameKey = changed(signedBy("oracle 1"), ["oracleSigner"], set(["1", "1"]));
  assertRefused(circuit, sameKey, "OracleQuorum");
  const descending = changed(honest, ["oracleSigner"], set(["2", "1"]));
  assertRefused(circuit, descending, "OracleQuorum");
  for (const [at, off] of OTHER_WORDS) {
    assertRefused(circuit, changed(honest, ["riskWords", at], plus(off)), "OracleQuorum");
  }
  assertRefused(circuit, changed(honest, ["oracleSigner"], set(["0", "2"])), "OracleQuorum");
  const replaced = changed(honest, ["oracleKeys", 0, 0], plus(1n));
  assertRefused(circuit, replaced, "PublicData");
});

test("Trade proves 3: the snapshot is of the series that are listed", () => {
  assertOfListed(circuit, batch, market);
});

test("Trade proves 3: the snapshot is fresh", () => {
  const time = BigInt(batch.inputs.time as string);
  const stale = changed(honest, ["time"], set(time - 500n + 2n ** 17n));
  assertRefused(circuit, stale, "OracleQuorum");
  assertRefused(circuit, changed(honest, ["time"], set(time - 501n)), "OracleQuorum");
  assertRefused(circuit, changed(honest, ["snapshotTime"], plus(1n)), "OracleQuorum");
});

test("Trade proves 4: the effective marks are public", () => {
  assertRefused(
    circuit,
    told(HEADER.length, (word) => word + 1n),
    "PublicData",
  );
  assertRefused(
    circuit,
    told(HEADER.length + 1, (word) => word + 1n),
    "PublicData",
  );
});

test("Trade proves 5: each account, session and book is opened at most once, in order", () => {
  const twice = ["0", "1", "1", "4"];
  assertRefused(circuit, changed(honest, ["accountIds"], set(twice)), "StrictlyIncreasing");
  const unsorted = ["1", "0", "2", "4"];
  assertRefused(circuit, changed(honest, ["accountIds"], set(unsorted)), "StrictlyIncreasing");
  const books = changed(honest, ["bookIds"], set(["0", "0"]));
  assertRefused(circuit, books, "StrictlyIncreasing");
  const outside = ["0", "1", "2", "256"];
  assertRefused(circuit, changed(honest, ["accountIds"], set(outside)), "SelectById");
});

test("Trade proves 6: each signer signed the last head of its chain", () => {
  const s = array("signerS");
  assertRefused(circuit, changed(honest, ["signerS", 0], plus(1n)), "Signer");
  assertRefused(circuit, changed(honest, ["signerS"], set([s[1]!, s[0]!, "0", "0"])), "Signer");
  const head = 12345n; // any other than the last
  const { r8x, r8y, s: other } = sign(keySecret(1), head);
  const r8 = changed(honest, ["signerR8", 0], set([r8x, r8y])) as Inputs;
  assertRefused(circuit, changed(r8, ["signerS", 0], set(other)), "Signer");
  assertRefused(circuit, changed(honest, ["signerHead", 0], plus(1n)), "Signer");
  assertRefused(circuit, changed(honest, ["signerKeyIndex", 0], set("1")), "Signer");
  assertRefused(circuit, changed(honest, ["signerKey", 0, 0], plus(1n)), "Signer");
});

test("Trade proves 6: signers are ordered, so that no chain is split in two", () => {
  const split = changed(honest, ["signerAccount"], set(["1", "1", "0", "0"])) as Inputs;
  assertRefused(circuit, split, "SignersOrdered");
  const unsorted = changed(honest, ["signerAccount"], set(["4", "1", "0", "0"]));
  assertRefused(circuit, unsorted, "SignersOrdered");
  const gap = changed(honest, ["signerEnabled"], set(["1", "0", "1", "0"]));
  assertRefused(circuit, gap, "SignersOrdered");
});

test("Trade proves 6: with a key that has not expired", () => {
  const last = expiringBatch().batch;
  const late = changed(withPublicInputs(last), ["time"], set(BigInt(EXPIRY) * 1000n));
  assertRefused(circuit, late, "Signer");
});

test("Trade proves 7: an order that is not done is in carryAfter, and goes on as it was", () => {
  const { first, batch: second } = carrying;
  const at = HEADER.indexOf("privateRoot");
  const words = first.words.map((word, index) => (index === at ? word + 1n : word));
  assertRefused(circuit, withPublicInputs(first, words), "PublicData");
  const carries = withPublicInputs(second);
  assertRefused(
    circuit,
    changed(carries, ["carryBefore"], plus(1n << 57n)),
    "Trade: bookTree.leafAfter",
  );
  const dropped = changed(carries, ["carryBefore"], set(carryWord(undefined)));
  assertRefused(circuit, dropped, "TradeStep: step.isProceed");
  const stranger = changed(carries, ["carryBefore"], plus(-1n));
  assertRefused(circuit, stranger, "SelectById");
});

test("Trade proves 8: holders counts the accounts with a position in each slot", () => {
  // Told one more than there are, in the state before or after: another series root.
  const holder = 1n << 20n;
  assertRefused(circuit, changed(honest, ["seriesWords", 0], plus(holder)), "PublicData");
  const series = market.state
    .series()
    .map((slot, at) => (at === 0 ? { ...slot, holders: slot.holders + 1 } : slot));
  const filling = { ...liquidating, market, batch };
  circuit.witness(leaving(filling, {}));
  assertRefused(circuit, leaving(filling, { series: seriesRoot(series) }), "PublicData");
});

test("Trade proves 9: no fill-or-kill order is carried over the batch's end", () => {
  // Its first step is put last, so that nothing is left for its second.
  const steps = array("word").length;
  const word = array("word")[4]!;
  const moved = (name: string, value: string) =>
    array(name).map((flag, at) => (at === steps - 1 ? value : at >= 4 ? "0" : flag));
  const edits = {
    isPlace: moved("isPlace", "1"),
    isProceed: moved("isProceed", "0"),
    word: moved("word", word),
    stepSigner: moved("stepSigner", array("stepSigner")[4]!),
    fills: moved("fills", "1"),
    filledLots: moved("filledLots", array("filledLots")[4]!),
  };
  const cut = { ...honest, ...edits };
  assertRefused(circuit, cut, "Trade: step[N - 1].carriedAfter.isFok === 0");
});

test("Trade proves 10: what fills pay in fees is in the fees of the state after", () => {
  const { fees } = liquidating.market.trees.roots(liquidating.market.state);
  const before = Number(liquidating.batch.inputs.feesBefore);
  // Two fills of two lots each: 3 ticks of the taker's less 1 of the maker's.
  assert.equal(fees - before, 4 * (3 - 1) * liquidating.market.sizes.trade.unit);
  circuit.witness(leaving(liquidating, {}));
  for (const other of [before, fees - 1000, fees + 1000, 0]) {
    assertRefused(circuit, leaving(liquidating, { fees: other }), "PublicData");
  }
});

test("Trade proves 10: fees stay below 2^50", () => {
  const full = changed(honest, ["feesBefore"], set(2n ** 50n - 1n));
  assertRefused(circuit, full, "InRange");
  const room = changed(honest, ["feesBefore"], set(2n ** 49n));
  assertRefused(circuit, room, "PublicData");
  assertRefused(circuit, changed(honest, ["feesBefore"], set(-(2n ** 40n))), "InRange");
});

test("Trade proves 11: who is liquidated is locked since the batch's second", () => {
  const { state } = liquidating.market;
  const seconds = state.session(3).lockedSince;
  assert.equal(seconds, EXPIRY - 1);
  const sessions = (id: number, change: Partial<Session>) =>
    leaving(liquidating, { sessions: sessionsWith(liquidating, id, change) });
  circuit.witness(sessions(3, {}));
  for (const lockedSince of [0, 1, seconds + 1]) {
    assertRefused(circuit, sessions(3, { lockedSince }), "PublicData");
  }
  // Its orders are void; nobody else is locked.
  assertRefused(circuit, sessions(3, { watermark: 0 }), "PublicData");
  assertRefused(circuit, sessions(4, { lockedSince: seconds }), "PublicData");
});

test("Trade proves 11: a lock lasts as it was, whatever is told of it", () => {
  const { lockedSince, market: held } = liquidating;
  assert.equal(held.state.session(5).lockedSince, lockedSince);
  const renewed = { sessions: sessionsWith(liquidating, 5, { lockedSince: EXPIRY - 1 }) };
  assertRefused(circuit, leaving(liquidating, renewed), "PublicData");
  for (const since of ["0", String(lockedSince + 1)]) {
    const cheat = changed(liquidates, ["lockedSince", 3], set(since));
    assertRefused(circuit, cheat, "Trade: sessions.leafAfter");
  }
  // The same word, read as a later watermark without a lock.
  const word = BigInt(lockedSince) << 40n;
  const merged = changed(liquidates, ["watermark", 3], plus(word)) as Inputs;
  assertRefused(circuit, changed(merged, ["lockedSince", 3], set("0")), "SessionOpened");
});

test("Trade proves 12: no ranking is under way afterwards", () => {
  const { rankingBefore } = liquidating.batch.inputs;
  assert.notEqual(BigInt(rankingBefore as string), rankingWord(undefined));
  const kept = leaving(liquidating, { ranking: BigInt(rankingBefore as string) });
  assertRefused(circuit, kept, "PublicData");
  assertRefused(circuit, changed(liquidates, ["rankingBefore"], set("0")), "PublicData");
});
