// What an owner orders without the sequencer: cancel-all and close; and what a full queue costs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { getAddress, parseEther, parseEventLogs } from "viem";
import { LEDGER_KINDS } from "../../sequencer/protocol/constants.ts";
import {
  alice,
  bob,
  deployRollup,
  deposit,
  insurance,
  KEY,
  ledgerBatch,
  NO_KEY,
  networkHelpers,
  type Operation,
  publicClient,
  refused,
  SIZES,
  serve,
  submit,
  viem,
  type World,
} from "./rollupChain.ts";

const world = () => networkHelpers.loadFixture(deployFunded);

/** Alice has account 3, whose deposit has been served. */
async function deployFunded() {
  const it = await deployRollup();
  await deposit(it, alice, 500n);
  await serve(it, [{ kind: "deposit", account: 3, owner, amount: 500n }]);
  return it;
}

const owner = getAddress(alice.account.address);
const LOTS_MAX = 2n ** 22n - 1n;
const cancelled: Operation = { kind: "forcedCancelAll", account: 3, owner };
const closed = (slot: number, lots: number, rest: Partial<Operation> = {}): Operation => {
  return { kind: "forcedClose", account: 2, to: 3, owner, slot, lots, ...rest };
};

function asAlice({ rollup }: World, value = 0n) {
  const options = { account: alice.account, value };
  return {
    registerKey: () => rollup.write.registerKey([KEY], options),
    deposit: () => rollup.write.deposit([1n, NO_KEY], options),
    forceWithdraw: () => rollup.write.forceWithdraw([1n], options),
    forceCancelAll: () => rollup.write.forceCancelAll(options),
    forceClose: (slot: bigint, lots: bigint) => rollup.write.forceClose([slot, lots], options),
  };
}

async function queuedIn({ rollup }: World, hash: `0x${string}`) {
  const { logs } = await publicClient.getTransactionReceipt({ hash });
  const [event] = parseEventLogs({ abi: rollup.abi, eventName: "OperationQueued", logs });
  return event?.args;
}

test("B6: a cancel-all joins the queue and is served as executed only", async () => {
  const it = await world();
  const kind = BigInt(LEDGER_KINDS.forcedCancelAll);
  const rest = { amount: 0n, slot: 0n, lots: 0n, key: NO_KEY };
  const hash = await asAlice(it).forceCancelAll();
  assert.deepEqual(await queuedIn(it, hash), { queueId: 1n, account: 3n, owner, kind, ...rest });
  assert.equal(await it.rollup.read.openOperations([3n]), 1n);
  const wrong: readonly Operation[] = [
    { ...cancelled, executed: false },
    { ...cancelled, account: 4 },
    { ...cancelled, owner: bob.account.address },
    { ...cancelled, amount: 1n },
    { ...cancelled, slot: 1 },
    closed(0, 1),
  ];
  for (const operation of wrong) {
    const call = submit(it, await ledgerBatch(it, [operation]));
    await viem.assertions.revertWithCustomError(call, it.rollup, "OperationUnequal");
  }
  await serve(it, [cancelled]);
  assert.equal(await it.rollup.read.openOperations([3n]), 0n);
});

test("B6: a close is served with the slot and lots that were ordered, done or not", async () => {
  const it = await world();
  const hash = await asAlice(it).forceClose(5n, 40n);
  const kind = BigInt(LEDGER_KINDS.forcedClose);
  const rest = { amount: 0n, slot: 5n, lots: 40n, key: NO_KEY };
  assert.deepEqual(await queuedIn(it, hash), { queueId: 1n, account: 3n, owner, kind, ...rest });
  await asAlice(it).forceClose(6n, LOTS_MAX);
  const right = closed(5, 40);
  const wrong: readonly Operation[] = [
    { ...right, slot: 6 },
    { ...right, lots: 39 },
    { ...right, lots: 41 },
    { ...right, to: 4 },
    { ...right, account: 3 },
    { ...right, owner: bob.account.address },
    { ...right, key: { ...NO_KEY, x: 1n } },
    { ...right, key: { ...NO_KEY, expiry: 1 } },
    { ...right, kind: "insure" },
    cancelled,
  ];
  for (const operation of wrong) {
    const call = submit(it, await ledgerBatch(it, [operation, closed(6, Number(LOTS_MAX))]));
    await viem.assertions.revertWithCustomError(call, it.rollup, "OperationUnequal");
  }
  // Whether it came to a close, and what a lot cost, only the proof knows.
  const last = closed(6, Number(LOTS_MAX), { executed: false });
  await serve(it, [{ ...right, amount: 2n ** 50n - 1n }, last]);
  assert.equal(await it.rollup.read.queueStart(), 3n);
  assert.equal(await it.rollup.read.totalPendingWithdrawals(), 0n);
});

