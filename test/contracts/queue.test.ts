// Invariant I8: what layer one orders is served in order, each once, exactly as it was ordered.
import assert from "node:assert/strict";
import { test } from "node:test";
import { getAddress, parseEther, parseEventLogs } from "viem";
import {
  alice,
  approve,
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
  tradeBatch,
  treasury,
  viem,
  type World,
} from "./rollupChain.ts";

const world = () => networkHelpers.loadFixture(deployDefault);

async function deployDefault() {
  return deployRollup();
}

const owner = getAddress(alice.account.address);
const depositOf = (amount: bigint, key = NO_KEY): Operation => ({
  kind: "deposit",
  account: 3,
  owner,
  amount,
  key,
});
const forced = (amount: bigint, executed: boolean): Operation => ({
  kind: "forcedWithdraw",
  executed,
  account: 3,
  owner,
  amount,
});

function asAlice({ rollup }: World) {
  const options = { account: alice.account };
  return {
    deposit: (amount: bigint, key = NO_KEY) => rollup.write.deposit([amount, key], options),
    registerKey: (key = KEY) => rollup.write.registerKey([key], options),
    forceWithdraw: (amount: bigint) => rollup.write.forceWithdraw([amount], options),
  };
}

async function eventsOf({ rollup }: World, hash: `0x${string}`) {
  const { logs } = await publicClient.getTransactionReceipt({ hash });
  const events = parseEventLogs({ abi: rollup.abi, logs });
  return events.map(({ eventName, args }) => [eventName, args] as const);
}

test("a first deposit opens an account, moves the tokens and joins the queue", async () => {
  const it = await world();
  await approve(it, alice, 500n);
  const events = await eventsOf(it, await asAlice(it).deposit(500n, KEY));
  assert.deepEqual(events, [
    ["AccountOpened", { account: 3n, owner }],
    [
      "OperationQueued",
      { queueId: 0n, account: 3n, owner, kind: 1n, amount: 500n, slot: 0n, lots: 0n, key: KEY },
    ],
  ]);
  assert.equal(await it.vault.read.held(), 500n);
  assert.equal(await it.token.read.balanceOf([it.vault.address]), 500n);
  assert.equal(await it.rollup.read.unservedDeposits(), 500n);
  assert.equal(await it.rollup.read.accountOf([owner]), 3n);
  assert.equal(await it.rollup.read.ownerOf([3n]), owner);
  await deposit(it, bob, 1n);
  assert.equal(await it.rollup.read.accountOf([bob.account.address]), 4n);
  await deposit(it, alice, 1n);
  assert.equal(await it.rollup.read.accountCount(), 4n);
});

test("accounts 1 and 2 are there from the beginning, for their owners' deposits only", async () => {
  const it = await world();
  assert.equal(await it.rollup.read.accountCount(), 2n);
  const owners = [treasury, insurance].map(({ account }) => getAddress(account.address));
  const opened = await it.rollup.getEvents.AccountOpened({}, { fromBlock: 0n });
  assert.deepEqual(
    opened.map(({ args }) => args),
    owners.map((address, index) => ({ account: BigInt(index + 1), owner: address })),
  );
  for (const [index, client] of [treasury, insurance].entries()) {
    const account = BigInt(index + 1);
    assert.equal(await it.rollup.read.ownerOf([account]), owners[index]);
    assert.equal(await it.rollup.read.accountOf([client.account.address]), account);
    await deposit(it, client, 5n, KEY);
    assert.equal((await it.rollup.read.queuedOperation([BigInt(index)])).account, index + 1);
  }
  await deposit(it, alice, 5n);
  assert.equal((await it.rollup.read.queuedOperation([2n])).account, 3);
  assert.equal(await it.rollup.read.accountCount(), 3n);
});

test("operations are served in order across batches", async () => {
  const it = await world();
  await deposit(it, alice, 500n, KEY);
  await asAlice(it).registerKey({ ...KEY, index: 0, x: 0n, y: 0n });
  await asAlice(it).forceWithdraw(200n);
  const revocation: Operation = {
    kind: "registerKey",
    account: 3,
    owner,
    key: { ...KEY, index: 0, x: 0n, y: 0n },
  };
  const first = await eventsOf(it, await serve(it, [depositOf(500n, KEY), revocation]));
  assert.deepEqual(first[0], ["OperationsServed", { batchNumber: 1n, firstId: 0n, endId: 2n }]);
  assert.equal(await it.rollup.read.unservedDeposits(), 0n);
  assert.equal(await it.rollup.read.openOperations([3n]), 1n);
  const second = await eventsOf(it, await serve(it, [forced(200n, true)]));
  assert.deepEqual(second.slice(0, 2), [
    ["WithdrawalCredited", { batchNumber: 2n, account: 3n, owner, amount: 200n }],
    ["OperationsServed", { batchNumber: 2n, firstId: 2n, endId: 3n }],
  ]);
  assert.equal(await it.rollup.read.queueStart(), await it.rollup.read.queueEnd());
  const idle = await eventsOf(it, await serve(it, []));
  assert.ok(idle.every(([name]) => name !== "OperationsServed"));
});

test("a forced withdrawal that the proof refuses is served and pays nothing", async () => {
  const it = await world();
  await deposit(it, alice, 500n);
  await asAlice(it).forceWithdraw(200n);
  await serve(it, [depositOf(500n), forced(200n, false)]);
  assert.equal(await it.rollup.read.queueStart(), 2n);
  assert.equal(await it.rollup.read.totalPendingWithdrawals(), 0n);
});

