// The thread that follows the state: the same roots and inputs, in order; that whoever needs a root
// at once gets it; and what follows when the thread ends.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { InputDraft } from "../../../sequencer/batch/inputDraft.ts";
import { encodeJson } from "../../../sequencer/batch/log.ts";
import type { InputDesk } from "../../../sequencer/ports.ts";
import { BusyError } from "../../../sequencer/protocol/busy.ts";
import {
  InputWorkerError,
  openInputWorker,
  PROOFS_WAITING_MAX,
} from "../../../sequencer/threads/inputWorker.ts";
import { fundMarket } from "../../agreement/commands.ts";
import { createMarket, listMarket, type Market, order } from "../../support/market.ts";

const drafting = { following: "drafts" } as const;

/** Ledger and trade batches: deposits, books, orders that rest and that meet. */
function trade(market: Market): Market {
  fundMarket(market);
  for (const [account, isSell] of [
    [2, false],
    [3, true],
  ] as const) {
    market.trade(account, order({ book: 0, isSell, price: 200 }));
  }
  market.seal();
  return market;
}

/** Goes on from where the market began. */
function open(context: TestContext, { follower }: Market): InputDesk {
  const desk = openInputWorker(follower.origin());
  context.after(desk.stop);
  return desk;
}

test("a thread comes to the roots and inputs that the executor would, in its order", async (t) => {
  const { follower } = trade(createMarket("tiny", drafting));
  const desk = openInputWorker(follower.origin());
  t.after(desk.stop);
  const whole = trade(createMarket()).sealed;
  assert.ok(follower.taken.length > 2);
  assert.deepEqual(new Set(whole.map(({ kind }) => kind)), new Set(["ledger", "trade"]));
  assert.equal(desk.root(), whole[0]!.rootBefore);
  const made = follower.taken.map((draft, index) => {
    desk.take(draft);
    // Now, with nothing awaited: each batch ends before anybody has heard of the one before.
    assert.equal(desk.hashes().commitment, whole[index]!.commitment);
    assert.equal(desk.root(), whole[index]!.rootAfter);
    return desk.inputs(draft.opening.number);
  });
  assert.deepEqual(
    await Promise.all(made),
    whole.map(({ inputs }) => encodeJson(inputs)),
  );
});

test("whoever has time hears of roots; an account is proven as it was then", async (context) => {
  const market = createMarket("tiny", drafting);
  const { follower } = market;
  const desk = open(context, market);
  await desk.hasHashes(0);
  assert.equal(await desk.ledgerProof(5), null);
  market.deposit(5, 1_000_000);
  const { rootAfter } = market.seal();
  desk.take(follower.taken[0]!);
  await desk.hasHashes(1);
  assert.equal(desk.root(), rootAfter);
  const proof = await desk.ledgerProof(5);
  assert.equal(proof?.root, rootAfter);
  assert.equal(proof.cash, 1_000_000);
  assert.deepEqual(proof, follower.ledgerProof(5));
  // Inputs are given once.
  await desk.inputs(1);
  await assert.rejects(desk.inputs(1), RangeError);
});

test("proofs of accounts are asked for one by one: a batch waits for no more", async (context) => {
  const market = createMarket("tiny", drafting);
  const desk = open(context, market);
  await desk.hasHashes(0);
  market.deposit(5, 1_000_000);
  const { rootAfter } = market.seal();
  const asked = Array.from({ length: PROOFS_WAITING_MAX }, () => desk.ledgerProof(5));
  await assert.rejects(desk.ledgerProof(5), BusyError);
  desk.take(market.follower.taken[0]!);
  assert.equal(desk.root(), rootAfter);
  const proofs = await Promise.all(asked);
  // Only the first was on its way when the batch ended.
  assert.deepEqual([proofs[0], proofs[1]?.root, proofs.at(-1)?.root], [null, rootAfter, rootAfter]);
  assert.equal((await desk.ledgerProof(5))?.root, rootAfter);
});

