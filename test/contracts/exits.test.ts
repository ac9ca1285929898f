// Invariant I9 and the hatch: an overdue queue freezes the rollup for good, owners claim by proof
// for a window of time, and share what is there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { getAddress, zeroAddress } from "viem";
import {
  acceptOnly,
  alice,
  approve,
  bob,
  carol,
  DEADLINE,
  deployRollup,
  deposit,
  eve,
  insurance,
  KEY,
  NO_KEY,
  NO_PROOF,
  networkHelpers,
  nextBlockAt,
  refused,
  serve,
  submit,
  tradeBatch,
  treasury,
  viem,
  WINDOW,
  type World,
} from "./rollupChain.ts";

const { time } = networkHelpers;
const addressOf = (client: typeof alice) => getAddress(client.account.address);
const world = () => networkHelpers.loadFixture(deployFunded);
const frozen = () => networkHelpers.loadFixture(deployFrozen);

/** Alice is account 3 and Bob account 4 with 1000 each, served; Carol's 70 waits in the queue. */
async function deployFunded() {
  const it = await deployRollup();
  for (const client of [alice, bob]) await deposit(it, client, 1000n);
  await serve(it, [
    { kind: "deposit", account: 3, owner: addressOf(alice), amount: 1000n },
    { kind: "deposit", account: 4, owner: addressOf(bob), amount: 1000n },
  ]);
  await deposit(it, carol, 70n);
  return it;
}

async function deployFrozen() {
  const it = await deployFunded();
  await nextBlockAt(await it.rollup.read.freezableAt());
  await it.rollup.write.freeze({ account: eve.account });
  return it;
}

/** Anybody may claim for anybody: Eve does. */
function claim({ rollup }: World, account: bigint, owner: typeof alice, amount: bigint) {
  const args = [account, owner.account.address, amount, NO_PROOF] as const;
  return rollup.write.exit(args, { account: eve.account });
}

function claimLate({ rollup }: World, account: bigint, owner: typeof alice, amount: bigint) {
  const args = [account, owner.account.address, amount, NO_PROOF] as const;
  return rollup.write.exitLate(args, { account: eve.account });
}

async function endWindow({ rollup }: World) {
  await time.increaseTo((await rollup.read.frozenAt()) + BigInt(WINDOW));
}

const balance = ({ token }: World, client: typeof alice) =>
  token.read.balanceOf([client.account.address]);

test("B1: anybody freezes from the deadline on, and not a second before", async () => {
  const it = await world();
  const queued = await it.rollup.read.queuedOperation([2n]);
  const deadline = BigInt(queued.queuedAt + DEADLINE);
  assert.equal(await it.rollup.read.freezableAt(), deadline);
  const freeze = () => it.rollup.write.freeze({ account: eve.account });
  await nextBlockAt(deadline - 1n);
  await refused(it, freeze(), "NothingOverdue", [deadline, deadline - 1n]);
  await nextBlockAt(deadline);
  const args = [2n, deadline, deadline + BigInt(WINDOW)] as const;
  await viem.assertions.emitWithArgs(freeze(), it.rollup, "RollupFrozen", [...args]);
  assert.equal(await it.rollup.read.frozenAt(), deadline);
});

test("a served queue is never overdue", async () => {
  const it = await world();
  await serve(it, [{ kind: "deposit", account: 5, owner: addressOf(carol), amount: 70n }]);
  assert.equal(await it.rollup.read.freezableAt(), 0n);
  await time.increase(10 * DEADLINE);
  await refused(it, it.rollup.write.freeze(), "QueueEmpty", [3n]);
});

test("the oldest operation counts, not the newest", async () => {
  const it = await world();
  const deadline = await it.rollup.read.freezableAt();
  await time.increaseTo(deadline - 10n);
  await it.rollup.write.forceWithdraw([1n], { account: alice.account });
  assert.equal(await it.rollup.read.freezableAt(), deadline);
  // Late service is still service: until somebody freezes, the operator may catch up.
  await time.increaseTo(deadline + 10n);
  await serve(it, [{ kind: "deposit", account: 5, owner: addressOf(carol), amount: 70n }]);
  assert.equal(await it.rollup.read.freezableAt(), deadline - 9n + BigInt(DEADLINE));
});

