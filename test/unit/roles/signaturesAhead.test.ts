// Signatures that a second thread looks at first: the same messages are taken, in the same order,
// and none that is not signed, whatever becomes of the thread.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { SubmitResult } from "../../../sequencer/exchangeService.ts";
import type { SignatureClaim, SignatureDesk } from "../../../sequencer/ports.ts";
import { openSignatureWorker } from "../../../sequencer/threads/signatureWorker.ts";
import { createMarket, PLACE, type TestTrader, turns, type World } from "./market.ts";
import { silent } from "./ports.ts";

const STUCK_MS = 50;

function submitPlace(world: World, trader: TestTrader, price: number): Promise<SubmitResult> {
  const deadline = world.clock.now() + 60_000;
  return world.submit(trader, { ...PLACE, price, deadline });
}

/** Signed by another key than the one that it names. */
function submitForged(world: World, { account }: TestTrader, by: TestTrader) {
  const deadline = world.clock.now() + 60_000;
  const signed = by.peek({ ...PLACE, price: 400, deadline });
  return world.sequencer.service.submit({ account, keyIndex: 0, ...signed });
}

function codeOf(result: SubmitResult): string {
  return result.accepted ? "accepted" : result.code;
}

/** Waits with everything until it is told. */
function heldDesk() {
  const waiting: (() => void)[] = [];
  const claims: SignatureClaim[] = [];
  const flush = (): void => {
    for (const done of waiting.splice(0)) done();
  };
  const desk: SignatureDesk = {
    ahead: (claim, done) => {
      claims.push(claim);
      waiting.push(done);
    },
    flush,
    stop: async () => undefined,
  };
  return { desk, claims, waiting, flush };
}

const threads = {
  alive: undefined,
  dead: new URL("../threads/deadThread.ts", import.meta.url),
  stuck: new URL("../threads/stuckThread.ts", import.meta.url),
};

function openThread(context: TestContext, thread: URL | undefined): SignatureDesk {
  const options = thread === undefined ? {} : { thread, stuckMs: STUCK_MS };
  const desk = openSignatureWorker(silent, options);
  context.after(desk.stop);
  // The thread alone would not keep this process.
  const awake = setInterval(() => undefined, 1000);
  context.after(() => clearInterval(awake));
  return desk;
}

for (const [name, thread] of Object.entries(threads)) {
  test(`what is signed is taken in order with a thread that is ${name}`, async (context) => {
    const signatures = openThread(context, thread);
    const { world, maker, taker } = await createMarket({}, { signatures });
    const sent: Promise<SubmitResult>[] = [];
    for (let index = 0; index < 12; index++) {
      for (const trader of [maker, taker]) sent.push(submitPlace(world, trader, 400 + index));
      if (index === 5) sent.push(submitForged(world, maker, taker));
    }
    const results = await Promise.all(sent);
    const codes = results.map(codeOf);
    assert.equal(codes.filter((code) => code === "accepted").length, 24);
    assert.equal(codes[12], "badSignature");
    const places = results.flatMap((result) =>
      result.accepted ? [result.receipt.logPosition] : [],
    );
    assert.deepEqual(
      places,
      places.toSorted((one, other) => one - other),
    );
  });
}

test("messages wait for their turn, each guessed to extend the one before", async () => {
  const { desk, claims, flush } = heldDesk();
  const { world, maker } = await createMarket({}, { signatures: desk });
  const first = submitPlace(world, maker, 400);
  const afterFirst = maker.head();
  const second = submitPlace(world, maker, 401);
  await turns();
  assert.deepEqual(
    claims.map(({ message }) => message),
    [afterFirst, maker.head()],
  );
  assert.equal((await world.sequencer.service.orders(maker.account)).length, 0);
  flush();
  assert.deepEqual((await Promise.all([first, second])).map(codeOf), ["accepted", "accepted"]);
});

test("a wrong guess costs the honest key nothing", async () => {
  const { desk, flush } = heldDesk();
  const { world, maker, taker } = await createMarket({}, { signatures: desk });
  const forged = submitForged(world, maker, taker);
  const honest = submitPlace(world, maker, 401);
  await turns();
  flush();
  assert.deepEqual((await Promise.all([forged, honest])).map(codeOf), ["badSignature", "accepted"]);
});

test("a withdrawal goes behind what its key has sent before, though that still waits", async () => {
  const { desk, flush } = heldDesk();
  const { world, maker } = await createMarket({}, { signatures: desk });
  const order = submitPlace(world, maker, 400);
  const deadline = world.clock.now() + 60_000;
  const withdrawal = world.submit(maker, { kind: "withdraw", amount: 1_000_000, deadline });
  await turns();
  flush();
  const placed = await order;
  for (let count = 0; count < 3; count++) await world.step(1000);
  const paid = await withdrawal;
  assert.ok(placed.accepted && paid.accepted);
  assert.ok(paid.receipt.logPosition > placed.receipt.logPosition);
});

test("what still waits when the node stops is answered", async () => {
  const { desk, waiting } = heldDesk();
  const { world, maker } = await createMarket({}, { signatures: desk });
  const order = submitPlace(world, maker, 400);
  await turns();
  assert.equal(waiting.length, 1);
  await world.sequencer.stop();
  assert.equal(codeOf(await order), "accepted");
});