test("a thread that goes on from a later state knows what was before", async (context) => {
  const start = createMarket();
  listMarket(start);
  start.seal();
  const [state, number] = [start.state.exportState(), start.executor.nextNumber() - 1];
  const desk = openInputWorker({ ...start.follower.origin(), state, number });
  context.after(desk.stop);
  assert.equal(desk.root(), start.executor.root());
  const drafted = createMarket("tiny", drafting);
  listMarket(drafted);
  drafted.seal();
  for (const market of [drafted, start]) market.deposit(5, 1_000_000);
  drafted.seal();
  const { inputs } = start.seal();
  desk.take(drafted.follower.taken.at(-1)!);
  assert.equal(await desk.inputs(number + 1), encodeJson(inputs));
});

test("once it has failed it gives nothing any more, and nobody waits for ever", async (context) => {
  const market = createMarket("tiny", drafting);
  const desk = open(context, market);
  for (const account of [5, 6]) {
    market.deposit(account, 1_000_000);
    market.seal();
  }
  const [first, second] = market.follower.taken as [InputDraft, InputDraft];
  const work = { kind: "ledger", operations: undefined } as unknown as InputDraft["work"];
  // Both are asked for before the first can have failed.
  desk.take({ ...first, work });
  desk.take(second);
  const asked = [desk.inputs(1), desk.inputs(2), desk.hasHashes(1)];
  assert.throws(() => desk.root(), InputWorkerError);
  for (const each of asked) await assert.rejects(each, InputWorkerError);
  assert.throws(() => desk.take(second), InputWorkerError);
  await assert.rejects(desk.ledgerProof(5), InputWorkerError);
  await assert.rejects(desk.hasHashes(2), InputWorkerError);
});

test("what waits when it is stopped is refused", async () => {
  const market = createMarket("tiny", drafting);
  const desk = openInputWorker(market.follower.origin());
  market.deposit(5, 1_000_000);
  market.seal();
  // It fails or is stopped, whichever comes first.
  const work = { kind: "ledger", operations: undefined } as unknown as InputDraft["work"];
  desk.take({ ...market.follower.taken[0]!, work });
  const waiting = assert.rejects(desk.inputs(1), InputWorkerError);
  await desk.stop();
  await waiting;
  assert.throws(() => desk.take(market.follower.taken[0]!), InputWorkerError);
});

/** Ends when its heap is full; a node that waits for it would do so for minutes. */
const FULL = {
  thread: new URL("./fullThread.ts", import.meta.url),
  resourceLimits: { maxOldGenerationSizeMb: 32 },
};

test("a full heap ends the thread, and whoever stands still for a root hears", async (context) => {
  const market = createMarket("tiny", drafting);
  market.deposit(5, 1_000_000);
  market.seal();
  const desk = openInputWorker(market.follower.origin(), FULL);
  context.after(desk.stop);
  assert.equal(desk.root(), 1n);
  desk.take(market.follower.taken[0]!);
  const asked = [desk.inputs(1), desk.hasHashes(1), desk.ledgerProof(5)];
  assert.throws(() => desk.hashes(), { name: InputWorkerError.name, message: /has ended/ });
  for (const each of asked) await assert.rejects(each, InputWorkerError);
});

test("so does whoever stands still until it begins", async (context) => {
  const origin = { ...createMarket("tiny", drafting).follower.origin(), number: -1 };
  const desk = openInputWorker(origin, FULL);
  context.after(desk.stop);
  assert.throws(() => desk.root(), { name: InputWorkerError.name, message: /has ended/ });
});

test("whoever waits by an event loop hears of it by that", { timeout: 60_000 }, async (context) => {
  const market = createMarket("tiny", drafting);
  market.deposit(5, 1_000_000);
  market.seal();
  const desk = openInputWorker(market.follower.origin(), FULL);
  context.after(desk.stop);
  await desk.hasHashes(0);
  desk.take(market.follower.taken[0]!);
  const asked = [desk.inputs(1), desk.hasHashes(1), desk.ledgerProof(5)];
  for (const each of asked) await assert.rejects(each, InputWorkerError);
});
