// Batches in one transaction: what they do to the rollup is what they do one by one, bit for bit,
// and whatever is refused of one of them changes nothing at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { getAddress, type Hash, type Hex, numberToHex } from "viem";
import { HEADER } from "../../sequencer/protocol/layout.ts";
import { type Chance, createChance } from "../simulation/random.ts";
import {
  alice,
  bob,
  carol,
  chain,
  deployRollup,
  deposit,
  eve,
  GENESIS,
  KEY,
  NO_KEY,
  networkHelpers,
  nextBlockAt,
  type Operation,
  operator,
  publicClient,
  refused,
  SIZES,
  submit,
  tradeBatch,
  viem,
  type World,
} from "./rollupChain.ts";
import {
  type Certified,
  deployCertified,
  type Plan,
  planned,
  type Submission,
} from "./together.ts";

const { time } = networkHelpers;
const DAY = 86_400;
const RUNS = 24;
const GAS = 4_000_000n;
const OWNERS = [alice, bob, carol];
const world = () => networkHelpers.loadFixture(deployFour);
const plain = () => networkHelpers.loadFixture(deployPlain);

async function deployPlain() {
  return deployRollup();
}

async function deployFour() {
  return deployCertified();
}

async function deployFunded() {
  const it = await deployCertified();
  for (const client of OWNERS) await deposit(it, client, 1_000n);
  const [first, second, third] = OWNERS.map((client, index) => deposited(client, 3 + index));
  await together(it, await planned(it, [ledger([first!, second!, third!], true)]));
  return it;
}

function deposited(client: typeof alice, account: number, amount = 1_000n): Operation {
  return { kind: "deposit", account, owner: getAddress(client.account.address), amount };
}

function ledger(operations: readonly Operation[], isCertified = false): Plan {
  return { kind: "ledger", operations, isCertified };
}

function together({ rollup }: World, batches: readonly Submission[]): Promise<Hash> {
  return rollup.write.submitBatches([batches], { gas: GAS });
}

/** Something that an owner orders on layer one, and the operation that serves it. */
async function order({ rollup, ...it }: World, chance: Chance): Promise<Operation> {
  const index = chance.pick(OWNERS.length);
  const client = OWNERS[index]!;
  const as = { account: client.account };
  const base = { account: 3 + index, owner: getAddress(client.account.address) };
  const kind = chance.one(["deposit", "registerKey", "forcedWithdraw", "forcedCancelAll"] as const);
  const amount = BigInt(1 + chance.pick(40));
  if (kind === "deposit") {
    await deposit({ rollup, ...it }, client, amount);
    return { kind, ...base, amount };
  }
  if (kind === "registerKey") {
    await rollup.write.registerKey([KEY], as);
    return { kind, ...base, key: KEY };
  }
  if (kind === "forcedCancelAll") {
    await rollup.write.forceCancelAll(as);
    return { kind, ...base };
  }
  await rollup.write.forceWithdraw([amount], as);
  return { kind, ...base, amount, executed: chance.happens(60) };
}

/** What each batch does: trades, serves some of the queue, or releases money. */
async function randomPlans(it: World, chance: Chance, queue: Operation[]): Promise<Plan[]> {
  for (let i = chance.pick(8); i > 0 && queue.length < 8; i--) queue.push(await order(it, chance));
  // After a day of silence batches need no certificate, until one has had it.
  const firstCertified = chance.happens(50) ? 0 : chance.pick(6);
  const plans: Plan[] = [];
  for (let i = 0; i < 2 + chance.pick(7); i++) {
    const isCertified = i >= firstCertified;
    if (chance.happens(40)) {
      plans.push({ kind: "trade", isCertified });
      continue;
    }
    const operations = queue.splice(0, chance.pick(SIZES.ledgerSteps));
    if (operations.length < SIZES.ledgerSteps && chance.happens(70)) operations.push(paid(chance));
    plans.push(ledger(operations, isCertified));
  }
  return plans;
}

function paid(chance: Chance): Operation {
  const index = chance.pick(OWNERS.length);
  const owner = getAddress(OWNERS[index]!.account.address);
  const amount = BigInt(1 + chance.pick(20));
  return { kind: "withdraw", account: 3 + index, owner, amount, executed: chance.happens(80) };
}

