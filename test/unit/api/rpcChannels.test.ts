// Many channels at once: what one connection may have, what that costs, and that who joins much is
// told all of it without being dropped.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createLargeMarket } from "../../../scripts/benchmarks/terminal/market.ts";
import { createChannelRooms } from "../../../sequencer/api/rpc/channelRoom.ts";
import { createTopic } from "../../../sequencer/api/rpc/topicOf.ts";
import { createBookTopic, createStateTopic } from "../../../sequencer/api/rpc/topics.ts";
import { startApi } from "../../../sequencer/api/server.ts";
import { HaltedError } from "../../../sequencer/protocol/halted.ts";
import { silent } from "../roles/ports.ts";
import { type Answer, openSocket, type RawSocket } from "./apiFixture.ts";
import { CALL_NAME, startRpc } from "./rpcFixture.ts";

const PER_REQUEST = 500;

async function startLarge(context: TestContext, limits = {}) {
  const market = createLargeMarket();
  const clock = { now: () => 1_800_000_000_000 };
  const server = await startApi({ service: market.service, clock, logger: silent, limits });
  context.after(() => server.stop());
  return { ...market, socket: () => openSocket(`${server.url}/ws/api/v2`) };
}

/** Joins them by as many requests as it takes; resolves when each channel has told something. */
async function joinAll(raw: RawSocket, channels: readonly string[]): Promise<void> {
  const silentYet = new Set(channels);
  const done = new Promise<void>((resolve, reject) => {
    raw.socket.on("close", (code) => reject(new Error(`closed with ${code}`)));
    raw.socket.on("message", (data) => {
      const { params, error } = JSON.parse(String(data)) as Answer;
      if (error !== undefined) reject(new Error(JSON.stringify(error)));
      if (params !== undefined) silentYet.delete(params.channel);
      if (silentYet.size === 0) resolve();
    });
  });
  for (let from = 0; from < channels.length; from += PER_REQUEST) {
    const params = { channels: channels.slice(from, from + PER_REQUEST) };
    raw.send({ jsonrpc: "2.0", id: from, method: "public/subscribe", params });
  }
  await done;
}

/** Skips what channels tell before. */
async function answerTo(raw: RawSocket, id: number | string): Promise<Answer> {
  for (;;) {
    const message = await raw.next();
    if (message.id === id) return message;
  }
}

test("one connection hears of every book and ticker of 1,700 instruments", async (context) => {
  const { names, socket } = await startLarge(context);
  const channels = names.flatMap((name) => [`book.${name}.raw`, `ticker.${name}.raw`]);
  assert.equal(channels.length, 3400);
  const raw = await socket();
  await joinAll(raw, channels);
  assert.equal(raw.socket.readyState, raw.socket.OPEN);
  // Also one that is let write little at a time: nothing piles up until it is dropped.
  const narrow = await startLarge(context, { congestedBytes: 32_768, unsentBytes: 400_000 });
  await joinAll(await narrow.socket(), channels);
});

test("beyond what each may have for sure, connections share what there is", () => {
  const limits = { channelsPerConnection: 10, channelsSure: 4, channelsShared: 7 };
  const rooms = createChannelRooms(limits);
  const [first, second, third] = [rooms(), rooms(), rooms()];
  assert.throws(() => first.assertFor(11), /`11` channels on this connection; at most 10/);
  first.assertFor(10);
  first.hold(10);
  second.assertFor(5);
  second.hold(5);
  assert.throws(() => second.assertFor(6), /beyond 4 channels on a connection there is no room/);
  third.assertFor(4);
  third.hold(4);
  assert.throws(() => third.assertFor(5), /no room/);
  first.assertFor(9);
  first.hold(8);
  third.assertFor(6);
  first.hold(0);
  second.assertFor(10);
});

