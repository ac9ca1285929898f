// Messages wait for the end of their round: who goes first then, what is checked when, and what
// happens to those that wait when the node ends or its clock is wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogRecord } from "../../../sequencer/batch/log.ts";
import { logOrigin } from "../../../sequencer/batch/log.ts";
import type { SubmitResult } from "../../../sequencer/exchangeService.ts";
import { sign } from "../../../sequencer/protocol/eddsa.ts";
import type { FairOrder } from "../../../sequencer/protocol/fairOrder.ts";
import { type Message, messageFromWord } from "../../../sequencer/protocol/messages.ts";
import { createNodeState } from "../../../sequencer/roles/nodeState.ts";
import { createFakeTimers, type FakeTimers } from "../../support/fakeTimers.ts";
import {
  createMarket,
  createTrader,
  createWorld,
  DOMAIN,
  deployment,
  PLACE,
  type TestTrader,
  turns,
  type World,
} from "./market.ts";

const RULE: FairOrder = { roundMs: 10, bumpMs: 30 };

interface Venue {
  readonly world: World;
  readonly maker: TestTrader;
  readonly taker: TestTrader;
  readonly timers: FakeTimers;
  pass(ms: number): Promise<void>;
}

async function open(fairOrder = RULE, change: object = {}): Promise<Venue> {
  const timers = createFakeTimers({ advance: (ms) => opened.world.clock.advance(ms) });
  const config = { deployment: { ...deployment, fairOrder }, ...change };
  const opened: { world: World; maker: TestTrader; taker: TestTrader } = await createMarket(
    config,
    { scheduler: timers },
  );
  return { ...opened, timers, pass: (ms) => timers.pass(ms, turns) };
}

const until = ({ clock }: World): number => clock.now() + 60_000;
const orderOf = (world: World, change: object = {}): Message => {
  return { ...PLACE, deadline: until(world), ...change };
};
const postOnly = (world: World, change: object = {}): Message =>
  orderOf(world, { postOnly: true, ...change });
const cancelAll = (world: World): Message => ({ kind: "cancelAll", deadline: until(world) });

/** What the log has, of the newest messages: kind and account. */
function told(records: readonly LogRecord[], from: number): string[] {
  return records.slice(from).flatMap(({ entry }) => {
    if (entry.type === "operation") return [`${entry.operation.kind}`];
    if (entry.type !== "message") return [];
    const message = messageFromWord(entry.word);
    const isMaker = message?.kind === "place" && message.postOnly;
    return [`${isMaker ? "postOnly" : message?.kind} ${entry.author.account}`];
  });
}

const codeOf = (result: SubmitResult): string => (result.accepted ? "accepted" : result.code);

test("in a round cancels and post-only orders go first, then takers as they came", async () => {
  const { world, maker, taker, pass } = await open({ roundMs: 10, bumpMs: 0 });
  const from = world.log.records.length;
  const answers = [
    world.submit(taker, orderOf(world, { price: 505 })),
    world.submit(maker, postOnly(world, { isSell: true, price: 505 })),
    world.submit(maker, cancelAll(world)),
  ];
  await turns();
  assert.equal(world.log.records.length, from);
  await pass(10);
  assert.deepEqual((await Promise.all(answers)).map(codeOf), ["accepted", "accepted", "accepted"]);
  assert.deepEqual(told(world.log.records, from), ["postOnly 3", "cancelAll 3", "place 4"]);
  const [first] = await Promise.all(answers);
  // The maker had taken the order back when the taker's turn came.
  assert.deepEqual(first?.accepted && [first.receipt.outcome, first.receipt.fills], ["rested", []]);
});

