// Cheating with whole ledger batches: for each line of what Ledger proves.
import { test } from "node:test";
import { pack, unpack } from "../../sequencer/protocol/codec.ts";
import { HEADER, LEDGER_OP } from "../../sequencer/protocol/layout.ts";
import {
  assertRefused,
  changed,
  loadCircuit,
  plus,
  set,
  withPublicInputs,
} from "../support/circuit.ts";
import { payingBatch, registeringBatches, settlingBatch } from "../support/ledgerBatches.ts";
import { EXPIRY, ownerOf } from "../support/market.ts";
import { assertOfListed, OTHER_WORDS } from "../support/restated.ts";

const circuit = await loadCircuit("ledger");
const { batch, market } = payingBatch();
const honest = withPublicInputs(batch);
type Inputs = typeof honest;

function told(at: number, change: (word: bigint) => bigint): Inputs {
  return withPublicInputs(
    batch,
    batch.words.map((word, index) => (index === at ? change(word) : word)),
  );
}

test("Ledger proves 1: the public words are those that the public inputs commit to", () => {
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
  const operations = HEADER.length + 2;
  assertRefused(
    circuit,
    told(operations + 1, () => 0n),
    "PublicData",
  );
  assertRefused(
    circuit,
    told(operations + 4, () => 0n),
    "PublicData",
  );
});

test("Ledger proves 2: rootBefore is the root of the state that was opened", () => {
  const [accounts, sessions] = ["Ledger: accounts.leafAfter", "Ledger: sessions.leafAfter"];
  for (const [path, where] of [
    [["owner", 0], accounts],
    [["cash", 0], accounts],
    [["positions", 1, 1], accounts],
    [["accountSiblings", 1, 2, 0], accounts],
    [["accountTop", 0], accounts],
    [["accountTop", 1], "Ledger: accounts.rootBefore"],
    [["sessionSiblings", 1, 0, 2], sessions],
    [["sessionTop", 2], "Ledger: sessions.rootBefore"],
    [["keyHashes", 2, 3], sessions],
    [["watermark", 3], sessions],
    [["lockedSince", 2], sessions],
    [["accountsRootBefore"], "Ledger: accounts.rootBefore"],
    [["sessionsRootBefore"], "Ledger: sessions.rootBefore"],
  ] as const) {
    assertRefused(circuit, changed(honest, path, plus(1n)), where);
  }
  const moved = changed(honest, ["positions", 1, 2], plus(-1n << 36n));
  assertRefused(circuit, changed(moved as Inputs, ["positions", 1, 3], plus(1n)), "InRange");
  const opens = "LedgerOperation: op.isOpenBook * (key.rootBefore - before.booksRoot)";
  assertRefused(circuit, changed(honest, ["booksRootBefore"], plus(1n)), opens);
  assertRefused(circuit, changed(honest, ["bookSiblings", 5, 0, 0], plus(1n)), opens);
  const others = ["nextSeqBefore", "carryBefore", "feesBefore", "rankingBefore"];
  for (const path of [["seriesWords", 4], ...others.map((name) => [name])]) {
    assertRefused(circuit, changed(honest, path, plus(1n)), "PublicData");
  }
});

test("Ledger proves 2: rootAfter is the root of what the operations made", () => {
  assertRefused(
    circuit,
    told(HEADER.indexOf("rootAfter"), (word) => word + 1n),
    "PublicData",
  );
});

test("Ledger proves 3: a quorum signed the snapshot, and it is fresh", () => {
  const same = changed(honest, ["oracleSigner"], set(["2", "2"]));
  assertRefused(circuit, same, "OracleQuorum");
  assertRefused(circuit, changed(honest, ["oracleS", 0], plus(1n)), "OracleQuorum");
  for (const [at, off] of OTHER_WORDS) {
    assertRefused(circuit, changed(honest, ["riskWords", at], plus(off)), "OracleQuorum");
  }
  const time = BigInt(batch.inputs.time as string);
  const stale = changed(honest, ["time"], set(time - 500n + 2n ** 17n));
  assertRefused(circuit, stale, "OracleQuorum");
});

