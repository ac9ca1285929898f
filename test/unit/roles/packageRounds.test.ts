// Packages under the rule of rounds: nobody stands between a quote and the order that takes it, and
// the order that the log shows is one that every executor accepts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { logOrigin } from "../../../sequencer/batch/log.ts";
import type { FairOrder } from "../../../sequencer/protocol/fairOrder.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";
import { createNodeState } from "../../../sequencer/roles/nodeState.ts";
import { createFakeTimers, type FakeTimers } from "../../support/fakeTimers.ts";
import { DOMAIN, deployment, PLACE, turns, type World } from "./market.ts";
import {
  accept,
  codeOf,
  createRfqMarket,
  entriesFrom,
  moved,
  quote,
  quoteOf,
  type RfqWorld,
  request,
  wordOf,
} from "./rfqFixture.ts";

const RULES: readonly FairOrder[] = [
  { roundMs: 10, bumpMs: 30 },
  { roundMs: 10, bumpMs: 0 },
  { roundMs: 7, bumpMs: 4 },
];

async function open(fairOrder: FairOrder) {
  const opened: { world?: World } = {};
  const timers: FakeTimers = createFakeTimers({
    advance: (ms) => opened.world?.clock.advance(ms),
  });
  const config = { deployment: { ...deployment, fairOrder } };
  const venue = await createRfqMarket(config, { scheduler: timers });
  opened.world = venue.world;
  return { venue, timers, pass: (ms: number) => timers.pass(ms, turns) };
}

function send({ world }: RfqWorld, key: RfqWorld["taker"], message: Message) {
  const word = wordOf(key, message);
  moved(key, message);
  return world.sequencer.service.submit(word);
}

for (const rule of RULES) {
  const name = `rounds of ${rule.roundMs} ms and a bump of ${rule.bumpMs}`;
  test(`${name}: others stand before a package, or behind it`, async () => {
    const { venue, pass } = await open(rule);
    const { world, makers, spare } = venue;
    const rfq = await request(venue);
    await quote(venue, rfq, makers[0]);
    const from = world.log.records.length;
    const deadline = world.clock.now() + 60_000;
    const grab = { ...PLACE, book: venue.book, price: 10, timeInForce: "ioc", deadline } as const;
    const resting = quoteOf(venue, { isSell: false, price: 1, lots: 1 });
    const taken = accept(venue, rfq);
    const answers: Promise<unknown>[] = [];
    // All the way through the round of the package somebody quotes, cancels and takes.
    for (let ms = 0; ms < 4 * rule.roundMs + rule.bumpMs; ms++) {
      if (ms % 3 === 0) answers.push(send(venue, makers[1], { ...grab, lots: 1 }));
      if (ms % 3 === 1) answers.push(send(venue, spare, { ...resting, price: 1 + (ms % 5) }));
      if (ms % 5 === 2) answers.push(send(venue, spare, { kind: "cancelAll", deadline }));
      await pass(1);
    }
    await pass(3 * rule.roundMs + rule.bumpMs);
    const trade = await taken;
    await Promise.all(answers);
    assert.ok("fills" in trade, JSON.stringify(trade));
    assert.deepEqual(trade.fills, [{ price: 10, lots: 10, maker: 3 }]);
    const entries = entriesFrom(world.log.records, from);
    const at = entries.indexOf("fok 4");
    assert.deepEqual(entries.slice(at - 1, at + 1), ["gtc 3", "fok 4"]);
    assert.ok(entries.slice(0, at - 1).includes("ioc 5"), "nobody took before it");
    assert.ok(entries.slice(at + 1).includes("ioc 5"), "nobody took after it");
    // What validators do with the log: they refuse one in another order.
    const of = { ...deployment, fairOrder: rule };
    const node = createNodeState(of, logOrigin(DOMAIN), undefined);
    for (const record of world.log.records) node.apply(record);
    assert.deepEqual(node.state.account(4).positions.slice(0, 2), [10, -10]);
  });
}

test("each package has a round of its own, and a cancel of the maker's goes before", async () => {
  const { venue, pass } = await open({ roundMs: 10, bumpMs: 30 });
  const { world, makers } = venue;
  const rfqs = [await request(venue), await request(venue)];
  await quote(venue, rfqs[0]!, makers[0]);
  await quote(venue, rfqs[1]!, makers[1]);
  const from = world.log.records.length;
  const first = accept(venue, rfqs[0]!);
  await turns();
  // The second waits behind the first, which its key has sent: its head is not known before.
  await pass(60);
  assert.ok("fills" in (await first));
  const second = accept(venue, rfqs[1]!);
  const late = { kind: "cancelAll", deadline: world.clock.now() + 60_000 } as const;
  await pass(15);
  const cancelled = send(venue, makers[1], late);
  await pass(60);
  assert.ok((await cancelled).accepted);
  const refused = await second;
  assert.equal(codeOf(refused), "wrongHead");
  assert.ok("data" in refused && refused.data.side === "maker");
  const entries = entriesFrom(world.log.records, from).filter((entry) => entry.includes(" "));
  assert.deepEqual(entries, ["gtc 3", "fok 4", "cancelAll 5"]);
  assert.deepEqual((await world.sequencer.service.account({ id: 4 }))?.positions[0], 10);
});

test("two at once are executed in two rounds, neither meets the other", async () => {
  const { venue, pass } = await open({ roundMs: 10, bumpMs: 0 });
  const { world, makers, spare } = venue;
  const one = await request(venue);
  const other = await request(venue, { account: 5 });
  await quote(venue, one, makers[0]);
  await quote(venue, other, spare, { price: 8 });
  const from = world.log.records.length;
  const both = [accept(venue, one), accept({ ...venue, taker: makers[1] }, other)];
  await pass(40);
  const [first, second] = await Promise.all(both);
  assert.ok("fills" in first! && "fills" in second!);
  assert.deepEqual([first.fills[0]?.price, second.fills[0]?.price], [10, 8]);
  const entries = entriesFrom(world.log.records, from).filter((entry) => entry.includes(" "));
  assert.deepEqual(entries, ["gtc 3", "fok 4", "gtc 3", "fok 5"]);
});

test("a package that waits when the node ends is refused", async () => {
  const { venue } = await open({ roundMs: 10, bumpMs: 30 });
  const { world, makers } = venue;
  const rfq = await request(venue);
  await quote(venue, rfq, makers[0]);
  const from = world.log.records.length;
  const taken = accept(venue, rfq);
  await turns();
  await world.sequencer.stop();
  assert.equal(codeOf(await taken), "overloaded");
  assert.deepEqual(entriesFrom(world.log.records, from), []);
});
