// B8: the operator seals batches that it publishes never, truncated or with other data. Whatever
// they did, every account of the last proven root leaves with what it had there. The verifiers and
// the proofs are real; what owners know is what layer one says.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createPublicClient, custom } from "viem";
import { exitClaim } from "../../sequencer/batch/exitWitness.ts";
import type { ProofWords, SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { anchoredBatches } from "../../sequencer/cli/anchoredBatches.ts";
import { equityOf } from "../../sequencer/market/riskReport.ts";
import { createExitLedger, type ExitLedger } from "../../sequencer/node/exitProof.ts";
import { HEADER, type HeaderField } from "../../sequencer/protocol/layout.ts";
import { loadCircuit } from "../support/circuit.ts";
import { createDistressRun, DISTRESS_KINDS, runDistress, wait } from "../support/distress.ts";
import { createMarket, FAR, type Market, slotRisk } from "../support/market.ts";
import { type ProvenBatch, proveBatches, proveClaim } from "../support/provenBatches.ts";
import { fill, openMarket, price, takeDeposit } from "./provenMarket.ts";
import {
  alice,
  bob,
  carol,
  chain,
  clients,
  deployProving,
  depositWithKey,
  eve,
  networkHelpers,
  publicClient,
  publicSignals,
  refused,
  WINDOW,
} from "./rollupChain.ts";

const { time } = networkHelpers;
const dave = clients[8]!;
const OWNERS = { 3: alice, 4: bob, 5: carol, 6: dave } as const;
type Id = keyof typeof OWNERS;
const ANCHORED: readonly Id[] = [3, 4, 5];
const AMOUNT = 800_000_000;
const DAVES = 50_000_000;
const KEY_EXPIRY = FAR / 1000 - 1;

let world: Awaited<ReturnType<typeof deployProving>>;
let market: Market;
let withheld: ProvenBatch;
let unproven: SealedBatch;
/** What layer one knows: the ledger rebuilt before anything was withheld. */
let known: ExitLedger;
let equities: Readonly<Record<number, number>>;

function funding(account: Id, amount: number) {
  const owner = OWNERS[account].account.address;
  return { account, owner, amount, keyExpiry: KEY_EXPIRY };
}

function queueDeposit(account: Id, amount: number): Promise<void> {
  return depositWithKey(world, OWNERS[account], funding(account, amount));
}

/** Three accounts; the first has sold what the second holds. */
function tradeOpenly(): void {
  const deposits = ANCHORED.map((account) => funding(account, AMOUNT));
  openMarket(market, { deposits, risks: [slotRisk(200, 80)], expiry: KEY_EXPIRY });
  price(market, [slotRisk(233, 80)]);
  fill(market, 3, 4, { book: 0, price: 190, lots: 40 });
  market.seal();
}

/** In one ledger batch: all of account 5 leaves, most of 4 goes to 3, and the queue is served. */
function tradeSecretly(): void {
  const { cash } = market.state.account(5);
  const forced = { account: 3, owner: BigInt(alice.account.address), amount: 1_000_000 };
  const outcomes = [
    market.payment(5, { kind: "withdraw", amount: cash, deadline: FAR }),
    market.payment(4, { kind: "transfer", to: 3, amount: 700_000_000, deadline: FAR }),
    market.operate({ kind: "forcedWithdraw", ...forced }),
  ].map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ["executed", "executed", "executed"]);
  takeDeposit(market, funding(6, DAVES));
}

before(async () => {
  world = await deployProving(createMarket().executor.root());
  const start = (await time.latest()) + 60;
  const domain = await world.rollup.read.domain();
  market = createMarket("tiny", { domain, time: start * 1000 });
  for (const account of ANCHORED) await queueDeposit(account, AMOUNT);
  tradeOpenly();
  const anchored = market.sealed.length;
  equities = equitiesNow(market);
  tradeSecretly();
  market.seal();
  market.openBatch("ledger");
  unproven = market.seal();
  const proven = await proveBatches(market.sealed.slice(0, anchored + 1));
  await time.increaseTo(start + 600);
  for (const { batch, proof } of proven.slice(0, anchored))
    await publish(batch.words, { batch, proof });
  withheld = proven.at(-1)!;
  await world.rollup.write.forceWithdraw([1_000_000n], { account: alice.account });
  await queueDeposit(6, DAVES);
  known = await rebuilt();
});

