// What traders are promised: receipts, refusals, stages, back-pressure.
import assert from "node:assert/strict";
import { test } from "node:test";
import { wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import { sign } from "../../../sequencer/protocol/eddsa.ts";
import { messageWord } from "../../../sequencer/protocol/messages.ts";
import type { DoorReject } from "../../../sequencer/protocol/rejection.ts";
import { createMarket, deployment, EXPIRY, PLACE, START, turns, VALIDATORS } from "./market.ts";

const CANCEL_ALL = { kind: "cancelAll", deadline: START + 3_600_000 } as const;

test("an order goes from its receipt to layer one", async () => {
  const { world, maker, taker } = await createMarket();
  const rested = await world.place(maker, { isSell: true, price: 510, lots: 5 });
  assert.equal(rested.outcome, "rested");
  assert.equal(rested.restingLots, 5);
  const filled = await world.place(taker, { price: 512, lots: 3 });
  assert.equal(filled.outcome, "filled");
  // 0.03 % of the underlying at 20000 ticks is 6 ticks for each lot of 1000 units.
  const fill = { price: 510, lots: 3, makerSeq: rested.seq, fee: 3 * 6 * 1000 };
  assert.deepEqual(filled.fills, [fill]);
  await world.finish();
  const { service } = world.sequencer;
  const status = await service.status();
  assert.equal(status.halted, null);
  assert.equal(status.anchored, status.sealed);
  assert.equal((await service.stages(filled.logPosition))?.stage, "anchored");
});

test("a receipt names the message's own record", async () => {
  const { world, maker } = await createMarket();
  const receipt = await world.place(maker, { lots: 5 });
  const record = world.log.records[receipt.logPosition];
  assert.equal(record?.entry.type, "message");
  assert.equal(record?.hash, receipt.logHash);
  assert.equal(record?.previous, receipt.logPrevious);
});

test("nobody is answered before the record is durable", async () => {
  const { world, maker } = await createMarket();
  world.log.hold();
  let isAnswered = false;
  const answer = world.place(maker, {}).then(() => {
    isAnswered = true;
  });
  const book = world.sequencer.service.book(0, 10);
  await turns();
  assert.equal(isAnswered, false);
  const events = world.events.length;
  world.log.release();
  await answer;
  assert.equal((await book)?.bids.length, 1);
  assert.ok(world.events.length > events);
});

// [what is wrong, the change of a good submission, the code]
const REFUSED: readonly (readonly [string, object, DoorReject])[] = [
  ["another account", { account: 5 }, "unknownAccount"],
  ["an account beyond the tree", { account: 2 ** 20 }, "unknownAccount"],
  ["another key", { keyIndex: 1 }, "unknownKey"],
  ["a key that cannot be", { keyIndex: 4 }, "unknownKey"],
  ["a word with too many bits", { word: 1n << 200n }, "malformed"],
  ["a word of no message", { word: 7n }, "malformed"],
  ["another word", { word: messageWord({ ...CANCEL_ALL, deadline: 1 }) }, "badSignature"],
  ["another signature", { signature: sign(5n, 6n) }, "badSignature"],
];

test("a message that is not right is refused with its code, and changes nothing", async () => {
  const { world, maker } = await createMarket();
  const { service } = world.sequencer;
  const before = await service.session(maker.account, 0);
  const good = { account: maker.account, keyIndex: 0, ...maker.peek(CANCEL_ALL) };
  const position = world.log.records.length;
  for (const [what, change, code] of REFUSED) {
    const result = await service.submit({ ...good, ...change });
    assert.equal(result.accepted ? "accepted" : result.code, code, what);
  }
  assert.equal(world.log.records.length, position);
  assert.deepEqual(await service.session(maker.account, 0), before);
  assert.equal((await service.submit(good)).accepted, true);
});

// [what, the order, the code]
const BAD_ORDERS: readonly (readonly [string, object, DoorReject])[] = [
  ["a book that is not there", { book: 9 }, "unknownBook"],
  ["a deadline that has passed", { deadline: START }, "deadlinePassed"],
  ["more than the account can pay", { lots: 2 ** 20, price: 600 }, "insufficientMargin"],
];

test("an order that could not be good is refused", async () => {
  const { world, maker } = await createMarket();
  for (const [what, order, code] of BAD_ORDERS) {
    const message = { ...PLACE, deadline: world.clock.now() + 1000, ...order };
    const signed = maker.peek(message);
    const result = await world.sequencer.service.submit({ account: 3, keyIndex: 0, ...signed });
    assert.equal(result.accepted ? "accepted" : result.code, code, what);
  }
});

test("a replayed message is told from a wrongly signed one", async () => {
  const { world, maker } = await createMarket();
  const signed = maker.next(CANCEL_ALL);
  const submission = { account: 3, keyIndex: 0, ...signed };
  const { service } = world.sequencer;
  assert.equal((await service.submit(submission)).accepted, true);
  const again = await service.submit(submission);
  assert.equal(again.accepted ? "" : again.code, "wrongHead");
  const head = (await service.session(3, 0))?.head;
  assert.equal(again.accepted ? 0n : again.data.head, head);
});

test("rates are limited by account", async () => {
  const { world, maker, taker } = await createMarket({ rate: { perSecond: 1, burst: 3 } });
  const codes: string[] = [];
  for (let count = 0; count < 4; count++) {
    const result = await world.sequencer.service.submit({
      ...{ account: maker.account, keyIndex: 0 },
      ...(count < 3 ? maker.next(CANCEL_ALL) : maker.peek(CANCEL_ALL)),
    });
    codes.push(result.accepted ? "accepted" : result.code);
  }
  assert.deepEqual(codes, ["accepted", "accepted", "accepted", "rateLimited"]);
  assert.equal((await world.submit(taker, CANCEL_ALL)).accepted, true);
});

test("at the backlog bound orders are refused and cancels taken", async () => {
  const { world, maker } = await createMarket({ backlogMax: 2 });
  await world.place(maker, {});
  await world.step(10_000);
  const { service } = world.sequencer;
  assert.equal((await service.status()).isOverloaded, true);
  const signed = maker.peek({ ...PLACE, deadline: world.clock.now() + 1000 });
  const refused = await service.submit({ account: 3, keyIndex: 0, ...signed });
  assert.equal(refused.accepted ? "" : refused.code, "overloaded");
  assert.equal((await world.submit(maker, CANCEL_ALL)).accepted, true);
  await world.prove();
  assert.equal((await service.status()).isOverloaded, false);
});

test("E12 batches that layer one does not take press back, and are taken later", async () => {
  const { world, maker } = await createMarket({ unanchoredMax: 3 });
  const { service } = world.sequencer;
  await world.finish();
  world.isChainAway = true;
  let placed = 0;
  for (; placed < 20 && !(await service.status()).isOverloaded; placed++) {
    await world.place(maker, { lots: 1, price: 100 + placed });
    await world.step(10_000);
    await world.prove();
  }
  const { proven, anchored } = await service.status();
  assert.equal(proven - anchored, 3);
  const signed = maker.peek({ ...PLACE, deadline: world.clock.now() + 1000 });
  const refused = await service.submit({ account: 3, keyIndex: 0, ...signed });
  assert.equal(refused.accepted ? "" : refused.code, "overloaded");
  assert.equal((await world.submit(maker, CANCEL_ALL)).accepted, true);
  world.isChainAway = false;
  await world.finish();
  assert.equal((await service.status()).isOverloaded, false);
  await world.place(maker, {});
});

test("E10 batches that a reorg took are not anchored, and are sent again at once", async () => {
  const { world, maker } = await createMarket();
  const { service } = world.sequencer;
  await world.finish();
  await world.place(maker, {});
  await world.finish();
  const { anchored } = await service.status();
  assert.ok(anchored >= 2);
  world.events.length = 0;
  const lost = world.settlement.anchoredBatches.splice(anchored - 2);
  world.settlement.submitBatch = async () => {
    throw new Error("fees are too high");
  };
  await assert.rejects(world.step(), /fees are too high/);
  assert.equal((await service.status()).anchored, anchored - 2);
  const status = await service.batch(anchored);
  // No validator has attested anything here.
  assert.deepEqual([status?.stage, status?.transaction], ["sequenced", null]);
  const stages = world.events.flatMap((event) => (event.type === "batch" ? [event.batch] : []));
  assert.deepEqual(
    stages.map(({ number, stage }) => [number, stage]),
    [anchored - 1, anchored].map((number) => [number, "sequenced"]),
  );
  world.settlement.anchoredBatches.push(...lost);
  await world.step();
  assert.equal((await service.status()).anchored, anchored);
});

test("E12 a client of layer one that has stopped stops the node, with its reason", async () => {
  const { world, maker } = await createMarket();
  world.settlement.condition = { stopped: "batch `7` reverted" };
  world.settlement.queued = async () => {
    throw new Error("batch `7` reverted");
  };
  const running = world.sequencer.run(new AbortController().signal);
  await assert.rejects(running, { name: "LayerOneStoppedError", message: "batch `7` reverted" });
  const { halted, layerOne } = await world.sequencer.service.status();
  assert.equal(halted, "batch `7` reverted");
  assert.equal(layerOne.stopped, "batch `7` reverted");
  await assert.rejects(world.place(maker, {}), /the node has stopped/);
});

test("a withdrawal holds back its key's later messages, not their order", async () => {
  const { world, maker } = await createMarket();
  await world.place(maker, { lots: 1 });
  const deadline = world.clock.now() + 60_000;
  const order: string[] = [];
  const answers = [
    world.submit(maker, { kind: "withdraw", amount: 1_000_000, deadline }),
    world.submit(maker, { kind: "cancelAll", deadline }),
    world.submit(maker, { kind: "withdraw", amount: 2_000_000, deadline }),
    world.submit(maker, { kind: "cancelAll", deadline }),
  ].map((answer) =>
    answer.then((result) => {
      order.push(result.accepted ? `${result.receipt.kind}` : result.code);
    }),
  );
  await turns();
  assert.deepEqual(order, []);
  for (let count = 0; count < 4; count++) await world.step(600);
  await Promise.all(answers);
  assert.deepEqual(order, ["withdraw", "cancelAll", "withdraw", "cancelAll"]);
  const [newest, oldest] = await world.sequencer.service.withdrawals(maker.owner);
  assert.deepEqual([newest?.amount, oldest?.amount], [2_000_000, 1_000_000]);
});

test("two thirds of the validators certify, and a stranger's word does not count", async () => {
  const { world, maker } = await createMarket();
  await world.place(maker, {});
  await world.step(10_000);
  const { service } = world.sequencer;
  const batch = await service.batch("latest");
  assert.ok(batch);
  const logHash = world.log.records[batch.logPosition]?.hash ?? "";
  const root = `0x${batch.root.toString(16)}`;
  const words = (await world.batches.sealed(batch.number))!.words;
  const hashes = { wordsHash: wordsHash(words), logHash };
  const attest = async (validator: string, change: object = {}): Promise<string | undefined> => {
    const attestation = { validator, number: batch.number, root, ...hashes, signature: "" };
    world.network.attest({ ...attestation, ...change });
    await turns();
    return (await service.batch("latest"))?.stage;
  };
  assert.equal(await attest(VALIDATORS[0]!), "sequenced");
  assert.equal(await attest("0x00000000000000000000000000000000000000ff"), "sequenced");
  assert.equal(await attest(VALIDATORS[1]!, { root: "0x1" }), "sequenced");
  assert.equal(await attest(VALIDATORS[1]!, { logHash: "00" }), "sequenced");
  assert.equal(await attest(VALIDATORS[1]!, { wordsHash: "00" }), "sequenced");
  assert.equal(await attest(VALIDATORS[1]!), "certified");
  assert.equal((await service.batch(1))?.stage, "certified");
  await world.prove();
  assert.equal((await service.batch("latest"))?.stage, "proven");
});

test("who certifies, and how many must, is asked of layer one", async () => {
  const { world } = await createMarket();
  await world.step(10_000);
  const { service } = world.sequencer;
  const batch = (await service.batch(1))!;
  const { hash: logHash } = world.log.records[batch.logPosition]!;
  const root = `0x${batch.root.toString(16)}`;
  const hashes = { wordsHash: wordsHash((await world.batches.sealed(1))!.words), logHash };
  const stranger = "0x00000000000000000000000000000000000000ff";
  const stage = async (members: readonly string[]): Promise<string | undefined> => {
    world.settlement.validatorSet = { members, quorum: 1 };
    await world.sequencer.pollChain();
    world.network.attest({ validator: stranger, number: 1, root, ...hashes, signature: "" });
    await turns();
    return (await service.batch(1))?.stage;
  };
  assert.equal(await stage(VALIDATORS), "sequenced");
  assert.equal(await stage([stranger]), "certified");
  assert.equal(await stage(VALIDATORS), "sequenced");
  // An endpoint that does not answer changes nothing, and keeps nothing from being anchored.
  await stage([stranger]);
  world.settlement.validators = async () => Promise.reject(new Error("no state there"));
  await world.prove();
  await world.sequencer.pollChain();
  assert.equal((await service.batch(1))?.stage, "anchored");
});

test("series settle at expiry and positions become cash", async () => {
  const { world, maker, taker } = await createMarket();
  await world.place(maker, { isSell: true, price: 500, lots: 10 });
  await world.place(taker, { price: 500, lots: 10 });
  await world.step(10_000);
  const { service } = world.sequencer;
  world.clock.advance((EXPIRY + 1) * 1000 - world.clock.now());
  world.snapshotOptions = { finalSlots: [0] };
  for (let count = 0; count < 5; count++) await world.step(2000);
  const chain = await service.chain();
  assert.equal(chain.series[0]?.status, "settled");
  assert.equal(chain.series[1]?.status, "listed");
  const accounts = await Promise.all([3, 4].map((id) => service.account({ id })));
  // Bought at 500 and settled at 500: nobody has gained but the venue, nobody holds anything.
  const fee = 10 * 6 * 1000;
  assert.deepEqual(
    accounts.map((account) => account?.cash),
    [1_000_000_000, 1_000_000_000 - fee],
  );
  for (const account of accounts) assert.equal(account?.positions[0], 0);
  const { feesUncollected, feeAccount } = await service.status();
  assert.equal(feesUncollected + feeAccount, fee);
  const settled = world.events.filter(
    (event) => event.type === "ledger" && event.update.operation === "settlePosition",
  );
  assert.equal(settled.length, 2);
  const halted = (await service.status()).halted;
  assert.equal(halted, null);
});

test("an order that meets many others goes on in later batches", async () => {
  const { world, maker, taker } = await createMarket();
  for (let count = 0; count < 8; count++) {
    await world.place(maker, { isSell: true, price: 500 + count, lots: 1 });
  }
  const receipt = await world.place(taker, { price: 520, lots: 9 });
  assert.equal(receipt.outcome, "interrupted");
  const orders = await world.sequencer.service.orders(taker.account);
  assert.equal(orders[0]?.isCarried, true);
  for (let count = 0; count < 5; count++) await world.step(10_000);
  const [order] = await world.sequencer.service.orders(taker.account);
  assert.deepEqual([order?.lots, order?.isCarried], [1, false]);
  const trades = await world.sequencer.service.trades(0, 100);
  assert.equal(trades.length, 8);
  assert.deepEqual(
    trades.map(({ price }) => price),
    [507, 506, 505, 504, 503, 502, 501, 500],
  );
});

test("void orders make place: at once on a full side, else in steps to spare", async () => {
  const { world, maker, taker } = await createMarket();
  const { depth } = deployment.shape;
  for (let count = 0; count < depth; count++) await world.place(maker, { price: 480, lots: 1 });
  await world.submit(maker, { ...CANCEL_ALL, deadline: world.clock.now() + 1000 });
  const receipt = await world.place(taker, { price: 470, lots: 1 });
  assert.equal(receipt.outcome, "rested");
  const purges = (): number =>
    world.log.records.filter(({ entry }) => entry.type === "purge").length;
  assert.equal(purges(), 1);
  for (let count = 0; count < 5; count++) {
    await world.step(10_000);
    await world.place(taker, { price: 460 - count, lots: 1 });
  }
  assert.equal(purges(), depth);
  await world.finish();
  assert.equal((await world.sequencer.service.status()).halted, null);
});

test("a deadline that the next batch would pass is refused, not the node's end", async () => {
  const { world, maker } = await createMarket();
  // The oracles' clocks are a little ahead.
  world.clock.advance(-5);
  const deadline = world.clock.now() + 1;
  const signed = maker.peek({ ...PLACE, deadline });
  const result = await world.sequencer.service.submit({ account: 3, keyIndex: 0, ...signed });
  assert.equal(result.accepted ? "accepted" : result.code, "deadlinePassed");
  assert.equal((await world.sequencer.service.status()).halted, null);
});