interface Written {
  readonly slots: ReadonlySet<Hex>;
  readonly logs: readonly { readonly address: Hex; readonly topics: readonly Hex[]; data: Hex }[];
}

/** Mines all of it in one block, so that all see the same clock. */
async function mined(sending: () => Promise<Hash[]>, timestamp: number): Promise<Written> {
  const client = await viem.getTestClient();
  await client.setAutomine(false);
  const hashes = await sending();
  await nextBlockAt(timestamp);
  await client.mine({ blocks: 1 });
  await client.setAutomine(true);
  const slots = new Set<Hex>();
  const logs = [];
  for (const hash of hashes) {
    const receipt = await publicClient.getTransactionReceipt({ hash });
    assert.equal(receipt.status, "success");
    logs.push(...receipt.logs.map(({ address, topics, data }) => ({ address, topics, data })));
    for (const slot of await slotsWritten(hash)) slots.add(slot);
  }
  return { slots, logs };
}

async function slotsWritten(hash: Hash): Promise<Hex[]> {
  const { structLogs } = (await chain.provider.request({
    method: "debug_traceTransaction",
    params: [hash, { disableMemory: true, disableStorage: true }],
  } as never)) as { structLogs: readonly { op: string; stack: readonly string[] }[] };
  const stores = structLogs.filter(({ op }) => op === "SSTORE");
  return stores.map(({ stack }) => {
    const top = stack.at(-1)!;
    return numberToHex(BigInt(top.startsWith("0x") ? top : `0x${top}`), { size: 32 });
  });
}

async function storageOf({ rollup }: World, slots: Iterable<Hex>) {
  const values = new Map<Hex, Hex | undefined>();
  for (const slot of [...slots].sort()) {
    values.set(slot, await publicClient.getStorageAt({ address: rollup.address, slot }));
  }
  return values;
}

/** Cuts a run into groups of random sizes. */
function grouped(batches: readonly Submission[], chance: Chance): Submission[][] {
  const groups: Submission[][] = [];
  for (let from = 0; from < batches.length; ) {
    const size = 1 + chance.pick(batches.length - from);
    groups.push(batches.slice(from, from + size));
    from += size;
  }
  return groups;
}

test(`${RUNS} random runs end alike, one by one and together`, async (context) => {
  const it = await networkHelpers.loadFixture(deployFunded);
  const queue: Operation[] = [];
  const seen = { batches: 0, groups: 0, slots: 0, logs: 0 };
  for (let seed = 1; seed <= RUNS; seed++) {
    const chance = createChance(seed);
    await time.increase(DAY + 10);
    const batches = await planned(it, await randomPlans(it, chance, queue));
    const at = (await time.latest()) + 60;
    const before = await networkHelpers.takeSnapshot();
    const singly = await mined(() => inTurn(batches, (batch) => submitOne(it, batch)), at);
    const wanted = await storageOf(it, singly.slots);
    await before.restore();
    const groups = grouped(batches, chance);
    const found = await mined(() => inTurn(groups, (group) => together(it, group)), at);
    assert.deepEqual(found.logs, singly.logs, `seed ${seed}`);
    assert.deepEqual([...found.slots].sort(), [...singly.slots].sort(), `seed ${seed}`);
    assert.deepEqual(await storageOf(it, found.slots), wanted, `seed ${seed}`);
    assert.equal(await it.rollup.read.batchCount(), lastNumber(batches));
    seen.batches += batches.length;
    seen.groups += groups.length;
    seen.slots += wanted.size;
    seen.logs += found.logs.length;
  }
  assert.ok(seen.groups < seen.batches && seen.logs > seen.batches && seen.slots > 5 * RUNS);
  context.diagnostic(`compared: ${JSON.stringify(seen)}`);
});

function lastNumber(batches: readonly Submission[]): bigint {
  return batches.at(-1)!.words[HEADER.indexOf("number")]!;
}

async function inTurn<T>(items: readonly T[], send: (item: T) => Promise<Hash>): Promise<Hash[]> {
  const hashes: Hash[] = [];
  for (const item of items) hashes.push(await send(item));
  return hashes;
}

function submitOne({ rollup }: World, { words, commitment, proof, certificate }: Submission) {
  return rollup.write.submitBatch([words, commitment, proof, certificate], { gas: GAS });
}