function equitiesNow({ state }: Market): Record<number, number> {
  const marks = state.series().map(({ mark }) => mark);
  const equity = (id: number) => equityOf(state.account(id), { marks, changes: [] }, state.unit);
  return Object.fromEntries(state.accountIds().map((id) => [id, equity(id)]));
}

function publish(
  words: readonly bigint[],
  { batch, proof }: { batch: SealedBatch; proof: ProofWords },
) {
  return world.rollup.write.submitBatch([words, batch.commitment, proof, "0x"]);
}

/** As every owner's command line does it. */
async function rebuilt(): Promise<ExitLedger> {
  const client = createPublicClient({ transport: custom(chain.provider) });
  const ledger = createExitLedger(await world.rollup.read.sizes());
  const toBlock = await publicClient.getBlockNumber();
  const rollup = world.rollup.address;
  for await (const { words } of anchoredBatches({ client, rollup, fromBlock: 0n, toBlock })) {
    ledger.apply(words);
  }
  assert.equal(ledger.root(), await world.rollup.read.stateRoot());
  return ledger;
}

test("B8 the batch would be taken whole, so what follows is about its data", async () => {
  const { batch, proof } = withheld;
  const args = [batch.words, batch.commitment, proof, "0x"] as const;
  await world.rollup.simulate.submitBatch(args);
  assert.equal(market.state.account(5).cash, 0);
  assert.ok(market.state.account(3).cash > AMOUNT);
});

test("B8 published truncated, or a word longer, it is refused", async () => {
  const { words } = withheld.batch;
  const expected = BigInt(words.length);
  const headerLength = BigInt(HEADER.length);
  for (const length of [0, 1, HEADER.length - 1]) {
    const args = [BigInt(length), headerLength];
    await refused(
      world,
      publish(words.slice(0, length), withheld),
      "PublicDataLengthUnequal",
      args,
    );
  }
  for (let length = HEADER.length; length < words.length; length++) {
    const args = [BigInt(length), expected];
    await refused(
      world,
      publish(words.slice(0, length), withheld),
      "PublicDataLengthUnequal",
      args,
    );
  }
  const args = [expected + 1n, expected];
  await refused(world, publish([...words, 0n], withheld), "PublicDataLengthUnequal", args);
});

/** What the contract compares before it asks for the proof; with 0 in place of `time`, that too. */
const OWN_ERRORS: Partial<Record<HeaderField, RegExp>> = {
  kind: /BatchKindUnknown/,
  number: /BatchNumberUnequal/,
  rootBefore: /BatchRootUnequal/,
  oracleSet: /BatchOracleSetUnequal/,
  domain: /BatchDomainUnequal/,
};

test("B8 published with any other word, it is refused", async () => {
  const { words, commitment } = withheld.batch;
  for (const [index, word] of words.entries()) {
    const field = HEADER[index];
    for (const other of word === 0n ? [1n] : [word + 1n, 0n]) {
      const lie = words.with(index, other);
      const call = publish(lie, withheld);
      const isOld = field === "time" && other === 0n;
      const own = isOld ? /BatchTimeNotAfter/ : field && OWN_ERRORS[field];
      if (own) await assert.rejects(call, own);
      else await refused(world, call, "BatchProofInvalid", publicSignals(lie, commitment).signals);
    }
  }
  // Nor does it help to commit to the other data.
  const lie = words.with(-1, words.at(-1)! + 1n);
  const call = world.rollup.write.submitBatch([lie, commitment + 1n, withheld.proof, "0x"]);
  const { signals } = publicSignals(lie, commitment + 1n);
  await refused(world, call, "BatchProofInvalid", signals);
});

test("B8 no later batch comes without it", async () => {
  const number = BigInt(withheld.batch.number);
  const stated = (batch: SealedBatch) => publish(batch.words, { batch, proof: withheld.proof });
  await refused(world, stated(unproven), "BatchNumberUnequal", [number + 1n, number]);
  const renumbered = unproven.words.with(HEADER.indexOf("number"), number);
  const roots = [unproven.rootBefore, withheld.batch.rootBefore];
  await refused(world, stated({ ...unproven, words: renumbered }), "BatchRootUnequal", roots);
});

