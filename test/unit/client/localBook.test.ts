import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type BookView,
  type LocalBook,
  openLocalBook,
} from "../../../sequencer/client/localBook.ts";
import { createRpcConnection } from "../../../sequencer/client/rpcConnection.ts";
import { createChance } from "../../simulation/random.ts";
import { CALL_NAME, PUT_NAME, type RpcFixture, startRpc } from "../api/rpcFixture.ts";
import { startCutProxy } from "./cutProxy.ts";
import { type Line, lossySocket } from "./lossySocket.ts";

const LIMIT = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;
const PLENTY = {
  credits: { perSecond: 1e6, burst: 1e8 },
  accountRate: { perSecond: 1e5, burst: 1e6 },
};

async function start(context: TestContext, line: Line = { filter: (text) => text }) {
  const rpc = await startRpc(context, PLENTY);
  const proxy = await startCutProxy(context, rpc.server.url);
  const retry = { retryMs: 20, retryMsMax: 50 };
  const connection = createRpcConnection({
    url: proxy.url,
    ...retry,
    webSocket: lossySocket(line),
  });
  context.after(() => connection.close());
  return { rpc, proxy, connection };
}

/** Random orders of both traders in the call's book. */
function trading({ maker, taker, signed, post }: RpcFixture, seed: number) {
  const chance = createChance(seed);
  return async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) {
      const isSell = chance.happens(50);
      const price = (isSell ? 500 : 494) + chance.pick(12);
      const lots = 1 + chance.pick(5);
      const order = { kind: "place", book: 0, isSell, price, lots, ...LIMIT } as const;
      const message = chance.happens(4) ? ({ kind: "cancelAll" } as const) : order;
      const { error } = await post("straddle/submit", {
        words: [signed(chance.happens(50) ? maker : taker, message)],
      });
      assert.equal(error, undefined);
    }
  };
}

/** In ticks and lots, as the sequencer has it. */
async function realBook({ world }: RpcFixture) {
  const { changeId, bids, asks } = (await world.sequencer.service.book(0, 100))!;
  const plain = (levels: typeof bids) => levels.map(({ price, lots }) => [price, lots]);
  return { changeId, bids: plain(bids), asks: plain(asks) };
}

function inTicks({ changeId, bids, asks }: BookView) {
  const plain = (levels: BookView["bids"]) =>
    levels.map(({ price, amount }) => [Math.round(price * 10), Math.round(amount * 100)]);
  return { changeId, bids: plain(bids), asks: plain(asks) };
}

/** Waits until the local book has come to where the real one is, and compares. */
async function assertSame(book: LocalBook, rpc: RpcFixture): Promise<void> {
  const real = await realBook(rpc);
  for (let turn = 0; turn < 200; turn++) {
    if (book.isLive && book.current()?.changeId === real.changeId) break;
    await sleep(20);
  }
  assert.equal(book.isLive, true);
  assert.deepEqual(inTicks(book.current()!), real);
}

test("a book is followed through cuts in the middle of its changes", async (context) => {
  const { rpc, proxy, connection } = await start(context);
  const trade = trading(rpc, 11);
  await trade(20);
  const intervals = ["raw", "100ms"] as const;
  const books = await Promise.all(
    intervals.map((interval) => openLocalBook(connection, { instrument: CALL_NAME, interval })),
  );
  const problems: string[] = [];
  for (const book of books) {
    book.on("gap", () => problems.push("gap"));
    book.on("badChecksum", () => problems.push("checksum"));
  }
  let isDone = false;
  const cuts = (async () => {
    while (!isDone) {
      await sleep(60);
      proxy.cut();
    }
  })();
  await trade(250);
  isDone = true;
  await cuts;
  for (const book of books) await assertSame(book, rpc);
  await trade(10);
  for (const book of books) await assertSame(book, rpc);
  assert.ok(proxy.taken() > 3, `${proxy.taken()} connections`);
  assert.deepEqual(problems, [], "what a cut takes is not told as a gap");
});

test("a lost notification is noticed, told and repaired", async (context) => {
  let losing = 0;
  const line: Line = {
    filter: (text) => {
      if (losing === 0 || !text.includes('"type":"change"')) return text;
      losing -= 1;
      return undefined;
    },
  };
  const { rpc, connection } = await start(context, line);
  const trade = trading(rpc, 12);
  const book = await openLocalBook(connection, { instrument: CALL_NAME, interval: "raw" });
  const events: string[] = [];
  book.on("gap", ({ expected, prevChangeId }) => {
    assert.ok(prevChangeId! > expected);
    assert.equal(book.isLive, false);
    events.push("gap");
  });
  book.on("stale", () => events.push("stale"));
  for (let round = 1; round <= 3; round++) {
    await trade(5);
    await assertSame(book, rpc);
    losing = round;
    await trade(round + 5);
    await assertSame(book, rpc);
  }
  assert.deepEqual(events, ["gap", "stale", "gap", "stale", "gap", "stale"]);
});

test("a book that does not sum up is not shown", async (context) => {
  let altered = 0;
  const line: Line = {
    filter: (text) => {
      if (altered === 0 || !text.includes('"type":"change"')) return text;
      altered -= 1;
      return text.replace(/(\["(?:new|change|delete)",)([\d.]+),/, "$1999.5,");
    },
  };
  const { rpc, connection } = await start(context, line);
  const trade = trading(rpc, 13);
  const book = await openLocalBook(connection, { instrument: CALL_NAME, interval: "raw" });
  await trade(5);
  await assertSame(book, rpc);
  const wrong: number[] = [];
  book.on("badChecksum", ({ changeId }) => wrong.push(changeId));
  book.on("update", ({ asks, bids }) => {
    assert.ok([...asks, ...bids].every(({ price }) => price !== 999.5));
  });
  altered = 1;
  await trade(10);
  await assertSame(book, rpc);
  assert.equal(wrong.length, 1);
});

test("books that never sum up are refused, without asking in a storm", async (context) => {
  let asked = 0;
  const line: Line = {
    filter: (text) => {
      if (!text.includes('"type":"snapshot"')) return text;
      asked += 1;
      return text.replace(/"checksum":\d+/, '"checksum":1');
    },
  };
  const { connection } = await start(context, line);
  const opened = openLocalBook(connection, { instrument: CALL_NAME, interval: "raw" });
  await assert.rejects(opened, /does not sum up to its checksum `1`/);
  assert.ok(asked <= 6, `asked ${asked} times`);
});

test("several followers of one channel each have the whole", async (context) => {
  const { rpc, connection } = await start(context);
  const trade = trading(rpc, 14);
  await trade(10);
  const options = { instrument: CALL_NAME.toLowerCase(), interval: "raw" } as const;
  const one = await openLocalBook(connection, options);
  const two = await openLocalBook(connection, options);
  await trade(10);
  await assertSame(one, rpc);
  await assertSame(two, rpc);
  one.stop();
  await trade(10);
  await assertSame(two, rpc);
  assert.notEqual(one.current()?.changeId, two.current()?.changeId);
});

test("there is no book of what there is not", async (context) => {
  const { connection } = await start(context);
  const wrong = openLocalBook(connection, { instrument: "ETH-1" });
  await assert.rejects(wrong, { reason: "invalid_or_unsupported_instrument" });
  const empty = await openLocalBook(connection, { instrument: PUT_NAME });
  assert.deepEqual([empty.current()?.bids, empty.current()?.asks], [[], []]);
});
