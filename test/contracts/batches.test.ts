// Invariant I7: the root moves only by a proof for its own kind, from the root before. Every
// header field is checked with an error that says what was there and what belongs there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { getAddress, parseEventLogs, zeroAddress } from "viem";
import { pack } from "../../sequencer/protocol/codec.ts";
import { FIELD_MODULUS } from "../../sequencer/protocol/constants.ts";
import { FILL, type HeaderField } from "../../sequencer/protocol/layout.ts";
import {
  acceptOnly,
  alice,
  deployRollup,
  deposit,
  eve,
  GENESIS,
  insurance,
  ledgerBatch,
  NO_PROOF,
  networkHelpers,
  nextBlockAt,
  ORACLE_SET,
  operator,
  publicClient,
  publicSignals,
  refused,
  SIZES,
  submit,
  tradeBatch,
  treasury,
  viem,
} from "./rollupChain.ts";

const DAY = 86_400;
const world = () => networkHelpers.loadFixture(deployDefault);

async function deployDefault() {
  return deployRollup();
}

const fill = pack(FILL, {
  kind: 1,
  taker: 3,
  maker: 4,
  book: 2,
  takerIsSell: 1,
  price: 2 ** 23 + 55,
  lots: 100,
});

test("a proven batch moves root, number and time, and says so", async () => {
  const it = await world();
  const words = await tradeBatch(it, [fill]);
  const { hash, signals } = publicSignals(words, 9n);
  await acceptOnly(it, signals);
  const receipt = await publicClient.getTransactionReceipt({ hash: await submit(it, words) });
  const [event] = parseEventLogs({ abi: it.rollup.abi, logs: receipt.logs });
  assert.equal(event?.eventName, "BatchAnchored");
  assert.deepEqual(event.args, {
    number: 1n,
    kind: 1n,
    stateRoot: GENESIS + 1n,
    commitment: 9n,
    wordsHash: hash,
  });
  assert.equal(await it.rollup.read.stateRoot(), GENESIS + 1n);
  assert.equal(await it.rollup.read.batchCount(), 1n);
  assert.equal(await it.rollup.read.lastBatchTime(), words[2]);
});

test("the verifier gets the public signals that TypeScript computes", async () => {
  const it = await world();
  for (const make of [tradeBatch, ledgerBatch]) {
    const words = await make(it, []);
    const { signals } = publicSignals(words, FIELD_MODULUS - 1n);
    // One bit elsewhere in the data, and the same proof is worth nothing.
    for (const index of [4, 8, 9, words.length - 1]) {
      const changed = words.with(index, words[index]! ^ 1n);
      const other = publicSignals(changed, FIELD_MODULUS - 1n).signals;
      await acceptOnly(it, signals);
      await refused(it, submit(it, changed, FIELD_MODULUS - 1n), "BatchProofInvalid", other);
    }
    await submit(it, words, FIELD_MODULUS - 1n);
  }
});

test("a proof that does not hold is refused", async () => {
  const it = await world();
  await it.verifier.write.setRefuses([true]);
  const words = await tradeBatch(it);
  await refused(it, submit(it, words), "BatchProofInvalid", publicSignals(words, 9n).signals);
});

test("each kind has its own verifier", async () => {
  const it = await world();
  const other = await deployRollup({ ledgerVerifier: it.verifier.address });
  await it.verifier.write.setRefuses([true]);
  await submit(other, await tradeBatch(other));
  const words = await ledgerBatch(other);
  const { signals } = publicSignals(words, 9n);
  await refused(other, submit(other, words), "BatchProofInvalid", signals);
});

test("a header field that does not fit is refused with both values", async () => {
  const it = await world();
  const domain = await it.rollup.read.domain();
  const table: readonly [HeaderField, bigint, string, readonly bigint[]][] = [
    ["kind", 0n, "BatchKindUnknown", [0n]],
    ["kind", 3n, "BatchKindUnknown", [3n]],
    ["number", 0n, "BatchNumberUnequal", [0n, 1n]],
    ["number", 2n, "BatchNumberUnequal", [2n, 1n]],
    ["rootBefore", 6n, "BatchRootUnequal", [6n, GENESIS]],
    ["domain", domain + 1n, "BatchDomainUnequal", [domain + 1n, domain]],
    ["oracleSet", 78n, "BatchOracleSetUnequal", [78n, ORACLE_SET]],
    ["time", 0n, "BatchTimeNotAfter", [0n, 0n]],
  ];
  for (const [field, value, error, args] of table) {
    const words = await tradeBatch(it, [], { [field]: value, snapshotTime: 0n });
    await refused(it, submit(it, words), error, args);
  }
});