test("Ledger proves 3: the snapshot is of the series that are listed", () => {
  assertOfListed(circuit, batch, market);
});

test("Ledger proves 4: the effective marks are public", () => {
  for (const at of [0, 1]) {
    assertRefused(
      circuit,
      told(HEADER.length + at, (word) => word + 1n),
      "PublicData",
    );
  }
});

test("Ledger proves 5: each account and session is opened at most once", () => {
  const twice = changed(honest, ["accountIds"], set(["1", "1", "2", "4"]));
  assertRefused(circuit, twice, "StrictlyIncreasing");
});

test("Ledger proves 6: each signer signed the last head of its chain", () => {
  assertRefused(circuit, changed(honest, ["signerS", 1], plus(1n)), "Signer");
  assertRefused(circuit, changed(honest, ["signerHead", 1], plus(1n)), "Signer");
  const twice = changed(honest, ["signerAccount"], set(["1", "1"]));
  assertRefused(circuit, twice, "SignersOrdered");
});

test("Ledger proves 6: a key that this batch replaces or revokes signs nothing in it", () => {
  // Operation 4 registers key 0 of account 1, which has signed in operation 0.
  const fields = unpack(LEDGER_OP, BigInt((batch.inputs.operationWords as string[][])[4]![0]!));
  const word = pack(LEDGER_OP, { ...fields, account: 1, keyIndex: 0 });
  const edits = [
    [["operationWords", 4, 0], word],
    [["operationWords", 4, 1], ownerOf(1)],
    [["oldKey", 4], batch.inputs.signerKey![0]!],
    [["oldHead", 4], batch.inputs.signerHead![0]!],
    [["oldMeta", 4], batch.inputs.signerMeta![0]!],
  ] as const;
  const replaced = edits.reduce(
    (inputs, [path, value]) => changed(inputs, path, set(value)) as Inputs,
    honest,
  );
  assertRefused(circuit, replaced, "KeptKey");
});

/** A batch in which the key that operation 0 registers signs operation 1. */
function signedByNewKey(): Inputs {
  const { registers, signs } = registeringBatches();
  const first = registers.inputs as Record<string, string[]>;
  const second = signs.inputs as Record<string, string[]>;
  const start = HEADER.length + 2;
  const words = [...registers.words];
  for (const name of ["rootAfter", "privateRoot"] as const) {
    words[HEADER.indexOf(name)] = signs.words[HEADER.indexOf(name)]!;
  }
  words.splice(start + 4, 4, ...signs.words.slice(start, start + 4));
  // The second of the operations, and the paths of accounts behind the one that changes.
  const moved = (name: string) => first[name]!.with(1, second[name]![0]!);
  const behind = (name: string) => first[name]!.with(3, second[name]![3]!);
  const signers = Object.entries(second).filter(([name]) => /^signer/.test(name));
  const inputs = {
    ...first,
    ...Object.fromEntries(signers),
    operationWords: moved("operationWords"),
    operationSigner: moved("operationSigner"),
    deadline: moved("deadline"),
    accountSiblings: behind("accountSiblings"),
    sessionSiblings: behind("sessionSiblings"),
  };
  return withPublicInputs({ inputs, words });
}

test("Ledger proves 6: a key that this batch registers signs nothing in it", () => {
  assertRefused(circuit, signedByNewKey(), "KeptKey");
});

test("Ledger proves 7: every operation follows the rules (see operation.test.ts)", () => {
  const settling = withPublicInputs(settlingBatch().batch);
  const early = changed(settling, ["time"], set(BigInt(EXPIRY) * 1000n - 1n));
  assertRefused(circuit, early, "LedgerOperation");
});
