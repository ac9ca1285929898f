// Money leaves the vault only to its owner, or where its owner says; nobody else can delay it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFunctionData, getAddress, toFunctionSelector, zeroAddress } from "viem";
import {
  alice,
  approve,
  bob,
  carol,
  deployRollup,
  deposit,
  eve,
  KEY,
  ledgerBatch,
  NO_KEY,
  NO_PROOF,
  networkHelpers,
  type Operation,
  operationWords,
  refused,
  serve,
  submit,
  viem,
  type World,
} from "./rollupChain.ts";

const world = () => networkHelpers.loadFixture(deployFunded);
const addressOf = (client: typeof alice) => getAddress(client.account.address);

/** Alice is account 3 with 1000, Bob account 4 with 1000; both deposits served. */
async function deployFunded() {
  const it = await deployRollup();
  for (const client of [alice, bob]) await deposit(it, client, 1000n);
  await serve(it, [
    { kind: "deposit", account: 3, owner: addressOf(alice), amount: 1000n },
    { kind: "deposit", account: 4, owner: addressOf(bob), amount: 1000n },
  ]);
  return it;
}

function withdrawal(client: typeof alice, amount: bigint, executed = true): Operation {
  const account = client === alice ? 3 : 4;
  return { kind: "withdraw", executed, account, owner: addressOf(client), amount };
}

const balance = ({ token }: World, client: typeof alice) =>
  token.read.balanceOf([client.account.address]);

test("an executed withdrawal is credited, and anybody may send it to its owner", async () => {
  const it = await world();
  await serve(it, [withdrawal(alice, 300n), withdrawal(bob, 20n), withdrawal(alice, 1n)]);
  assert.equal(await it.rollup.read.pendingWithdrawals([alice.account.address]), 301n);
  assert.equal(await it.rollup.read.totalPendingWithdrawals(), 321n);
  const call = it.rollup.write.withdraw([alice.account.address], { account: eve.account });
  const args = [addressOf(alice), addressOf(alice), 301n] as const;
  await viem.assertions.emitWithArgs(call, it.rollup, "WithdrawalPaid", [...args]);
  assert.equal(await balance(it, alice), 301n);
  assert.equal(await it.rollup.read.totalPendingWithdrawals(), 20n);
  assert.equal(await it.vault.read.held(), 1699n);
});

test("a refused withdrawal is not credited", async () => {
  const it = await world();
  await serve(it, [withdrawal(alice, 300n, false)]);
  assert.equal(await it.rollup.read.totalPendingWithdrawals(), 0n);
});

test("operations that release no money credit none", async () => {
  const it = await world();
  const kinds = ["transfer", "listSeries", "openBook", "settleSeries", "settlePosition"] as const;
  const owner = addressOf(alice);
  await serve(
    it,
    kinds.map((kind) => ({ kind, account: 3, owner, amount: 5n })),
  );
  assert.equal(await it.rollup.read.totalPendingWithdrawals(), 0n);
});

test("what was paid cannot be fetched again", async () => {
  const it = await world();
  await serve(it, [withdrawal(alice, 300n)]);
  await it.rollup.write.withdraw([alice.account.address]);
  const again = it.rollup.write.withdraw([alice.account.address]);
  await refused(it, again, "NothingPending", [addressOf(alice)]);
});

test("only the owner sends elsewhere, and not to the vault", async () => {
  const it = await world();
  await serve(it, [withdrawal(alice, 300n)]);
  const sendTo = (to: `0x${string}`, client: typeof alice) =>
    it.rollup.write.withdrawTo([to], { account: client.account });
  await refused(it, sendTo(addressOf(eve), eve), "NothingPending", [addressOf(eve)]);
  for (const to of [zeroAddress, getAddress(it.vault.address)]) {
    await refused(it, sendTo(to, alice), "WithdrawalTargetInvalid", [to]);
  }
  await sendTo(addressOf(carol), alice);
  assert.equal(await balance(it, carol), 300n);
});

