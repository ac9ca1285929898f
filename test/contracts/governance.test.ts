// A4 and D4: what governance can do, after which notice, and what nobody can do at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  encodeFunctionData,
  getAddress,
  type Hex,
  parseEventLogs,
  zeroAddress,
  zeroHash,
} from "viem";
import {
  alice,
  approve,
  bob,
  carol,
  DEADLINE,
  deployRollup,
  deposit,
  eve,
  ledgerBatch,
  NO_KEY,
  NO_PROOF,
  networkHelpers,
  nextBlockAt,
  operator,
  publicClient,
  refused,
  serve,
  submit,
  tradeBatch,
  viem,
  WINDOW,
} from "./rollupChain.ts";

const { time } = networkHelpers;
const DAY = 86_400;
/** A week more than a forced operation and an exit take. */
const DELAY = DEADLINE + WINDOW + 7 * DAY;
const PAUSE = 3 * DAY;
const proposer = bob;
const guardian = carol;
const world = () => networkHelpers.loadFixture(deployGoverned);
const addressOf = (client: typeof alice) => getAddress(client.account.address);

async function deployGoverned() {
  const governance = await viem.deployContract("Governance", [
    BigInt(DELAY),
    proposer.account.address,
    guardian.account.address,
  ]);
  const it = await deployRollup({ governance: governance.address });
  const registry = await viem.getContractAt("ValidatorRegistry", await it.rollup.read.validators());
  return { ...it, governance, registry };
}

type Governed = Awaited<ReturnType<typeof deployGoverned>>;

/** What each change tells everybody. */
const ANNOUNCED: Readonly<Record<string, string>> = {
  setVerifiers: "VerifiersChanged",
  setOracleSet: "OracleSetChanged",
  setOperator: "OperatorChanged",
  setMinimumDeposit: "MinimumDepositChanged",
  admit: "ValidatorAdmitted",
  expel: "AdmissionWithdrawn",
};

/** Every setting there is, changed. */
async function changesOf({ rollup, registry }: Governed): Promise<[Address, Hex, string][]> {
  const other = await viem.deployContract("AcceptingVerifier");
  const { address, abi } = rollup;
  const call = (functionName: string, args: readonly unknown[]): [Address, Hex, string] => [
    address,
    encodeFunctionData({ abi, functionName, args } as Parameters<typeof encodeFunctionData>[0]),
    functionName,
  ];
  const member = (functionName: "admit" | "expel", args: readonly unknown[]) => {
    const data = { abi: registry.abi, functionName, args };
    const encoded = encodeFunctionData(data as Parameters<typeof encodeFunctionData>[0]);
    return [registry.address, encoded, functionName] as [Address, Hex, string];
  };
  const verifiers = [other.address, other.address, other.address];
  return [
    call("setVerifiers", verifiers),
    call("setOracleSet", [78n]),
    call("setOperator", [eve.account.address]),
    call("setMinimumDeposit", [9n]),
    member("admit", [addressOf(eve), addressOf(eve)]),
    member("expel", [addressOf(eve)]),
  ];
}

function propose({ governance }: Governed, target: Address, data: Hex, delay = DELAY) {
  const args = [target, 0n, data, zeroHash, zeroHash, BigInt(delay)] as const;
  return governance.write.schedule(args, { account: proposer.account });
}

function execute({ governance }: Governed, target: Address, data: Hex) {
  const args = [target, 0n, data, zeroHash, zeroHash] as const;
  return governance.write.execute(args, { account: eve.account });
}

test("A4: every change waits longer than a forced operation and an exit take", async () => {
  const it = await world();
  const margin = Number(await it.governance.read.delayFloor()) - DEADLINE - WINDOW;
  // A week over both; and a month of notice for whoever only has to wait for a forced operation.
  assert.ok(margin >= 7 * DAY && DELAY - DEADLINE >= 30 * DAY);
  for (const [target, data, name] of await changesOf(it)) {
    await assert.rejects(propose(it, target, data, DELAY - 1), /InsufficientDelay/, name);
    await propose(it, target, data);
    const due = (await time.latest()) + DELAY;
    await nextBlockAt(due - 1);
    await assert.rejects(execute(it, target, data), /UnexpectedOperationState/, name);
    await nextBlockAt(due);
    const hash = await execute(it, target, data);
    const { logs } = await publicClient.getTransactionReceipt({ hash });
    const abi = [...it.rollup.abi, ...it.registry.abi];
    const names = parseEventLogs({ abi, logs }).map(({ eventName }) => eventName);
    assert.deepEqual(names, [ANNOUNCED[name]]);
  }
  assert.equal(await it.rollup.read.operator(), addressOf(eve));
  assert.equal(await it.rollup.read.oracleSetHash(), 78n);
  assert.equal(await it.rollup.read.minimumDeposit(), 9n);
  assert.notEqual(getAddress(await it.rollup.read.exitVerifier()), it.verifier.address);
});