test("B8 everybody leaves from the last proven root, whatever the withheld batch did", async () => {
  await time.increaseTo(await world.rollup.read.freezableAt());
  await world.rollup.write.freeze({ account: eve.account });
  const frozenAt = await world.rollup.read.frozenAt();
  await refused(world, publish(withheld.batch.words, withheld), "AlreadyFrozen", [frozenAt]);
  assert.deepEqual(known.view.accountIds(), ANCHORED);
  await assertUnseen();
  for (const account of ANCHORED) await claim(account);
  await time.increase(WINDOW);
  for (const account of ANCHORED) {
    await world.rollup.write.payExit([BigInt(account)], { account: eve.account });
    assert.equal(await balanceOf(OWNERS[account]), equities[account], `account ${account}`);
  }
  // The withheld batch had taken this deposit: for layer one it still waits.
  const [refundable] = await depositsInQueue();
  await world.rollup.write.refundDeposit([refundable!], { account: eve.account });
  assert.equal(await balanceOf(dave), DAVES);
  assert.equal(Number(await world.token.read.balanceOf([world.vault.address])), known.view.fees());
});

async function claim(account: Id): Promise<void> {
  const worth = known.claim(account);
  assert.equal(worth.claim, BigInt(equities[account]!));
  const { address } = OWNERS[account].account;
  const proof = await proveClaim(worth);
  const args = [BigInt(account), address, worth.claim, proof] as const;
  await world.rollup.write.exit(args, { account: eve.account });
}

/** Who profits from the withheld batch cannot exit from it, with a proof of that very state. */
async function assertUnseen(): Promise<void> {
  const ahead = await rebuilt();
  ahead.apply(withheld.batch.words);
  const richer = ahead.claim(3);
  assert.ok(richer.claim > BigInt(equities[3]!));
  const { address } = alice.account;
  const args = [3n, address, richer.claim] as const;
  const proof = await proveClaim(richer);
  const call = world.rollup.write.exit([...args, proof], { account: eve.account });
  await refused(world, call, "ExitProofInvalid", args.slice(0, 3));
}

async function balanceOf(client: typeof alice): Promise<number> {
  return Number(await world.token.read.balanceOf([client.account.address]));
}

async function depositsInQueue(): Promise<bigint[]> {
  const { read } = world.rollup;
  const found = [];
  for (let id = await read.queueStart(); id < (await read.queueEnd()); id++) {
    if ((await read.queuedOperation([id])).kind === 1) found.push(id);
  }
  return found;
}

/** Batches of a market in which everything happens, and what each account had after each. */
function recordedMarket(): { market: Market; had: Readonly<Record<number, number>>[] } {
  const had: Record<number, number>[] = [];
  const recorded = createMarket();
  const seal = recorded.seal;
  recorded.seal = () => {
    const batch = seal();
    had.push(equitiesNow(recorded));
    return batch;
  };
  const run = createDistressRun(() => undefined, recorded);
  for (let step = 0; recorded.sealed.length < 60; step++) {
    const kind = DISTRESS_KINDS[step % DISTRESS_KINDS.length]!;
    runDistress(run, { kind, a: 7919 * step, b: 104_729 * step });
    wait(recorded, 1 + (step % 30));
  }
  return { market: recorded, had };
}

test("B8 wherever the operator stops, accounts have exits of what they had", async (context) => {
  const circuit = await loadCircuit("exit");
  const { market: recorded, had } = recordedMarket();
  const ledger = createExitLedger(recorded.sizes.trade);
  let exits = 0;
  const values = new Set<bigint>();
  for (const [index, { words }] of recorded.sealed.entries()) {
    ledger.apply(words);
    for (const [account, equity] of Object.entries(had[index]!)) {
      const { claim: value, inputs } = exitClaim(ledger.view, Number(account), ledger.unit);
      assert.equal(value, BigInt(Math.max(0, equity)), `account ${account} after ${index + 1}`);
      circuit.check(inputs);
      values.add(value);
      exits++;
    }
  }
  assert.ok(recorded.sealed.length >= 60 && values.size > 50, `${values.size} values`);
  context.diagnostic(`B8: ${exits} exits after ${recorded.sealed.length} batches`);
});