test("B5: what no proof could serve does not enter the queue", async () => {
  const it = await world();
  const { forceClose } = asAlice(it);
  const end = BigInt(SIZES.slots);
  await refused(it, forceClose(end, 1n), "SlotOutOfRange", [end, end]);
  await refused(it, forceClose(2n ** 255n, 1n), "SlotOutOfRange", [2n ** 255n, end]);
  await refused(it, forceClose(0n, 0n), "LotsOutOfRange", [0n, LOTS_MAX]);
  await refused(it, forceClose(0n, LOTS_MAX + 1n), "LotsOutOfRange", [LOTS_MAX + 1n, LOTS_MAX]);
  const stranger = { account: bob.account };
  const missing = [getAddress(bob.account.address)];
  await refused(it, it.rollup.write.forceCancelAll(stranger), "AccountMissing", missing);
  await refused(it, it.rollup.write.forceClose([0n, 1n], stranger), "AccountMissing", missing);
  const fund = { account: insurance.account };
  await refused(it, it.rollup.write.forceClose([0n, 1n], fund), "CloseByInsurance", []);
  // The ledger proves nothing for an account that it does not know yet.
  for (const call of [
    it.rollup.write.forceCancelAll(fund),
    it.rollup.write.forceWithdraw([1n], fund),
    it.rollup.write.registerKey([KEY], fund),
  ]) {
    await refused(it, call, "DepositMissing", [2n]);
  }
  await deposit(it, insurance, 1n);
  await it.rollup.write.forceCancelAll(fund);
});

test("B6: a close is served at marks that are no older than its order", async () => {
  const it = await world();
  await asAlice(it).forceClose(5n, 40n);
  const queuedAtMs = BigInt(await networkHelpers.time.latest()) * 1000n;
  await networkHelpers.time.increase(60);
  const stale = await ledgerBatch(it, [closed(5, 40)], { snapshotTime: queuedAtMs - 1n });
  const args = [1n, queuedAtMs - 1n, queuedAtMs];
  await refused(it, submit(it, stale), "CloseAtOlderMarks", args);
  await submit(it, await ledgerBatch(it, [closed(5, 40)], { snapshotTime: queuedAtMs }));
  // What marks do not price may be served at any.
  await asAlice(it).forceCancelAll();
  await submit(it, await ledgerBatch(it, [cancelled], { snapshotTime: queuedAtMs }));
});

test("a batch may not state what nobody ordered", async () => {
  const it = await world();
  for (const operation of [cancelled, closed(0, 1)]) {
    await refused(it, submit(it, await ledgerBatch(it, [operation])), "QueueEmpty", [1n]);
  }
});

test("B6: one account orders a close in every place, and leaves, within one deadline", async () => {
  const it = await world();
  const step = parseEther("0.0001");
  const [free, paying] = [asAlice(it), asAlice(it, step)];
  await free.forceCancelAll();
  for (let slot = 0; slot < 7; slot++) await free.forceClose(BigInt(slot), 1n);
  await refused(it, free.forceClose(7n, 1n), "PremiumTooLow", [0n, step]);
  for (let slot = 7; slot < SIZES.slots; slot++) await paying.forceClose(BigInt(slot), 1n);
  await paying.forceWithdraw();
  assert.equal(await it.rollup.read.openOperations([3n]), BigInt(SIZES.slots) + 2n);
  const oldest = await it.rollup.read.queuedOperation([1n]);
  const newest = await it.rollup.read.queuedOperation([(await it.rollup.read.queueEnd()) - 1n]);
  // All of them are owed within the deadline of the last, which no change of settings undercuts.
  assert.ok(newest.queuedAt - oldest.queuedAt < 3600);
  for (let i = 0; i < 6; i++) await paying.forceWithdraw();
  const limit = BigInt(SIZES.slots) + 8n;
  await refused(it, paying.forceCancelAll(), "OpenOperationsExceeded", [3n, limit]);
  await serve(it, [cancelled]);
  await paying.forceCancelAll();
});

test("with room in the ordinary lane nothing is due, and what is sent comes back", async () => {
  const it = await world();
  assert.equal(await it.rollup.read.premium(), 0n);
  const all = asAlice(it, parseEther("1"));
  const calls = [all.registerKey, all.forceWithdraw, all.forceCancelAll];
  for (const call of [...calls, () => all.forceClose(0n, 1n)]) {
    await viem.assertions.balancesHaveChanged(call(), [
      { address: owner, amount: 0n },
      { address: it.rollup.address, amount: 0n },
    ]);
  }
});

test("nothing is forced after a freeze", async () => {
  const it = await world();
  await asAlice(it).forceCancelAll();
  await networkHelpers.time.increase(8 * 86_400);
  await it.rollup.write.freeze();
  const frozen = [await it.rollup.read.frozenAt()];
  await refused(it, asAlice(it).forceCancelAll(), "AlreadyFrozen", frozen);
  await refused(it, asAlice(it).forceClose(0n, 1n), "AlreadyFrozen", frozen);
});