test("operations stated otherwise than queued are refused", async () => {
  const it = await world();
  await deposit(it, alice, 500n, KEY);
  await asAlice(it).forceWithdraw(200n);
  const right = depositOf(500n, KEY);
  const wrong: readonly Operation[] = [
    { ...right, amount: 501n },
    { ...right, account: 4 },
    { ...right, owner: bob.account.address },
    { ...right, executed: false },
    { ...right, key: { ...KEY, index: 2 } },
    { ...right, key: { ...KEY, expiry: KEY.expiry + 1 } },
    { ...right, key: { ...KEY, x: KEY.x + 1n } },
    { ...right, key: { ...KEY, y: KEY.y + 1n } },
    { ...right, kind: "registerKey" },
    forced(200n, true),
  ];
  for (const operation of wrong) {
    const call = submit(it, await ledgerBatch(it, [operation]));
    await viem.assertions.revertWithCustomError(call, it.rollup, "OperationUnequal");
  }
  const twice = submit(it, await ledgerBatch(it, [right, forced(200n, true), right]));
  await refused(it, twice, "QueueEmpty", [2n]);
  await serve(it, [right, forced(200n, true)]);
});

test("nothing enters the queue that no proof can serve", async () => {
  const it = await world();
  const { deposit: deposited, registerKey, forceWithdraw } = asAlice(it);
  const amountMax = 2n ** 50n - 1n;
  const bounds = [1n, amountMax];
  await refused(it, forceWithdraw(1n), "AccountMissing", [owner]);
  await refused(it, registerKey(), "AccountMissing", [owner]);
  await refused(it, deposited(0n), "AmountOutOfRange", [0n, ...bounds]);
  await refused(it, deposited(amountMax + 1n), "AmountOutOfRange", [amountMax + 1n, ...bounds]);
  await deposit(it, alice, 1n);
  await refused(it, forceWithdraw(0n), "AmountOutOfRange", [0n, ...bounds]);
  await refused(it, forceWithdraw(amountMax + 1n), "AmountOutOfRange", [amountMax + 1n, ...bounds]);
  await refused(it, registerKey({ ...KEY, index: 4 }), "KeyIndexTooLarge", [4n, 4n]);
  await refused(it, registerKey({ ...KEY, x: 1n }), "KeyNotOnCurve", [1n, KEY.y]);
  await refused(it, deposited(1n, { ...KEY, x: 1n }), "KeyNotOnCurve", [1n, KEY.y]);
  const described = { ...NO_KEY, index: 1, expiry: 5 };
  await refused(it, deposited(1n, described), "KeyAbsentButDescribed", [1n, 5n]);
});

test("the vault takes 2^50 in all, and a rollup may ask for more than one unit", async () => {
  const it = await deployRollup({ minimumDeposit: 100n });
  const cap = 2n ** 50n;
  await deposit(it, alice, cap - 100n);
  await approve(it, alice, 101n);
  const least = [99n, 100n, cap - 1n];
  await refused(it, asAlice(it).deposit(99n), "AmountOutOfRange", least);
  await refused(it, asAlice(it).deposit(101n), "VaultCapExceeded", [cap + 1n, cap]);
  await asAlice(it).deposit(100n);
  // Tokens sent without a deposit are nobody's, and take no room.
  await it.token.write.mint([it.vault.address, 1n]);
  assert.equal(await it.vault.read.held(), cap);
});

test("B4: one account has eight places of the queue for nothing, and pays for more", async () => {
  const it = await world();
  await deposit(it, alice, 100n);
  for (let i = 0; i < 7; i++) await asAlice(it).forceWithdraw(1n);
  const step = parseEther("0.0001");
  assert.equal(await it.rollup.read.premium(), 0n);
  assert.equal(await it.rollup.read.premiumOf([owner]), step);
  await refused(it, asAlice(it).forceWithdraw(1n), "PremiumTooLow", [0n, step]);
  await refused(it, asAlice(it).registerKey(), "PremiumTooLow", [0n, step]);
  await deposit(it, bob, 1n);
  await serve(it, [depositOf(100n)]);
  await asAlice(it).registerKey();
});

test("accounts end where the tree ends", async () => {
  const it = await deployRollup({ sizes: { ...SIZES, accountLevels: 1 } });
  await deposit(it, alice, 1n);
  await approve(it, bob, 1n);
  const call = it.rollup.write.deposit([1n, NO_KEY], { account: bob.account });
  await refused(it, call, "AccountsExhausted", [3n]);
  await deposit(it, alice, 1n);
});

test("B7: a token that keeps a fee is refused", async () => {
  const it = await world();
  await it.token.write.setFee([1n]);
  await approve(it, alice, 50n);
  const call = asAlice(it).deposit(50n);
  await viem.assertions.revertWithCustomErrorWithArgs(call, it.vault, "TokenAmountUnequal", [
    50n,
    49n,
  ]);
  assert.equal(await it.rollup.read.accountCount(), 2n);
});

test("a trade batch does not touch the queue", async () => {
  const it = await world();
  await deposit(it, alice, 100n);
  await submit(it, await tradeBatch(it, [1n]));
  assert.equal(await it.rollup.read.queueStart(), 0n);
});