test("under a speed bump a cancel that comes later is executed before", async () => {
  const { world, maker, taker, pass } = await open();
  const resting = world.submit(maker, postOnly(world, { isSell: true, price: 505 }));
  await pass(10);
  assert.equal(codeOf(await resting), "accepted");
  const from = world.log.records.length;
  const arrived = world.clock.now();
  const taking = world.submit(taker, orderOf(world, { price: 505 }));
  await pass(30);
  const cancelling = world.submit(maker, cancelAll(world));
  await pass(10);
  const [taken, cancelled] = await Promise.all([taking, cancelling]);
  assert.deepEqual(told(world.log.records, from), ["cancelAll 3", "place 4"]);
  assert.ok(taken.accepted && cancelled.accepted);
  assert.deepEqual([taken.receipt.arrived, cancelled.receipt.arrived], [arrived, arrived + 30]);
  const { entry } = world.log.records[taken.receipt.logPosition]!;
  assert.equal(entry.type === "message" && entry.arrived, arrived);
});

test("a key's messages keep their order: its cancel waits for its own taker only", async () => {
  const { world, maker, taker, pass } = await open();
  const from = world.log.records.length;
  const answers = [
    world.submit(taker, orderOf(world, { price: 490 })),
    world.submit(taker, cancelAll(world)),
    world.submit(maker, cancelAll(world)),
  ];
  await pass(50);
  assert.deepEqual((await Promise.all(answers)).map(codeOf), ["accepted", "accepted", "accepted"]);
  assert.deepEqual(told(world.log.records, from), ["cancelAll 3", "place 4", "cancelAll 4"]);
});

test("what extends a refused message is refused, the chain goes on before it", async () => {
  const { world, maker, taker, pass } = await open();
  const { service } = world.sequencer;
  const head = taker.head();
  const dear = { lots: 2 ** 20, price: 600 };
  const answers = [
    world.submit(taker, orderOf(world, dear)),
    world.submit(taker, cancelAll(world)),
  ];
  // Others' takers stand behind the refused one, and before what its key sends next.
  const other = world.submit(maker, orderOf(world, { price: 480 }));
  await pass(50);
  const codes = (await Promise.all([...answers, other])).map(codeOf);
  assert.deepEqual(codes, ["insufficientMargin", "wrongHead", "accepted"]);
  assert.equal((await service.session(taker.account, 0))?.head, head);
  const again = createTrader(taker.account);
  assert.equal(again.head(), head);
  const next = world.submit(again, cancelAll(world));
  await pass(10);
  assert.equal(codeOf(await next), "accepted");
});

test("while what cannot be executed still waits, its key goes on", async () => {
  const { world, taker, pass } = await open();
  const doomed = [world.submit(taker, orderOf(world, { lots: 2 ** 20, price: 600 }))];
  await pass(25);
  doomed.push(world.submit(taker, orderOf(world, { price: 480 })));
  await pass(17);
  const again = world.submit(createTrader(taker.account), cancelAll(world));
  await pass(10);
  assert.equal(codeOf(await again), "accepted");
  await pass(30);
  assert.deepEqual((await Promise.all(doomed)).map(codeOf), ["insufficientMargin", "wrongHead"]);
  assert.equal((await world.sequencer.service.status()).halted, null);
});

test("a stranger holds up nothing, and what is sent again counts once", async () => {
  const { world, maker, pass } = await open();
  const { service } = world.sequencer;
  const order = maker.peek(orderOf(world));
  const signature = sign(5n, 6n);
  const forged = service.submit({ account: 3, keyIndex: 0, ...order, signature });
  assert.equal(codeOf(await forged), "badSignature");
  const submission = { account: 3, keyIndex: 0, ...maker.next(cancelAll(world)) };
  const first = service.submit(submission);
  const again = service.submit(submission);
  assert.equal(codeOf(await again), "wrongHead");
  await pass(10);
  assert.equal(codeOf(await first), "accepted");
  assert.equal(codeOf(await service.submit(submission)), "wrongHead");
});

