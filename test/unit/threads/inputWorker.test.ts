// The thread that makes circuits' inputs: the same ones, in order; and what follows when it ends.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { InputOrigin } from "../../../sequencer/batch/inputMaker.ts";
import { encodeJson } from "../../../sequencer/batch/log.ts";
import type { SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import type { InputDesk } from "../../../sequencer/ports.ts";
import { InputWorkerError, openInputWorker } from "../../../sequencer/threads/inputWorker.ts";
import { fundMarket } from "../../agreement/commands.ts";
import {
  createMarket,
  listMarket,
  type Market,
  oracleKeys,
  order,
  TEST_DOMAIN,
} from "../../support/market.ts";

function originOf({ sizes, state }: Market): InputOrigin {
  const deployed = { sizes, domain: TEST_DOMAIN, oracles: oracleKeys(sizes) };
  return { ...deployed, shape: sizes.trade, state: state.exportState() };
}

/** Ledger and trade batches: deposits, books, orders that rest and that meet. */
function trade(market: Market): readonly SealedBatch[] {
  fundMarket(market);
  for (const [account, isSell] of [
    [2, false],
    [3, true],
  ] as const) {
    market.trade(account, order({ book: 0, isSell, price: 200 }));
  }
  market.seal();
  return market.sealed;
}

function open(context: TestContext, market: Market): InputDesk {
  const desk = openInputWorker(originOf(market));
  context.after(desk.stop);
  return desk;
}

const ask = (desk: InputDesk, { draft, rootAfter }: SealedBatch) => desk.make(draft!, rootAfter);

test("a thread makes what the seal would have made, in its order", async (context) => {
  const drafted = createMarket("tiny", { hasInputs: "later" });
  const desk = open(context, drafted);
  const batches = trade(drafted);
  const whole = trade(createMarket());
  assert.ok(batches.length > 2);
  assert.deepEqual(new Set(whole.map(({ kind }) => kind)), new Set(["ledger", "trade"]));
  const made = await Promise.all(batches.map((batch) => ask(desk, batch)));
  assert.deepEqual(
    made,
    whole.map(({ inputs }) => encodeJson(inputs)),
  );
});

test("a thread that goes on from a later state knows what was before", async (context) => {
  const drafted = createMarket("tiny", { hasInputs: "later" });
  listMarket(drafted);
  drafted.seal();
  const desk = open(context, drafted);
  const whole = createMarket();
  listMarket(whole);
  whole.seal();
  for (const market of [drafted, whole]) market.deposit(5, 1_000_000);
  assert.equal(await ask(desk, drafted.seal()), encodeJson(whole.seal().inputs));
});

test("once it has failed it makes nothing any more", async (context) => {
  const market = createMarket("tiny", { hasInputs: "later" });
  const desk = open(context, market);
  market.deposit(5, 1_000_000);
  const first = market.seal();
  market.deposit(6, 1_000_000);
  const second = market.seal();
  // Both are asked for before the first can have failed.
  const wrong = ask(desk, { ...first, rootAfter: 1n });
  const after = ask(desk, second);
  await assert.rejects(wrong, (error: Error) => {
    assert.match(String(error.cause), /leads to/);
    return error instanceof InputWorkerError;
  });
  await assert.rejects(after, InputWorkerError);
  await assert.rejects(ask(desk, second), InputWorkerError);
});

test("what waits when it is stopped is refused", async () => {
  const market = createMarket("tiny", { hasInputs: "later" });
  const desk = openInputWorker(originOf(market));
  market.deposit(5, 1_000_000);
  const sealed = market.seal();
  const waiting = assert.rejects(ask(desk, { ...sealed, rootAfter: 1n }), InputWorkerError);
  await desk.stop();
  await waiting;
  await assert.rejects(ask(desk, sealed), InputWorkerError);
});