test("A4: the delay cannot be proposed away, nor be too short at birth", async () => {
  const it = await world();
  const data = encodeFunctionData({
    abi: it.governance.abi,
    functionName: "updateDelay",
    args: [BigInt(DELAY - 1)],
  });
  await propose(it, it.governance.address, data);
  await time.increase(DELAY);
  await assert.rejects(execute(it, it.governance.address, data), /DelayBelowFloor/);
  const notice = BigInt(DEADLINE + WINDOW);
  const hasty = await viem.deployContract("Governance", [
    notice,
    proposer.account.address,
    guardian.account.address,
  ]);
  const call = deployRollup({ governance: hasty.address });
  await refused(it, call, "GovernanceDelayTooShort", [notice, notice]);
});

test("a proposal is public, and the guardian cancels it", async () => {
  const it = await world();
  const [[target, data]] = (await changesOf(it)) as [[Address, Hex, string]];
  await propose(it, target, data);
  const [event] = await it.governance.getEvents.CallScheduled();
  assert.equal(event?.args.target && getAddress(event.args.target), getAddress(target));
  assert.equal(event?.args.data, data);
  const id = event?.args.id as Hex;
  await assert.rejects(it.governance.write.cancel([id], { account: eve.account }), /Unauthorized/);
  await it.governance.write.cancel([id], { account: guardian.account });
  await time.increase(DELAY);
  await assert.rejects(execute(it, target, data), /UnexpectedOperationState/);
});

test("governance admits and expels validators, who keep their stakes", async () => {
  const plain = await world();
  const { governance } = plain;
  const as = { account: alice.account };
  const owner = addressOf(alice);
  const members = { candidates: [{ signer: owner, owner }], stake: 10n };
  const it = await deployRollup({
    governance: governance.address,
    validators: { ...members, evidenceWindow: 1n, unbondingDelay: 2n },
  });
  const address = await it.rollup.read.validators();
  const registry = await viem.getContractAt("ValidatorRegistry", address);
  await it.token.write.mint([owner, 10n]);
  await it.token.write.approve([address, 10n], as);
  await registry.write.bond([owner], as);
  assert.equal(await registry.read.quorum(), 1n);
  const call = { abi: registry.abi, functionName: "expel", args: [owner] } as const;
  await propose(plain, address, encodeFunctionData(call));
  await time.increase(DELAY);
  await execute(plain, address, encodeFunctionData(call));
  assert.deepEqual(await registry.read.members(), []);
  assert.equal(await registry.read.admitted(), 0n);
  await time.increase(2);
  await registry.write.release([owner]);
  await registry.write.payCredit([owner]);
  assert.equal(await it.token.read.balanceOf([owner]), 10n);
});

test("A4: nobody but the timelock changes anything, with or without governance", async () => {
  const it = await world();
  const free = await deployRollup();
  const { address } = it.verifier;
  for (const client of [operator, proposer, guardian, eve]) {
    const { account } = client;
    for (const [{ rollup }, name] of [
      [it, getAddress(it.governance.address)],
      [free, zeroAddress],
    ] as const) {
      for (const call of [
        rollup.write.setVerifiers([address, address, address], { account }),
        rollup.write.setOracleSet([1n], { account }),
        rollup.write.setOperator([eve.account.address], { account }),
        rollup.write.setMinimumDeposit([2n], { account }),
      ]) {
        const args = [getAddress(account.address), name] as const;
        await refused({ rollup }, call, "CallerNotGovernance", [...args]);
      }
    }
  }
});