test("a withdrawal waits for its key's orders, and they for it", async () => {
  const { world, maker, pass } = await open();
  const from = world.log.records.length;
  const deadline = until(world);
  const answers = [
    world.submit(maker, orderOf(world, { price: 480 })),
    world.submit(maker, { kind: "withdraw", amount: 1_000_000, deadline }),
    world.submit(maker, orderOf(world, { price: 481 })),
  ];
  // A ledger group comes before the end of the round.
  await world.step(600);
  await pass(50);
  for (let count = 0; count < 4; count++) {
    await world.step(600);
    await pass(50);
  }
  assert.deepEqual((await Promise.all(answers)).map(codeOf), ["accepted", "accepted", "accepted"]);
  assert.deepEqual(told(world.log.records, from), ["place 3", "withdraw", "place 3"]);
  const [first, , last] = await Promise.all(answers);
  assert.ok(first?.accepted && last?.accepted);
  // The second order counts from when it could be executed at all.
  assert.ok(last.receipt.arrived! - first.receipt.arrived! >= 600);
});

test("trading may stop while an order waits: the door is asked again in its turn", async () => {
  const { world, maker, pass } = await open(RULE, { backlogMax: 2 });
  const resting = world.submit(maker, postOnly(world));
  await pass(10);
  await resting;
  const waiting = world.submit(maker, orderOf(world, { price: 480 }));
  await world.step(10_000);
  assert.equal((await world.sequencer.service.status()).isOverloaded, true);
  await pass(50);
  assert.equal(codeOf(await waiting), "overloaded");
});

test("a node that ends refuses what waits, and nobody is left without an answer", async () => {
  const { world, maker, taker, timers } = await open();
  const from = world.log.records.length;
  const answers = [
    world.submit(taker, orderOf(world)),
    world.submit(taker, cancelAll(world)),
    world.submit(maker, cancelAll(world)),
  ];
  await turns();
  await world.sequencer.stop();
  assert.deepEqual((await Promise.all(answers)).map(codeOf), [
    ...["overloaded", "overloaded", "overloaded"],
  ]);
  assert.deepEqual([world.log.records.length, timers.waiting()], [from, 0]);
});

test("without rounds nothing waits, and no timer is set", async () => {
  const { world, maker, taker, timers } = await open({ roundMs: 0, bumpMs: 0 });
  const from = world.log.records.length;
  const answers = [
    world.submit(taker, orderOf(world, { price: 490 })),
    world.submit(maker, cancelAll(world)),
  ];
  assert.equal(timers.waiting(), 0);
  await Promise.all(answers);
  assert.deepEqual(told(world.log.records, from), ["place 4", "cancelAll 3"]);
});

test("a restart goes on after the log's last place, also with an earlier clock", async () => {
  const { world, maker, taker, pass } = await open(RULE, { checkpointEvery: 1 });
  const before = [world.submit(maker, postOnly(world)), world.submit(taker, orderOf(world))];
  await pass(50);
  await Promise.all(before);
  await world.step(10_000);
  const records = world.log.survivors();
  const newest = records.findLast(({ entry }) => entry.type === "message")!;
  // The place is in the checkpoint: no message stands behind it.
  assert.ok((await world.checkpoints.latest())!.position > newest.position);
  world.clock.advance(-15_000);
  const timers = createFakeTimers(world.clock);
  const { clock, batches, checkpoints, settlement } = world;
  const config = { deployment: { ...deployment, fairOrder: RULE } };
  const disk = { clock, batches, checkpoints, settlement, records };
  const again = await createWorld(config, disk, { scheduler: timers });
  await again.sequencer.pollOracles();
  const after = [again.submit(maker, cancelAll(again)), again.submit(taker, cancelAll(again))];
  await timers.pass(10, turns);
  assert.deepEqual((await Promise.all(after)).map(codeOf), ["accepted", "accepted"]);
  const node = createNodeState(config.deployment, logOrigin(DOMAIN), undefined);
  for (const record of again.log.survivors()) node.apply(record);
  const { last } = node.executor.ordering();
  const { entry } = newest;
  assert.ok(entry.type === "message" && last!.arrived > entry.arrived);
});