test("requests under way at once do not get more channels than one after the other", async (c) => {
  const rpc = await startRpc(c, { channelsPerConnection: 2 });
  const socket = await rpc.socket();
  const wanted = [
    [`ticker.${CALL_NAME}.raw`, "platform_state"],
    [`quote.${CALL_NAME}`, "straddle.batches"],
  ];
  for (const [id, channels] of wanted.entries()) {
    socket.send({ jsonrpc: "2.0", id, method: "public/subscribe", params: { channels } });
  }
  const answers = [await answerTo(socket, 0), await answerTo(socket, 1)];
  assert.deepEqual(
    answers.map(({ error }) => error?.message),
    [undefined, "subscription_failed"],
  );
});

test("an answer with many names costs as the calls that would fetch as much", async (context) => {
  const credits = { perSecond: 1, burst: 2600 };
  const { names, socket } = await startLarge(context, { credits });
  const raw = await socket();
  await joinAll(
    raw,
    names.slice(0, PER_REQUEST).map((name) => `ticker.${name}.raw`),
  );
  const call = async (): Promise<string | undefined> => {
    raw.send({ jsonrpc: "2.0", id: "last", method: "public/test", params: {} });
    return (await answerTo(raw, "last")).error?.message;
  };
  // 1,500 for the request and 500 for its names: 600 are left.
  assert.equal(await call(), undefined);
  assert.equal(await call(), "too_many_requests");
});

test("who joins while he does not read is told once he reads, and of nothing before", () => {
  const sent: { type: string; id: number }[] = [];
  const reader = { isSlow: true };
  const heard = {
    send: (text: string) => void sent.push(JSON.parse(text).params.data),
    isCongested: () => reader.isSlow,
  };
  let id = 0;
  const book = createBookTopic("book", 0, {
    snapshot: () => ({ type: "snapshot", id }),
    change: ({ changeId }) => ({ type: "change", id: changeId }),
    changeId: () => id,
  });
  const ticker = createStateTopic("ticker", 0, () => ({ type: "state", id }));
  const change = (): void => {
    id += 1;
    book.push({ book: 0, changeId: id, prevChangeId: id - 1, time: 1, bids: [], asks: [] });
  };
  book.join(heard);
  ticker.join(heard);
  change();
  book.recover();
  ticker.recover();
  assert.deepEqual(sent, []);
  reader.isSlow = false;
  change();
  assert.deepEqual(sent, [], "no change of a book that it does not know");
  book.recover();
  ticker.recover();
  change();
  assert.deepEqual(
    sent.map(({ type, id: of }) => [type, of]),
    [
      ["snapshot", 2],
      ["state", 2],
      ["change", 3],
    ],
  );
  reader.isSlow = true;
  book.reload();
  book.leave(heard);
  reader.isSlow = false;
  book.recover();
  assert.equal(sent.length, 3, "who has left is told nothing");
});

test("a portfolio that cannot be read is logged, and read again", async () => {
  const warnings: unknown[] = [];
  const sent: unknown[] = [];
  let time = 0;
  let failure: Error | undefined = new Error("the disk is gone");
  const { topic, state } = createTopic({
    ...{ key: "1|user.portfolio.any", name: "user.portfolio.any", account: 1 },
    channel: { type: "userPortfolio", currency: "any" },
    market: undefined as never,
    clock: { now: () => time },
    logger: { ...silent, warn: (_, fields) => void warnings.push(fields) },
    portfolio: async () => {
      if (failure !== undefined) throw failure;
      return { equity: 1 };
    },
  });
  const pass = async (): Promise<void> => {
    time += 1000;
    topic.recover();
    await new Promise((resolve) => setImmediate(resolve));
  };
  topic.join({ send: (text) => void sent.push(JSON.parse(text)), isCongested: () => false });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings[0], { account: 1, error: "Error: the disk is gone" });
  failure = undefined;
  await pass();
  assert.equal(sent.length, 1);
  failure = new HaltedError("halted");
  state?.mark();
  await pass();
  assert.equal(warnings.length, 1, "a node that has halted says so itself");
});