test("B2: a frozen rollup takes neither batches nor operations, for good", async () => {
  const it = await frozen();
  const at = [await it.rollup.read.frozenAt()];
  const options = { account: alice.account };
  await approve(it, alice, 5n);
  const words = await tradeBatch(it);
  assert.equal(await it.rollup.read.operator(), zeroAddress);
  for (const pass of [0, 400 * 86_400]) {
    await time.increase(pass + 1);
    for (const call of [
      submit(it, words),
      it.rollup.write.deposit([5n, NO_KEY], options),
      it.rollup.write.registerKey([KEY], options),
      it.rollup.write.forceWithdraw([5n], options),
      it.rollup.write.forceCancelAll(options),
      it.rollup.write.forceClose([0n, 1n], options),
      it.rollup.write.freeze(),
    ]) {
      await refused(it, call, "AlreadyFrozen", at);
    }
  }
});

test("there are no exits while the rollup lives", async () => {
  const it = await world();
  await refused(it, claim(it, 3n, alice, 1000n), "NotFrozen", []);
  await refused(it, claimLate(it, 3n, alice, 1000n), "NotFrozen", []);
  await refused(it, it.rollup.write.payExit([3n]), "NotFrozen", []);
  await refused(it, it.rollup.write.refundDeposit([2n]), "NotFrozen", []);
});

test("a claim is what the proof says of the last state, once", async () => {
  const it = await frozen();
  const root = await it.rollup.read.stateRoot();
  await acceptOnly(it, [root, 3n, BigInt(alice.account.address), 1200n]);
  const wrong = [addressOf(alice), 1201n];
  await refused(it, claim(it, 3n, alice, 1201n), "ExitProofInvalid", [3n, ...wrong]);
  await refused(it, claim(it, 4n, alice, 1200n), "ExitProofInvalid", [4n, addressOf(alice), 1200n]);
  await refused(it, claim(it, 3n, bob, 1200n), "ExitProofInvalid", [3n, addressOf(bob), 1200n]);
  await claim(it, 3n, alice, 1200n);
  assert.equal(await it.rollup.read.totalClaims(), 1200n);
  await refused(it, claim(it, 3n, alice, 1200n), "AlreadyClaimed", [3n]);
  await endWindow(it);
  await refused(it, claimLate(it, 3n, alice, 1200n), "AlreadyClaimed", [3n]);
});

test("a claim lies in the tree and below 2^88", async () => {
  const it = await frozen();
  await refused(it, claim(it, 256n, alice, 1n), "AccountOutOfRange", [256n, 256n]);
  const wide = 1n << 88n;
  await refused(it, claim(it, 3n, alice, wide), "ClaimAmountOutOfRange", [3n, wide, wide - 1n]);
  await refused(it, claim(it, 3n, alice, 0n), "ClaimAmountOutOfRange", [3n, 0n, wide - 1n]);
  const call = it.rollup.write.exit([7n, zeroAddress, 0n, NO_PROOF]);
  await refused(it, call, "ClaimOwnerZero", [7n]);
});

test("B7: whom the ledger does not know yet is paid by the register of layer one", async () => {
  const it = await frozen();
  // Fees have been collected for the treasury, which has never deposited.
  const root = await it.rollup.read.stateRoot();
  const nobody = zeroAddress;
  await acceptOnly(it, [root, 1n, 0n, 25n]);
  const as = { account: eve.account };
  const paid = addressOf(treasury);
  const forHerself = it.rollup.write.exit([1n, addressOf(eve), 25n, NO_PROOF], as);
  await refused(it, forHerself, "ExitProofInvalid", [1n, addressOf(eve), 25n]);
  await it.rollup.write.exit([1n, nobody, 25n, NO_PROOF], as);
  assert.equal(getAddress((await it.rollup.read.exitClaim([1n])).owner), paid);
  await refused(it, it.rollup.write.exit([1n, nobody, 25n, NO_PROOF], as), "AlreadyClaimed", [1n]);
  await endWindow(it);
  await it.rollup.write.payExit([1n], as);
  assert.equal(await balance(it, treasury), 25n);
  const late = [2n, nobody, 5n, NO_PROOF] as const;
  await acceptOnly(it, [root, 2n, 0n, 5n]);
  await it.rollup.write.exitLate(late, as);
  assert.equal(await balance(it, insurance), 5n);
});

test("B2: claims that the vault covers are paid in full, after the window, once", async () => {
  const it = await frozen();
  await claim(it, 3n, alice, 1500n);
  await claim(it, 4n, bob, 500n);
  const end = (await it.rollup.read.frozenAt()) + BigInt(WINDOW);
  const pay = (account: bigint) => it.rollup.write.payExit([account], { account: eve.account });
  await nextBlockAt(end - 1n);
  await refused(it, pay(3n), "ClaimWindowOpen", [end, end - 1n]);
  await nextBlockAt(end);
  await pay(3n);
  await refused(it, claim(it, 5n, carol, 1n), "ClaimWindowOver", [end, end + 1n]);
  await refused(it, pay(3n), "ClaimAlreadyPaid", [3n]);
  await refused(it, pay(5n), "ClaimMissing", [5n]);
  await pay(4n);
  assert.deepEqual([await balance(it, alice), await balance(it, bob)], [1500n, 500n]);
});