test("time rises, and runs ahead of the chain by 15 minutes at most", async () => {
  const it = await world();
  await submit(it, await tradeBatch(it));
  const last = await it.rollup.read.lastBatchTime();
  for (const time of [last - 1n, last]) {
    const words = await tradeBatch(it, [], { time, snapshotTime: 0n });
    await refused(it, submit(it, words), "BatchTimeNotAfter", [time, last]);
  }
  const now = BigInt(await networkHelpers.time.latest()) + 100n;
  const latest = (now + 900n) * 1000n;
  const early = await tradeBatch(it, [], { time: latest + 1n });
  await nextBlockAt(now);
  await refused(it, submit(it, early), "BatchTimeInFuture", [latest + 1n, latest]);
  const onTime = latest + 1000n;
  const words = await tradeBatch(it, [], { time: onTime, snapshotTime: onTime });
  await nextBlockAt(now + 1n);
  await submit(it, words);
});

test("B8: the operator anchors marks of a pause and a day ago, none older", async () => {
  const it = await world();
  const now = BigInt(await networkHelpers.time.latest()) + 100n;
  const pause = await it.rollup.read.pauseDuration();
  assert.equal(pause, 3n * BigInt(DAY));
  const earliest = (now - pause - BigInt(DAY)) * 1000n;
  const stale = await tradeBatch(it, [], { time: earliest - 1n, snapshotTime: 1n });
  await nextBlockAt(now);
  await refused(it, submit(it, stale), "BatchTimeTooOld", [earliest - 1n, earliest]);
  const last = await tradeBatch(it, [], { time: earliest + 1000n, snapshotTime: 1n });
  await nextBlockAt(now + 1n);
  await submit(it, last);
});

test("a snapshot is not younger than its batch", async () => {
  const it = await world();
  const time = BigInt(await networkHelpers.time.latest()) * 1000n;
  const words = await tradeBatch(it, [], { time, snapshotTime: time + 1n });
  await refused(it, submit(it, words), "BatchSnapshotInFuture", [time + 1n, time]);
});

test("a batch has exactly the words of its kind's circuit", async () => {
  const it = await world();
  const trade = await tradeBatch(it);
  const ledger = await ledgerBatch(it);
  const tradeWords = BigInt(9 + 2 + SIZES.tradeFills);
  const ledgerWords = BigInt(9 + 2 + 4 * SIZES.ledgerSteps);
  assert.deepEqual([BigInt(trade.length), BigInt(ledger.length)], [tradeWords, ledgerWords]);
  const table: readonly [readonly bigint[], readonly bigint[]][] = [
    [[], [0n, 9n]],
    [trade.slice(0, 8), [8n, 9n]],
    [trade.slice(0, -1), [tradeWords - 1n, tradeWords]],
    [
      [...trade, 0n],
      [tradeWords + 1n, tradeWords],
    ],
    [ledger.slice(0, -1), [ledgerWords - 1n, ledgerWords]],
    [
      [...ledger, 0n],
      [ledgerWords + 1n, ledgerWords],
    ],
    [ledger.with(0, 1n), [ledgerWords, tradeWords]],
  ];
  for (const [words, args] of table) {
    await refused(it, submit(it, words), "PublicDataLengthUnequal", args);
  }
});

test("a word or commitment that is not a field element is refused", async () => {
  const it = await world();
  const words = await tradeBatch(it);
  // A word that is larger by the modulus evaluates alike: only this check tells them apart.
  for (const [index, word] of words.entries()) {
    if (index < 8 && index !== 4) continue;
    const aliased = word + FIELD_MODULUS;
    const call = submit(it, words.with(index, aliased));
    await refused(it, call, "WordNotInField", [BigInt(index), aliased]);
  }
  const commitment = FIELD_MODULUS;
  await refused(it, submit(it, words, commitment), "CommitmentNotInField", [commitment]);
});

const asEve = (it: Awaited<ReturnType<typeof world>>, words: readonly bigint[]) =>
  it.rollup.write.submitBatch([words, 9n, NO_PROOF, "0x"], { account: eve.account });
const NOT_EVE = [getAddress(eve.account.address), getAddress(operator.account.address)];

