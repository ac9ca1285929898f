// B7: anybody freezes and exits for anybody, the money goes to the owner alone, and a token that
// answers strangely, or refuses one owner, stands in nobody else's way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { getAddress } from "viem";
import {
  alice,
  bob,
  carol,
  DEADLINE,
  deployRollup,
  eve,
  NO_KEY,
  NO_PROOF,
  networkHelpers,
  refused,
  serve,
  viem,
  WINDOW,
} from "./rollupChain.ts";

const { time } = networkHelpers;
/** As in contracts/mocks/OddToken.sol. */
const ANSWER = { true: 0, nothing: 1, false: 2, revert: 3, gas: 4 } as const;
const REFUSALS = ["false", "revert", "gas"] as const;
const addressOf = (client: typeof alice) => getAddress(client.account.address);
const everybody = "0x0000000000000000000000000000000000000000" as const;
/** What is left of it after a token has burnt 63 parts of 64 must still record the debt. */
const GAS = 8_000_000n;

async function deployOdd() {
  const token = await viem.deployContract("OddToken");
  const it = await deployRollup({ token: token.address });
  return { ...it, token };
}

type Odd = Awaited<ReturnType<typeof deployOdd>>;

async function put({ token, vault, rollup }: Odd, client: typeof alice, amount: bigint) {
  await token.write.mint([client.account.address, amount]);
  await token.write.approve([vault.address, amount], { account: client.account });
  await rollup.write.deposit([amount, NO_KEY], { account: client.account });
}

/** Alice and Bob have 100 each, proven; Carol's 30 waits. All is frozen by Eve, and claimed. */
async function deployClaimed() {
  const it = await deployOdd();
  await put(it, alice, 100n);
  await put(it, bob, 100n);
  await serve(it as never, [
    { kind: "deposit", account: 3, owner: addressOf(alice), amount: 100n },
    { kind: "deposit", account: 4, owner: addressOf(bob), amount: 100n },
  ]);
  await put(it, carol, 30n);
  await time.increase(DEADLINE);
  const as = { account: eve.account };
  await it.rollup.write.freeze(as);
  await it.rollup.write.exit([3n, addressOf(alice), 100n, NO_PROOF], as);
  await it.rollup.write.exit([4n, addressOf(bob), 100n, NO_PROOF], as);
  await time.increase(WINDOW);
  return it;
}

const balance = ({ token }: Odd, client: typeof alice) =>
  token.read.balanceOf([client.account.address]);

test("B7: a token that answers nothing works like one that answers", async () => {
  const it = await deployOdd();
  await it.token.write.setAnswer([ANSWER.nothing, everybody]);
  await put(it, alice, 100n);
  await serve(it as never, [
    { kind: "deposit", account: 3, owner: addressOf(alice), amount: 100n },
    { kind: "withdraw", account: 3, owner: addressOf(alice), amount: 40n },
  ]);
  await it.rollup.write.withdraw([addressOf(alice)], { account: eve.account });
  assert.equal(await balance(it, alice), 40n);
  assert.equal(await it.vault.read.held(), 60n);
});

test("B7: a transfer that fails, loudly or not, is no deposit", async () => {
  const it = await deployOdd();
  const reasons = { false: /SafeERC20FailedOperation/, revert: /reverted/ };
  for (const answer of ["false", "revert"] as const) {
    await it.token.write.setAnswer([ANSWER[answer], everybody]);
    await assert.rejects(put(it, alice, 100n), reasons[answer], answer);
  }
  assert.equal(await it.rollup.read.queueEnd(), 0n);
  assert.equal(await it.vault.read.held(), 0n);
});

test("B7: an owner whom the token refuses delays nobody, and keeps the money", async () => {
  for (const answer of REFUSALS) {
    const it = await networkHelpers.loadFixture(deployClaimed);
    const as = { account: eve.account, gas: GAS };
    await it.token.write.setAnswer([ANSWER[answer], addressOf(alice)]);
    await it.rollup.write.payExit([3n], as);
    assert.equal(await it.rollup.read.pendingWithdrawals([addressOf(alice)]), 100n, answer);
    await it.rollup.write.payExit([4n], as);
    await it.rollup.write.refundDeposit([2n], as);
    assert.deepEqual([await balance(it, bob), await balance(it, carol)], [100n, 30n]);
    // The refused owner takes it elsewhere; nobody else can.
    const thief = it.rollup.write.withdrawTo([addressOf(eve)], as);
    await refused(it, thief, "NothingPending", [addressOf(eve)]);
    await it.rollup.write.withdrawTo([addressOf(carol)], { account: alice.account });
    assert.equal(await balance(it, carol), 130n);
    assert.equal(await balance(it, eve), 0n);
    assert.equal(await it.token.read.balanceOf([it.vault.address]), 0n);
  }
});

test("B7: a token that refuses everybody leaves all of it owed for later", async () => {
  for (const answer of REFUSALS) {
    const it = await networkHelpers.loadFixture(deployClaimed);
    const as = { account: eve.account, gas: GAS };
    await it.token.write.setAnswer([ANSWER[answer], everybody]);
    await it.rollup.write.payExit([3n], as);
    await it.rollup.write.payExit([4n], as);
    await it.rollup.write.refundDeposit([2n], as);
    assert.equal(await it.rollup.read.totalPendingWithdrawals(), 230n);
    await it.token.write.setAnswer([ANSWER.true, everybody]);
    for (const client of [alice, bob, carol]) {
      await it.rollup.write.withdraw([addressOf(client)], as);
    }
    assert.deepEqual(
      [await balance(it, alice), await balance(it, bob), await balance(it, carol)],
      [100n, 100n, 30n],
    );
  }
});
