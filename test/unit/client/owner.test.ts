// The owner's side of layer one against the real contracts, with verifiers that accept all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { custom } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";
import { createOwner, TransactionError } from "../../../sequencer/client/l1.ts";
import { deriveTradingKey } from "../../../sequencer/client/tradingKey.ts";
import {
  chain,
  DEADLINE,
  deployRollup,
  networkHelpers,
  type Operation,
  serve,
  WINDOW,
} from "../../contracts/rollupChain.ts";

/** The second of Hardhat's ready-made accounts: not the operator. */
const wallet = privateKeyToAccount(
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
);
/** Layer one opens 1 and 2 for the venue. */
const FIRST = 3;

const world = () => networkHelpers.loadFixture(deployPlain);
const deployPlain = () => deployRollup();

async function setUp() {
  const it = await world();
  const rollup = it.rollup.address;
  const transport = custom(chain.provider);
  const owner = createOwner({ transport, chain: hardhat, account: wallet, rollup });
  const { publicKey } = await deriveTradingKey(wallet, { chainId: 31337, rollup, keyIndex: 2 });
  const key = { index: 2, key: publicKey, expiry: 2_000_000_000 };
  return { it, owner, key };
}

test("a deposit opens the account, brings a key, and approves no more than it takes", async () => {
  const { it, owner, key } = await setUp();
  assert.equal(await owner.accountId(), 0);
  await owner.mint(5_000_000);
  assert.equal(await owner.tokenBalance(), 5_000_000);
  const { account, queueId } = await owner.deposit({ amount: 3_000_000, key });
  assert.deepEqual([account, queueId], [FIRST, Number(await it.rollup.read.queueStart())]);
  assert.equal(await owner.accountId(), FIRST);
  assert.equal(await owner.tokenBalance(), 2_000_000);
  const allowed = await it.token.read.allowance([owner.address, it.vault.address]);
  assert.equal(allowed, 0n);
  const again = await owner.deposit({ amount: 1 });
  assert.equal(again.queueId, queueId + 1);
});

test("keys are registered and revoked; a point off the curve is refused by name", async () => {
  const { it, owner, key } = await setUp();
  await owner.mint(10);
  await owner.deposit({ amount: 10 });
  await owner.registerKey(key);
  await owner.revokeKey(2);
  assert.equal((await it.rollup.read.queueEnd()) - (await it.rollup.read.queueStart()), 3n);
  const wrong = { ...key, key: { x: 1n, y: 2n } };
  await assert.rejects(owner.registerKey(wrong), /KeyNotOnCurve/);
});

test("what a batch released is claimed once", async () => {
  const { it, owner } = await setUp();
  await owner.mint(1000);
  await owner.deposit({ amount: 1000 });
  await assert.rejects(owner.claim(), TransactionError);
  const mine = { account: FIRST, owner: wallet.address };
  const operations: Operation[] = [
    { kind: "deposit", ...mine, amount: 1000n },
    { kind: "withdraw", ...mine, amount: 300n },
  ];
  await serve(it, operations);
  assert.equal(await owner.pending(), 300);
  assert.equal((await owner.claim()).amount, 300);
  assert.equal(await owner.tokenBalance(), 300);
  assert.equal(await owner.pending(), 0);
});

test("a forced withdrawal that nobody serves ends in an exit", async () => {
  const { it, owner } = await setUp();
  await owner.mint(1000);
  await owner.deposit({ amount: 1000 });
  await serve(it, [{ kind: "deposit", account: FIRST, owner: wallet.address, amount: 1000n }]);
  const { account } = await owner.forceWithdraw(400);
  assert.equal(account, FIRST);
  await assert.rejects(owner.freeze(), /NothingOverdue/);
  assert.equal(await owner.frozenAt(), 0);
  await networkHelpers.time.increaseTo(await owner.freezableAt());
  await owner.freeze();
  assert.ok((await owner.frozenAt()) > DEADLINE);
  const proof = [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n] as const;
  await owner.exit({ account: FIRST, claim: 1000, proof, isLate: false });
  assert.equal(await owner.claimWindow(), WINDOW);
  await networkHelpers.time.increase(WINDOW);
  await owner.payExit(FIRST);
  assert.equal(await owner.tokenBalance(), 1000);
});