test("only the operator submits, until a day of silence before who waits", async () => {
  const it = await world();
  await networkHelpers.time.increase(2 * DAY);
  await submit(it, await tradeBatch(it));
  await deposit(it, alice, 5n);
  const openAt = BigInt((await networkHelpers.time.latest()) + DAY);
  const words = await tradeBatch(it);
  await nextBlockAt(openAt - 1n);
  await refused(it, asEve(it, words), "SubmitterNotOperator", [...NOT_EVE, openAt]);
  const time = openAt * 1000n;
  await nextBlockAt(openAt);
  await asEve(it, await tradeBatch(it, [], { time, snapshotTime: time }));
  // The batch broke the silence, whoever sent it.
  const openNext = (await it.rollup.read.lastAnchoredAt()) + BigInt(DAY);
  await refused(it, asEve(it, await tradeBatch(it)), "SubmitterNotOperator", [
    ...NOT_EVE,
    openNext,
  ]);
});

test("A4: while nobody waits, silence opens no door to others", async () => {
  const it = await world();
  await networkHelpers.time.increase(30 * DAY);
  const never = 2n ** 256n - 1n;
  await refused(it, asEve(it, await tradeBatch(it)), "SubmitterNotOperator", [...NOT_EVE, never]);
  await submit(it, await tradeBatch(it));
});

test("B8: who is not the operator anchors the marks of the last hour only", async () => {
  const it = await world();
  await deposit(it, alice, 5n);
  const now = BigInt((await networkHelpers.time.latest()) + 2 * DAY);
  const earliest = (now - 3600n) * 1000n;
  const old = await tradeBatch(it, [], { time: earliest - 1n, snapshotTime: earliest - 1n });
  await nextBlockAt(now);
  await refused(it, asEve(it, old), "BatchTimeTooOld", [earliest - 1n, earliest]);
  const time = earliest + 1000n;
  await nextBlockAt(now + 1n);
  await asEve(it, await tradeBatch(it, [], { time, snapshotTime: time }));
});

test("a batch is accepted once", async () => {
  const it = await world();
  const words = await tradeBatch(it);
  await submit(it, words);
  await refused(it, submit(it, words), "BatchNumberUnequal", [1n, 2n]);
});

test("the domain binds chain and contract in 248 bits", async () => {
  const it = await world();
  const other = await deployRollup();
  const domain = await it.rollup.read.domain();
  assert.notEqual(domain, await other.rollup.read.domain());
  assert.ok(domain < 1n << 248n);
});

test("a rollup that could not work is not created", async () => {
  const it = await world();
  const five = await viem.deployContract("HostileToken", [5]);
  const sizes = SIZES;
  const [first, second] = [treasury, insurance].map(({ account }) => getAddress(account.address));
  const steps = 2n ** 32n - 1n;
  const table: readonly [Record<string, unknown>, string, readonly unknown[]][] = [
    [{ token: five.address }, "TokenDecimalsUnequal", [5n, 6n]],
    [{ operator: zeroAddress }, "OperatorZero", []],
    [{ treasury: zeroAddress }, "VenueOwnersInvalid", [zeroAddress, second]],
    [{ insurance: zeroAddress }, "VenueOwnersInvalid", [first, zeroAddress]],
    [{ insurance: first }, "VenueOwnersInvalid", [first, first]],
    [{ forcedDeadline: 0n }, "DurationOutOfRange", [0n, 1n, 2n ** 64n - 1n]],
    [{ claimWindow: 0n }, "DurationOutOfRange", [0n, 1n, 2n ** 64n - 1n]],
    [{ minimumDeposit: 0n }, "AmountOutOfRange", [0n, 1n, 2n ** 50n - 1n]],
    [{ sizes: { ...sizes, slots: 0 } }, "SizeOutOfRange", [0n, 1n, 64n]],
    [{ sizes: { ...sizes, slots: 65 } }, "SizeOutOfRange", [65n, 1n, 64n]],
    [{ sizes: { ...sizes, tradeFills: 0 } }, "SizeOutOfRange", [0n, 1n, steps]],
    [{ sizes: { ...sizes, ledgerSteps: 0 } }, "SizeOutOfRange", [0n, 1n, steps]],
    [{ sizes: { ...sizes, accountLevels: 0 } }, "SizeOutOfRange", [0n, 1n, 10n]],
    [{ sizes: { ...sizes, accountLevels: 11 } }, "SizeOutOfRange", [11n, 1n, 10n]],
  ];
  for (const [overrides, error, args] of table) {
    await refused(it, deployRollup(overrides), error, args);
  }
});