const TRADES: readonly Plan[] = [1, 2, 3].map(() => ({ kind: "trade" }));

test("every batch of a group is checked as if those before it were anchored", async () => {
  const it = await plain();
  const good = await planned(it, TRADES);
  const start = good[0]!.words[HEADER.indexOf("time")]!;
  const table: readonly [number, Plan["header"], string, readonly bigint[]][] = [
    [0, { number: 2n }, "BatchNumberUnequal", [2n, 1n]],
    [1, { number: 3n }, "BatchNumberUnequal", [3n, 2n]],
    [2, { number: 1n }, "BatchNumberUnequal", [1n, 3n]],
    [1, { rootBefore: GENESIS }, "BatchRootUnequal", [GENESIS, GENESIS + 1n]],
    [2, { rootBefore: GENESIS + 1n }, "BatchRootUnequal", [GENESIS + 1n, GENESIS + 2n]],
    [1, { time: start, snapshotTime: 1n }, "BatchTimeNotAfter", [start, start]],
    [2, { oracleSet: 78n }, "BatchOracleSetUnequal", [78n, 77n]],
    [1, { kind: 3n }, "BatchKindUnknown", [3n]],
  ];
  for (const [place, header, error, args] of table) {
    const plans = TRADES.map((plan, index) => (index === place ? { ...plan, header } : plan));
    const call = it.rollup.simulate.submitBatches([await planned(it, plans)]);
    // Each reads the clock of its own making: only the times of one are compared.
    if (error !== "BatchTimeNotAfter") await refused(it, call, error, args as never);
    else await viem.assertions.revertWithCustomError(call, it.rollup, error);
  }
  const swapped = [good[1]!, good[0]!, good[2]!];
  const call = it.rollup.simulate.submitBatches([swapped]);
  await refused(it, call, "BatchNumberUnequal", [2n, 1n]);
  const twice = it.rollup.simulate.submitBatches([[good[0]!, good[0]!]]);
  await refused(it, twice, "BatchNumberUnequal", [1n, 2n]);
  await together(it, good);
  assert.equal(await it.rollup.read.stateRoot(), GENESIS + 3n);
});

test("a group has 1 to 16 batches", async () => {
  const it = await plain();
  const plans = (count: number) => Array.from({ length: count }, () => TRADES[0]!);
  for (const count of [0, 17]) {
    const call = it.rollup.simulate.submitBatches([await planned(it, plans(count))]);
    await refused(it, call, "BatchesOutOfRange", [BigInt(count), 16n]);
  }
  for (const count of [1, 16]) {
    await it.rollup.write.submitBatches([await planned(it, plans(count))]);
  }
  assert.equal(await it.rollup.read.batchCount(), 17n);
});

test("D4: who is not the operator anchors one batch, and not a second with it", async () => {
  const it = await plain();
  await deposit(it, alice, 5n);
  const as = { account: eve.account.address };
  const stranger = [eve, operator].map(({ account }) => getAddress(account.address));
  const openAt = BigInt(await time.latest()) + BigInt(DAY);
  const early = it.rollup.simulate.submitBatches([await planned(it, TRADES.slice(0, 1))], as);
  await refused(it, early, "SubmitterNotOperator", [...stranger, openAt]);
  await time.increase(DAY + 1);
  const batches = await planned(it, TRADES);
  const now = BigInt(await time.latest()) + 5n;
  await nextBlockAt(now);
  const call = it.rollup.write.submitBatches([batches], { ...as, gas: GAS });
  await refused(it, call, "SubmitterNotOperator", [...stranger, now + BigInt(DAY)]);
  await it.rollup.write.submitBatches([batches.slice(0, 1)], as);
  assert.equal(await it.rollup.read.batchCount(), 1n);
});

test("a contract cannot submit, nor anybody after a freeze", async () => {
  const it = await plain();
  await deposit(it, alice, 5n);
  const batches = await planned(it, TRADES);
  // Code of one byte in the operator's own account, as EIP-7702 would put it there.
  await networkHelpers.setCode(operator.account.address, "0x00");
  const account = getAddress(operator.account.address);
  const call = it.rollup.simulate.submitBatches([batches]);
  await refused(it, call, "SubmitterNotPlain", [account]);
  await networkHelpers.setCode(operator.account.address, "0x");
  await time.increase(8 * DAY);
  await it.rollup.write.freeze();
  const late = it.rollup.simulate.submitBatches([await planned(it, TRADES)]);
  await viem.assertions.revertWithCustomError(late, it.rollup, "AlreadyFrozen");
});

