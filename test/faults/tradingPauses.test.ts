// Wrong clocks, stale marks, bursts and two states: what stops, what goes on, and where.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidEntryError } from "../../sequencer/batch/invalidEntry.ts";
import {
  emptyHead,
  headAfter,
  type LogEntry,
  type LogRecord,
  logOrigin,
  makeRecord,
} from "../../sequencer/batch/log.ts";
import type { Message } from "../../sequencer/protocol/messages.ts";
import { createNodeState } from "../../sequencer/roles/nodeState.ts";
import {
  createMarket,
  createTrader,
  createWorld,
  DOMAIN,
  deployment,
  PLACE,
  type TestTrader,
  turns,
  UNCERTIFIED,
  type World,
} from "../unit/roles/market.ts";
import { refusalOf } from "./refusing.ts";

const HOUR_MS = 3_600_000;

const modeOf = async (world: World) => (await world.sequencer.service.status()).trading.mode;

const timesOf = (records: readonly LogRecord[]): number[] =>
  records.flatMap(({ entry }) => ("time" in entry ? [entry.time] : []));

/** The same log with other entries, its links made good: a sequencer that lies. */
function forge(entries: readonly LogEntry[]): LogRecord[] {
  let head = emptyHead(logOrigin(DOMAIN));
  return entries.map((entry) => {
    const record = makeRecord(head, entry);
    head = headAfter(record);
    return record;
  });
}

test("E13 clock +/-1 h: monotone engine time, validators refuse out-of-window", async () => {
  for (const jump of [HOUR_MS, -HOUR_MS]) {
    const { world, maker, taker } = await createMarket();
    await world.place(maker, { isSell: true, price: 505, lots: 5 });
    await world.step(1000);
    const right = world.clock.now();
    const before = world.log.records.length;
    // Oracles on the same machine go wrong with it, so that nothing there can notice.
    world.clock.advance(jump);
    for (let count = 0; count < 4; count++) await world.step(1000);
    const deadline = world.clock.now() + 2 * HOUR_MS;
    assert.equal((await world.submit(taker, { kind: "cancelAll", deadline })).accepted, true);
    for (let count = 0; count < 30; count++) await world.step(1000);
    const records = world.log.survivors();
    assert.ok(records.length > before);
    const times = timesOf(records);
    assert.deepEqual(
      times,
      [...new Set(times)].sort((one, other) => one - other),
    );
    assert.equal((await world.sequencer.service.status()).halted, null);
    const refusal = await refusalOf({ world, records, now: () => right + 10_000 });
    if (jump < 0) assert.equal(refusal, undefined);
    else assert.match(refusal?.reason ?? "nothing refused", /ms ahead of the clock here/);
    if (jump > 0) assert.ok(refusal!.position >= before);
  }
});

test("E13 a pause of the future is refused by validators, as a batch is", async () => {
  const { world } = await createMarket();
  await world.finish();
  const entries = world.log.survivors().map(({ entry }) => entry);
  const time = world.clock.now() + 60_000;
  const pause = { type: "pause", time, reason: "operator", detail: "" } as const;
  const records = forge([...entries, pause]);
  const refusal = await refusalOf({ world, records, now: world.clock.now });
  assert.match(refusal?.reason ?? "", /a `pause` is `60000` ms ahead of the clock here/);
  assert.equal(refusal?.position, entries.length);
});

const CALLED = 720;
const LOTS = 4000;

/** A short of slot 0 that marks of {@link CALLED} put below maintenance. */
async function createShort(): Promise<World> {
  const world = await createWorld();
  const [short, long] = [createTrader(3), createTrader(4)];
  for (const trader of [short, long]) world.open(trader, 1_000_000_000);
  for (let count = 0; count < 5; count++) await world.step(400);
  await world.place(long, { price: 500, lots: LOTS });
  await world.place(short, { isSell: true, price: 500, lots: LOTS });
  return world;
}

const liquidated = (world: World): number =>
  world.log.records.filter(({ entry }) => entry.type === "liquidate").length;