test("B3: claims beyond the vault are cut alike, whoever comes first", async () => {
  const it = await frozen();
  await claim(it, 3n, alice, 3000n);
  await claim(it, 4n, bob, 1001n);
  await endWindow(it);
  await it.rollup.write.payExit([4n]);
  // Neither tokens that arrive later nor refunds change what the others get.
  await it.token.write.mint([it.vault.address, 5000n]);
  await it.rollup.write.refundDeposit([2n]);
  await it.rollup.write.payExit([3n]);
  assert.equal(await it.rollup.read.exitPool(), 2000n);
  assert.equal(await balance(it, alice), (3000n * 2000n) / 4001n);
  assert.equal(await balance(it, bob), (1001n * 2000n) / 4001n);
  assert.equal(await balance(it, carol), 70n);
});

test("pending withdrawals come before exits", async () => {
  const it = await world();
  const owner = addressOf(bob);
  await serve(it, [{ kind: "withdraw", account: 4, owner, amount: 900n }]);
  await time.increaseTo(await it.rollup.read.freezableAt());
  await it.rollup.write.freeze();
  await claim(it, 3n, alice, 2000n);
  await endWindow(it);
  await it.rollup.write.payExit([3n]);
  assert.equal(await balance(it, alice), 1100n);
  await it.rollup.write.withdraw([owner]);
  assert.equal(await balance(it, bob), 900n);
});

test("a late claim gets what the timely ones left, and takes nothing from them", async () => {
  const it = await frozen();
  await claim(it, 3n, alice, 1500n);
  const end = (await it.rollup.read.frozenAt()) + BigInt(WINDOW);
  await nextBlockAt(end - 1n);
  await refused(it, claimLate(it, 4n, bob, 600n), "ClaimWindowOpen", [end, end - 1n]);
  await endWindow(it);
  await claimLate(it, 4n, bob, 600n);
  assert.equal(await balance(it, bob), 500n);
  await refused(it, it.rollup.write.payExit([4n]), "ClaimAlreadyPaid", [4n]);
  await claimLate(it, 5n, eve, 600n);
  assert.equal(await balance(it, eve), 0n);
  await it.rollup.write.payExit([3n]);
  assert.equal(await balance(it, alice), 1500n);
});

test("B2: deposits that no batch served go back to whoever made them, once", async () => {
  const it = await frozen();
  const refund = (id: bigint) => it.rollup.write.refundDeposit([id], { account: eve.account });
  const args = [2n, addressOf(carol), 70n] as const;
  await viem.assertions.emitWithArgs(refund(2n), it.rollup, "DepositRefunded", [...args]);
  assert.equal(await balance(it, carol), 70n);
  await refused(it, refund(2n), "DepositAlreadyRefunded", [2n]);
  await refused(it, refund(1n), "OperationAlreadyServed", [1n, 2n]);
  await refused(it, refund(3n), "OperationUnknown", [3n, 3n]);
  assert.equal(await it.rollup.read.unservedDeposits(), 0n);
});

test("other unserved operations have nothing to refund", async () => {
  const it = await world();
  await it.rollup.write.forceWithdraw([5n], { account: alice.account });
  await time.increaseTo(await it.rollup.read.freezableAt());
  await it.rollup.write.freeze();
  await refused(it, it.rollup.write.refundDeposit([3n]), "OperationNotDeposit", [3n, 3n]);
});

test("an owner whom the token refuses keeps the money pending, for elsewhere", async () => {
  const it = await frozen();
  await claim(it, 3n, alice, 1000n);
  await endWindow(it);
  await it.token.write.setBlocked([alice.account.address, true]);
  await it.token.write.setBlocked([carol.account.address, true]);
  await it.rollup.write.payExit([3n]);
  await it.rollup.write.refundDeposit([2n]);
  assert.equal(await it.rollup.read.totalPendingWithdrawals(), 1070n);
  await it.rollup.write.withdrawTo([eve.account.address], { account: alice.account });
  assert.equal(await balance(it, eve), 1000n);
});

test("an empty vault owes nothing but pays nothing", async () => {
  const it = await frozen();
  await claim(it, 3n, alice, 1000n);
  await it.token.write.seize([it.vault.address, 2070n]);
  await endWindow(it);
  await it.rollup.write.payExit([3n]);
  assert.equal(await it.rollup.read.exitPool(), 0n);
});
