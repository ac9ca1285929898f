// Orders that wait, from the command line, against a service that remembers what was left.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ExchangeService } from "../../../sequencer/exchangeService.ts";
import { type HeldInfo, type HeldRequest, heldId } from "../../../sequencer/protocol/heldWord.ts";
import { messageFromWord, type TradeMessage } from "../../../sequencer/protocol/messages.ts";
import { startCommandLine } from "./commandLine.ts";

async function setUp(context: TestContext) {
  const { run, service } = await startCommandLine(context);
  const requests: HeldRequest[] = [];
  let held: HeldInfo[] = [];
  const { key } = service.state;
  service.session = async (_, keyIndex) => ({ ...key, keyIndex });
  const policy: ExchangeService["policy"] = {
    ...service.policy,
    hold: async (request) => {
      requests.push(request);
      held = Array.from(request.words.keys(), (place) => infoOf(request, place));
      return { accepted: true, held, sent: null };
    },
    held: async () => held,
    withdraw: async () => {
      const ids = held.map(({ id }) => id);
      held = [];
      return ids;
    },
  };
  Object.assign(service, { policy });
  return { requests, run: (line: string) => run(`--dev-account 0 held ${line}`) };
}

function infoOf({ account, keyIndex, words }: HeldRequest, place: number): HeldInfo {
  const { word, conditions, label } = words[place]!;
  const id = heldId(BigInt(place + 1));
  return {
    ...{ id, group: heldId(1n), account, keyIndex, conditions, met: 0, label },
    message: messageFromWord(word) as TradeMessage,
    ...{ state: "held", reason: null, follows: place === 0 ? null : heldId(BigInt(place)) },
    ...{ leftAt: 0, updatedAt: 0, orderId: null },
  };
}

const ORDER = "sell ETH-20261225-3000-C 0.5 49";

test("a stop is left with its trigger, listed and withdrawn", async (context) => {
  const { run, requests } = await setUp(context);
  const stopped = await run(`stop ${ORDER} --at 50 --hours 2`);
  assert.equal(stopped.code, 0, stopped.err);
  assert.match(
    stopped.out,
    /sell 0.5 ETH-20261225-3000-C at 49 .* ETH-20261225-3000-C <= 50 .* held/,
  );
  const [{ keyIndex, words }] = requests as [HeldRequest];
  assert.equal(keyIndex, 3);
  assert.deepEqual(words[0]?.conditions, [{ type: "mark", book: 1, is: "atOrBelow", price: 500 }]);
  const message = messageFromWord(words[0]!.word)!;
  assert.ok(Math.abs(message.deadline - Date.now() - 2 * 3_600_000) < 60_000);
  const again = await run(`profit ${ORDER} --at 60`);
  assert.match(again.err, /key `3` is in use/);
  assert.match((await run("list")).out, /sell 0.5/);
  assert.match((await run("withdraw")).out, /withdrawn: 1/);
  assert.match((await run("list")).out, /nothing waits/);
});

test("an iceberg's slices follow one another, a cancel waits for its time", async (context) => {
  const { run, requests } = await setUp(context);
  const iceberg = await run(`iceberg ${ORDER} --shown 0.2`);
  assert.equal(iceberg.code, 0, iceberg.err);
  const [{ words }] = requests as [HeldRequest];
  assert.deepEqual(
    words.map(({ follows, conditions }) => [follows, conditions[0]?.type]),
    [
      [null, undefined],
      [0, "filled"],
      [1, "filled"],
    ],
  );
  await run("withdraw");
  const cancelled = await run("cancel-at --held-key 2 1-S-500-7 2026-12-24T16:00Z");
  assert.equal(cancelled.code, 0, cancelled.err);
  assert.match(cancelled.out, /cancel .* 2026-12-24 16:00/);
  assert.equal(requests.at(-1)?.keyIndex, 2);
});

test("what cannot be left is said before anything is sent", async (context) => {
  const { run, requests } = await setUp(context);
  for (const [line, said] of [
    [`stop ${ORDER}`, /required option '--at <price>'/],
    [`stop ${ORDER} --at 50 --held-key 0`, /must be another key than --key-index/],
    ["stop hold ETH-20261225-3000-C 1 49 --at 50", /`side` must be buy or sell/],
    [`stop ${ORDER} --at 50.55`, /tick/],
    [`stop ${ORDER} --at 50 --hours 0`, /above 0/],
    [`iceberg ${ORDER} --shown 0.02`, /at most 16 slices/],
    ["cancel-at nothing 2026-12-24T16:00Z", /is no order id/],
    ["cancel-at 1-S-500-7 soon", /`time` must be such as/],
  ] as const) {
    const { code, err } = await run(line);
    assert.notEqual(code, 0, line);
    assert.match(err, said, line);
  }
  assert.deepEqual(requests, []);
});