test("E14 first 2 fresh rounds after restart: no liquidation, and none in a pause", async () => {
  const first = await createShort();
  const soon = await first.restart();
  soon.snapshotOptions = { marks: [CALLED] };
  await soon.step(1000);
  assert.equal(liquidated(soon), 0, "one fresh round");
  await soon.step(1000);
  assert.equal(liquidated(soon), 1);
  // Away for long: the venue comes back paused, and stale marks liquidate nobody on the way.
  first.clock.advance(HOUR_MS);
  const late = await first.restart();
  late.snapshotOptions = { marks: [CALLED] };
  let rounds = 0;
  for (; (await modeOf(late)) !== "open" || rounds === 0; rounds++) {
    assert.equal(liquidated(late), 0, `round ${rounds}`);
    assert.ok(rounds < 30);
    await late.step(1000);
  }
  assert.ok(rounds > 2);
  await late.step(1000);
  assert.equal(liquidated(late), 1);
});

test("E18 10x burst for 10 minutes: cancels still served first", async () => {
  const rate = { perSecond: 0.1, burst: 8 };
  const { world, maker, taker } = await createMarket({ rate });
  const order = (): Message => ({
    ...{ ...PLACE, price: 300, lots: 1, timeInForce: "ioc" },
    deadline: world.clock.now() + 60_000,
  });
  const send = async (trader: TestTrader, message: Message): Promise<string> => {
    const result = await world.sequencer.service.submit({
      ...{ account: trader.account, keyIndex: 0, ...trader.peek(message) },
    });
    if (!result.accepted) return result.code;
    trader.next(message);
    return "accepted";
  };
  const codes = new Map<string, number>();
  // Ten orders in the time in which one is allowed; a cancel of each account comes after them.
  for (let second = 0; second < 600; second += 10) {
    for (let count = 0; count < 10; count++) {
      const code = await send(count % 2 === 0 ? maker : taker, order());
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    const trader = second % 20 === 0 ? maker : taker;
    const at = world.log.records.length;
    const cancel = { kind: "cancelAll", deadline: world.clock.now() + 60_000 } as const;
    assert.equal(await send(trader, cancel), "accepted", `second ${second}`);
    // At once, and before anything that came later.
    const words = world.log.records.slice(at).flatMap(({ entry }) => {
      return entry.type === "message" ? [entry.author.account] : [];
    });
    assert.deepEqual(words, [trader.account]);
    await world.step(10_000);
    await world.prove();
  }
  // The burst itself is held to the rate, less what the cancels took of it.
  assert.ok((codes.get("rateLimited") ?? 0) > 400, JSON.stringify([...codes]));
  assert.ok((codes.get("accepted") ?? 0) > 20, JSON.stringify([...codes]));
});

test("E18 a burst into a pause: only cancels reach the log", async () => {
  const { world, maker, taker } = await createMarket();
  await world.place(maker, { price: 490, lots: 5 });
  world.snapshotOptions = { marks: [3500] };
  await world.step(1000);
  const from = world.log.records.length;
  const deadline = world.clock.now() + 60_000;
  const answers: Promise<unknown>[] = [];
  for (let count = 0; count < 100; count++) {
    const signed = taker.peek({ ...PLACE, deadline });
    const submission = { account: taker.account, keyIndex: 0, ...signed };
    answers.push(world.sequencer.service.submit(submission));
    if (count % 10 === 0) answers.push(world.submit(maker, { kind: "cancelAll", deadline }));
  }
  await Promise.all(answers);
  const messages = world.log.records.slice(from).filter(({ entry }) => entry.type === "message");
  assert.equal(messages.length, 10);
});

const FOUR = [1, 2, 3, 4].map((end) => `0x${String(end).padStart(40, "0")}` as const);

/** A venue with four validators, of which one may lie. */
async function createVenue(): Promise<{ world: World; maker: TestTrader; taker: TestTrader }> {
  const { world: any } = await createMarket();
  const info = { ...(await any.sequencer.service.info()), validators: FOUR };
  return createMarket({ info, breakers: UNCERTIFIED });
}

async function newest(world: World) {
  const batch = await world.sequencer.service.batch("latest");
  assert.ok(batch);
  return batch;
}

test("E19 root mismatch engine/validator halts within 1 batch", async () => {
  const { world, maker, taker } = await createVenue();
  await world.place(maker, { isSell: true, price: 505, lots: 5 });
  await world.step(10_000);
  const { number: wrong, logPosition } = await newest(world);
  // What an engine of another state makes of this log: it stops at the seal, and says why.
  const entries = world.log.survivors().map(({ entry }, position) => {
    return position === logPosition && entry.type === "seal" ? { ...entry, root: 1n } : entry;
  });
  const refusal = await refusalOf({ world, records: forge(entries), now: world.clock.now });
  assert.equal(refusal?.position, logPosition);
  assert.match(refusal?.reason ?? "", /the root after batch/);
  world.network.refuse({ ...refusal!, validator: FOUR[0]! });
  await turns();
  await world.step(10);
  assert.equal(await modeOf(world), "open", "one of four may lie");
  // Unsigned words, and a stranger's, are nobody's.
  world.network.refuse({ ...refusal!, validator: FOUR[1]!, signature: "" });
  world.network.refuse({ ...refusal!, validator: "0x00000000000000000000000000000000000000ff" });
  await turns();
  await world.step(10);
  assert.equal(await modeOf(world), "open");
  await world.place(taker, { price: 400, lots: 1 });
  world.network.refuse({ ...refusal!, validator: FOUR[1]! });
  await turns();
  await world.step(10);
  const { trading } = await world.sequencer.service.status();
  assert.deepEqual(
    [trading.mode, trading.reason, trading.dissenting],
    ["paused", "rootMismatch", 2],
  );
  const signed = taker.peek({ ...PLACE, deadline: world.clock.now() + 60_000 });
  const order = { account: taker.account, keyIndex: 0, ...signed };
  const refused = await world.sequencer.service.submit(order);
  assert.equal(refused.accepted ? "accepted" : refused.code, "tradingPaused");
  const at = world.log.records.findIndex(({ entry }) => entry.type === "pause");
  const sealedSince = world.log.records.slice(logPosition + 1, at).filter(({ entry }) => {
    return entry.type === "seal";
  });
  assert.ok(sealedSince.length <= 1, `${sealedSince.length} batches after batch ${wrong}`);
});

test("E19 one lying validator does not stop the venue, and its word is shown", async () => {
  const { world, maker } = await createVenue();
  for (let count = 0; count < 5; count++) {
    await world.place(maker, { price: 400 + count, lots: 1 });
    await world.step(10_000);
    const { number } = await newest(world);
    const hashes = { wordsHash: "00", logHash: "00" };
    world.network.attest({ validator: FOUR[0]!, number, root: "0x1", ...hashes, signature: "0x" });
    await turns();
  }
  const { trading } = await world.sequencer.service.status();
  assert.deepEqual([trading.mode, trading.dissenting], ["open", 1]);
});

test("E19 one validator is enough where the log on disk says the same", async () => {
  const { world, maker } = await createVenue();
  await world.place(maker, { price: 400, lots: 1 });
  await world.step(10_000);
  const { number, logPosition } = await newest(world);
  const entries = world.log.survivors().map(({ entry }, position) => {
    return position === logPosition && entry.type === "seal" ? { ...entry, root: 1n } : entry;
  });
  // The process has another state in memory than the log leads to.
  world.log.records.splice(0, entries.length, ...forge(entries));
  const hashes = { wordsHash: "00", logHash: "00" };
  world.network.attest({ validator: FOUR[0]!, number, root: "0x1", ...hashes, signature: "0x" });
  for (let count = 0; count < 20; count++) await turns();
  await world.step(10);
  const { trading } = await world.sequencer.service.status();
  assert.deepEqual([trading.mode, trading.reason], ["paused", "rootMismatch"]);
  assert.match(trading.detail ?? "", /own log/);
});

test("every replica refuses the same order at the same place of a paused log", async () => {
  const { world, maker, taker } = await createMarket();
  await world.place(maker, { price: 490, lots: 5 });
  await world.place(taker, { price: 480, lots: 5 });
  const entries = world.log.survivors().map(({ entry }) => entry);
  const last = entries.findLastIndex(({ type }) => type === "message");
  const time = Math.max(...timesOf(world.log.records));
  const pause = { type: "pause", time, reason: "operator", detail: "" } as const;
  const records = forge([...entries.slice(0, last), pause, ...entries.slice(last)]);
  for (const _ of [1, 2]) {
    const node = createNodeState(deployment, logOrigin(DOMAIN), undefined);
    for (const record of records.slice(0, last + 1)) node.apply(record);
    assert.equal(node.executor.trading().mode, "paused");
    assert.throws(() => node.apply(records[last + 1]!), InvalidEntryError);
    assert.equal(node.position(), last + 1);
  }
  const refusal = await refusalOf({ world, records, now: world.clock.now });
  assert.equal(refusal?.position, last + 1);
  assert.match(refusal?.reason ?? "", /trading has been stopped .* no `message` may stand here/);
});