/** Every way in which one batch of four may lack what it needs. */
test("one batch that is refused takes all with it, wherever it stands", async () => {
  const it = await networkHelpers.loadFixture(deployFunded);
  const plans = [ledger([], true), ledger([], true), ledger([], true), ledger([], true)];
  const count = await it.rollup.read.batchCount();
  const spoiled: readonly [Partial<Plan>, string][] = [
    [{ isCertified: false }, "CertificateMissing"],
    [{ operations: [deposited(alice, 3)] }, "QueueEmpty"],
    [{ operations: [{ ...deposited(alice, 3, 9_000n), kind: "withdraw" }] }, "WithdrawalsExceed"],
    [{ header: { domain: 1n } }, "BatchDomainUnequal"],
  ];
  const slots = Array.from({ length: 24 }, (_, slot) => numberToHex(slot, { size: 32 }));
  const before = await storageOf(it, slots);
  for (const [change, error] of spoiled) {
    for (const place of plans.keys()) {
      const batches = await planned(
        it,
        plans.map((plan, index) => (index === place ? { ...plan, ...change } : plan)),
      );
      await assert.rejects(together(it, batches), new RegExp(error));
      assert.deepEqual(await storageOf(it, slots), before);
    }
  }
  await together(it, await planned(it, plans));
  assert.equal(await it.rollup.read.batchCount(), count + 4n);
});

test("a certificate counts for its own batch only", async () => {
  const it: Certified = await world();
  const plans = TRADES.map((plan) => ({ ...plan, isCertified: true }));
  const batches = await planned(it, plans);
  const swapped = batches.map((batch, index) => {
    const from = [1, 0, 2][index]!;
    return { ...batch, certificate: batches[from]!.certificate };
  });
  await assert.rejects(together(it, swapped), /CertificateSignatureInvalid/);
  // A certified one ends the silence in which none were needed, for those behind it too.
  await time.increase(DAY + 1);
  const mixed = [TRADES[0]!, plans[1]!, TRADES[2]!];
  await assert.rejects(together(it, await planned(it, mixed)), /CertificateMissing/);
  await together(it, await planned(it, [TRADES[0]!, TRADES[1]!, plans[2]!]));
  assert.equal(await it.rollup.read.lastCertifiedAt(), BigInt(await time.latest()));
});

test("a verifier that refuses one proof refuses the group", async () => {
  const it = await plain();
  const batches = await planned(it, TRADES);
  await it.verifier.write.setRefuses([true]);
  await refused(it, it.rollup.simulate.submitBatches([batches]), "BatchProofsInvalid", [1n, 3n]);
  await it.verifier.write.setRefuses([false]);
  await together(it, batches);
  await it.verifier.write.setRefuses([true]);
  const more = await planned(it, TRADES.slice(0, 2));
  await refused(it, it.rollup.simulate.submitBatches([more]), "BatchProofsInvalid", [4n, 5n]);
});

test("a verifier without a key takes batches one by one only", async () => {
  const mute = await viem.deployContract("MuteVerifier");
  const it = await deployRollup({ tradeVerifier: mute.address });
  const call = it.rollup.simulate.submitBatches([await planned(it, TRADES)]);
  await viem.assertions.revertWithCustomError(call, it.rollup, "VerifyingKeyMissing");
  await submit(it, await tradeBatch(it));
  assert.equal(await it.rollup.read.batchCount(), 1n);
});

test("the queue is served in its order across the batches of a group", async () => {
  const it = await plain();
  await deposit(it, bob, 7n, NO_KEY);
  await deposit(it, bob, 8n, KEY);
  const base = { account: 3, owner: getAddress(bob.account.address) };
  const first = ledger([{ kind: "deposit", ...base, amount: 7n }]);
  const second = ledger([{ kind: "deposit", ...base, amount: 8n, key: KEY }]);
  await assert.rejects(together(it, await planned(it, [second, first])), /OperationUnequal/);
  await together(it, await planned(it, [first, second]));
  assert.equal(await it.rollup.read.unservedDeposits(), 0n);
});