test("A4: no change while an operation is overdue, and none after a freeze", async () => {
  const it = await world();
  const changes = await changesOf(it);
  for (const [target, data] of changes) await propose(it, target, data);
  await time.increase(DELAY - 1);
  await deposit(it, alice, 50n);
  await nextBlockAt(await it.rollup.read.freezableAt());
  const [target, data] = changes[0]!;
  // The change could have come a week ago; now whoever is owed a service freezes under old rules.
  await assert.rejects(execute(it, target, data), /ChangeWhileOverdue/);
  await it.rollup.write.freeze({ account: eve.account });
  const before = await it.rollup.read.exitVerifier();
  for (const [to, call, name] of changes) {
    if (name === "admit" || name === "expel") continue;
    await assert.rejects(execute(it, to, call), /AlreadyFrozen/, name);
  }
  assert.equal(await it.rollup.read.exitVerifier(), before);
});

test("a pause stops deposits and batches, and ends by itself", async () => {
  const it = await world();
  const as = { account: guardian.account };
  await approve(it, alice, 100n);
  const words = await tradeBatch(it);
  for (const client of [operator, proposer, eve]) {
    const call = it.rollup.write.pause({ account: client.account });
    await refused(it, call, "CallerMayNotPause", [addressOf(client)]);
  }
  await it.rollup.write.pause(as);
  const end = BigInt((await time.latest()) + PAUSE);
  assert.equal(await it.rollup.read.pausedUntil(), end);
  const put = () => it.rollup.write.deposit([50n, NO_KEY], { account: alice.account });
  for (const call of [put, () => submit(it, words)]) {
    await nextBlockAt(BigInt((await time.latest()) + 1));
    await refused(it, call(), "PausedUntil", [end, BigInt((await time.latest()) + 1)]);
  }
  const again = end + BigInt(DEADLINE);
  await nextBlockAt(end);
  await put();
  await submit(it, await tradeBatch(it));
  await nextBlockAt(again - 1n);
  await refused(it, it.rollup.write.pause(as), "PauseTooSoon", [again, again - 1n]);
  await nextBlockAt(again);
  await it.rollup.write.pause(as);
  await it.rollup.write.unpause(as);
  await put();
  await refused(it, it.rollup.write.unpause(as), "NotPaused", []);
});

test("A4: no pause stops a forced request, withdrawal, freeze, exit or refund", async () => {
  const it = await world();
  const as = { account: guardian.account };
  const owner = addressOf(alice);
  await deposit(it, alice, 100n);
  await serve(it, [
    { kind: "deposit", account: 3, owner, amount: 100n },
    { kind: "withdraw", account: 3, owner, amount: 10n },
  ]);
  await deposit(it, bob, 7n);
  await it.rollup.write.pause(as);
  const paused = async () => {
    const now = BigInt(await time.latest());
    assert.ok((await it.rollup.read.pausedUntil()) > now);
  };
  await it.rollup.write.forceWithdraw([5n], { account: alice.account });
  await it.rollup.write.registerKey([{ ...NO_KEY, index: 1 }], { account: alice.account });
  await it.rollup.write.withdraw([owner], { account: eve.account });
  await paused();
  // The next pause is timed to hold when the queue is overdue.
  await time.increaseTo((await it.rollup.read.pausableAt()) - 1n);
  await it.rollup.write.pause(as);
  await it.rollup.write.freeze({ account: eve.account });
  await it.rollup.write.exit([3n, owner, 90n, NO_PROOF], { account: eve.account });
  await it.rollup.write.refundDeposit([1n], { account: eve.account });
  await paused();
  await time.increase(WINDOW);
  await it.rollup.write.pause(as);
  await it.rollup.write.payExit([3n], { account: eve.account });
  await paused();
  assert.equal(await it.token.read.balanceOf([owner]), 100n);
  assert.equal(await it.token.read.balanceOf([addressOf(bob)]), 7n);
});

test("A4: a pause leaves what was sealed before it the time to be anchored", async () => {
  const it = await world();
  const sealed = BigInt(await time.latest()) * 1000n;
  await it.rollup.write.pause({ account: guardian.account });
  await time.increaseTo((await it.rollup.read.pausedUntil()) + BigInt(DAY) - 60n);
  await submit(it, await tradeBatch(it, [], { time: sealed, snapshotTime: sealed }));
});