test("an owner whom the token refuses delays nobody else", async () => {
  const it = await world();
  await it.token.write.setBlocked([alice.account.address, true]);
  await serve(it, [withdrawal(alice, 300n), withdrawal(bob, 300n)]);
  const call = it.rollup.write.withdraw([alice.account.address]);
  await viem.assertions.revertWithCustomError(call, it.token, "AccountBlocked");
  await it.rollup.write.withdraw([bob.account.address]);
  assert.equal(await balance(it, bob), 300n);
  await it.rollup.write.withdrawTo([carol.account.address], { account: alice.account });
  assert.equal(await balance(it, carol), 300n);
});

test("a token that calls back enters nothing", async () => {
  const it = await world();
  await serve(it, [withdrawal(alice, 300n), withdrawal(bob, 300n)]);
  const [owner, other] = [alice.account.address, bob.account.address];
  const { abi } = it.rollup;
  const calls = [
    encodeFunctionData({ abi, functionName: "deposit", args: [1n, NO_KEY] }),
    encodeFunctionData({ abi, functionName: "registerKey", args: [KEY] }),
    encodeFunctionData({ abi, functionName: "forceWithdraw", args: [1n] }),
    encodeFunctionData({ abi, functionName: "submitBatch", args: [[], 0n, NO_PROOF, "0x"] }),
    encodeFunctionData({ abi, functionName: "withdraw", args: [other] }),
    encodeFunctionData({ abi, functionName: "withdrawTo", args: [other] }),
    encodeFunctionData({ abi, functionName: "freeze" }),
    encodeFunctionData({ abi, functionName: "exit", args: [1n, other, 1n, NO_PROOF] }),
    encodeFunctionData({ abi, functionName: "exitLate", args: [1n, other, 1n, NO_PROOF] }),
    encodeFunctionData({ abi, functionName: "payExit", args: [1n] }),
    encodeFunctionData({ abi, functionName: "refundDeposit", args: [1n] }),
  ];
  const reason = toFunctionSelector("ReentrancyGuardReentrantCall()");
  await approve(it, carol, 5n);
  for (const data of calls) {
    await it.token.write.setCallback([it.rollup.address, data]);
    for (const call of [
      it.rollup.write.withdraw([owner]),
      it.rollup.write.withdrawTo([owner], { account: alice.account }),
      it.rollup.write.deposit([5n, NO_KEY], { account: carol.account }),
    ]) {
      await viem.assertions.revertWithCustomErrorWithArgs(call, it.token, "CallbackFailed", [
        reason,
      ]);
    }
  }
  assert.equal(await it.rollup.read.pendingWithdrawals([owner]), 300n);
});

test("a batch cannot release more than is held beside unserved deposits", async () => {
  const it = await world();
  await deposit(it, alice, 50n);
  const tooMuch = await ledgerBatch(it, [withdrawal(alice, 2001n)]);
  await refused(it, submit(it, tooMuch), "WithdrawalsExceedCustody", [2051n, 2050n]);
  await serve(it, [withdrawal(alice, 2000n)]);
  const more = await ledgerBatch(it, [withdrawal(alice, 1n)]);
  await refused(it, submit(it, more), "WithdrawalsExceedCustody", [2051n, 2050n]);
});

test("an owner word that is no address is refused", async () => {
  const it = await world();
  const words = await ledgerBatch(it, [withdrawal(alice, 5n)]);
  const [, owner] = operationWords(withdrawal(alice, 5n)) as [bigint, bigint];
  const wide = owner + (1n << 160n);
  const call = submit(it, words.with(words.indexOf(owner), wide));
  await refused(it, call, "SafeCastOverflowedUintDowncast", [160, wide]);
});

test("nobody but the rollup moves the vault", async () => {
  const it = await world();
  const names = [addressOf(eve), getAddress(it.rollup.address)] as const;
  const options = { account: eve.account };
  for (const call of [
    it.vault.write.pay([eve.account.address, 1n], options),
    it.vault.write.receiveFrom([alice.account.address, 1n], options),
  ]) {
    await viem.assertions.revertWithCustomErrorWithArgs(call, it.vault, "CallerNotRollup", [
      ...names,
    ]);
  }
});