test("A4: what is due and not executed within two weeks needs its whole notice again", async () => {
  const it = await world();
  const { governance } = it;
  const grace = Number(await governance.read.GRACE_PERIOD());
  assert.equal(grace, 14 * DAY);
  const [[target, data], [, other]] = (await changesOf(it)) as [
    [Address, Hex, string],
    [Address, Hex, string],
  ];
  const both = [[target, target], [0n, 0n], [data, other], zeroHash, zeroHash] as const;
  const as = { account: proposer.account };
  await propose(it, target, data);
  const expiry = (await time.latest()) + DELAY + grace;
  await governance.write.scheduleBatch([...both, BigInt(DELAY)], as);
  const id = await governance.read.hashOperation([target, 0n, data, zeroHash, zeroHash]);
  const expired = (call: Promise<unknown>, args: readonly unknown[]) =>
    refused({ rollup: governance } as never, call, "ProposalExpired", args);
  await nextBlockAt(expiry);
  await expired(execute(it, target, data), [id, BigInt(expiry), BigInt(expiry)]);
  const batchId = await governance.read.hashOperationBatch([...both]);
  await nextBlockAt(expiry + 1);
  const executed = governance.write.executeBatch([...both], { account: eve.account });
  await expired(executed, [batchId, BigInt(expiry + 1), BigInt(expiry + 1)]);
  await governance.write.cancel([id], as);
  await propose(it, target, data);
  const last = (await time.latest()) + DELAY + grace - 1;
  await nextBlockAt(last - grace);
  await assert.rejects(execute(it, target, data), /UnexpectedOperationState/);
  await nextBlockAt(last);
  await execute(it, target, data);
  await assert.rejects(execute(it, target, data), /UnexpectedOperationState/);
});

test("several changes of one proposal are made together", async () => {
  const it = await world();
  const { governance, rollup } = it;
  const changes = (await changesOf(it)).slice(1, 4);
  const [targets, payloads] = [changes.map(([to]) => to), changes.map(([, data]) => data)];
  const all = [targets, changes.map(() => 0n), payloads, zeroHash, zeroHash] as const;
  await governance.write.scheduleBatch([...all, BigInt(DELAY)], { account: proposer.account });
  const due = (await time.latest()) + DELAY;
  const executing = () => governance.write.executeBatch([...all], { account: eve.account });
  await nextBlockAt(due - 1);
  await assert.rejects(executing(), /UnexpectedOperationState/);
  await nextBlockAt(due);
  await executing();
  const { oracleSetHash, minimumDeposit } = rollup.read;
  assert.deepEqual([await oracleSetHash(), await minimumDeposit()], [78n, 9n]);
  await assert.rejects(executing(), /UnexpectedOperationState/);
});

test("without proposer and guardian the system runs on, and lets everybody out", async () => {
  const it = await world();
  const { governance, rollup } = it;
  const role = async (name: "PROPOSER_ROLE" | "CANCELLER_ROLE" | "PAUSER_ROLE") =>
    governance.read[name]();
  for (const [client, names] of [
    [proposer, ["PROPOSER_ROLE", "CANCELLER_ROLE"]],
    [guardian, ["CANCELLER_ROLE", "PAUSER_ROLE"]],
  ] as const) {
    for (const name of names) {
      const args = [await role(name), client.account.address] as const;
      await governance.write.renounceRole(args, { account: client.account });
    }
  }
  const [[target, data]] = (await changesOf(it)) as [[Address, Hex, string]];
  await assert.rejects(propose(it, target, data), /Unauthorized/);
  const call = rollup.write.pause({ account: guardian.account });
  await refused(it, call, "CallerMayNotPause", [addressOf(guardian)]);
  // The operator is gone as well: anybody anchors, then nobody does, and the hatch opens.
  await deposit(it, alice, 40n);
  await time.increase(DAY);
  const owner = addressOf(alice);
  const words = await ledgerBatch(it, [{ kind: "deposit", account: 3, owner, amount: 40n }]);
  await rollup.write.submitBatch([words, 9n, NO_PROOF, "0x"], { account: eve.account });
  await rollup.write.forceWithdraw([40n], { account: alice.account });
  await time.increase(DEADLINE);
  await rollup.write.freeze({ account: eve.account });
  await rollup.write.exit([3n, owner, 40n, NO_PROOF], { account: eve.account });
  await time.increase(WINDOW);
  await rollup.write.payExit([3n], { account: eve.account });
  assert.equal(await it.token.read.balanceOf([owner]), 40n);
});

test("proposer and guardian are two, and both exist", async () => {
  const it = await world();
  const [a, b] = [addressOf(proposer), addressOf(guardian)];
  for (const pair of [
    [zeroAddress, b],
    [a, zeroAddress],
    [a, a],
  ] as const) {
    const call = viem.deployContract("Governance", [BigInt(DELAY), ...pair]);
    await refused({ rollup: it.governance } as never, call, "RoleHolderInvalid", [...pair]);
  }
});
