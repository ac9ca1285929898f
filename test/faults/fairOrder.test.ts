// A sequencer that favours a friend: whatever it writes of when messages came, either the order
// follows from it or every validator refuses the log, at the first message that is out of place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isTaking } from "../../sequencer/batch/fairOrder.ts";
import type { LogRecord, MessageEntry } from "../../sequencer/batch/log.ts";
import type { Receipt } from "../../sequencer/exchangeService.ts";
import type { FairOrder } from "../../sequencer/protocol/fairOrder.ts";
import { messageFromWord } from "../../sequencer/protocol/messages.ts";
import { type Day, day, FIRST_COME, RULE, retold } from "./friendlyDay.ts";
import { refusalOf } from "./refusing.ts";

const refusal = ({ world }: Day, records: readonly LogRecord[], fairOrder: FairOrder) =>
  refusalOf({ world, records, now: world.clock.now, fairOrder });

test("an honest sequencer's order is taken, and the maker's cancel was in time", async () => {
  const it = await day(RULE);
  assert.deepEqual(
    it.receipts.map(({ outcome }) => outcome),
    ["rested", "rested", "allCancelled", "rested"],
  );
  const positions = it.receipts.map(({ logPosition }) => logPosition);
  assert.ok(positions[2]! < positions[1]!);
  assert.equal(await refusal(it, it.records, RULE), undefined);
  // Told again as it was, it is the same log: what the tests below change is nothing else.
  assert.deepEqual(
    retold(it, ({ arrived }) => arrived),
    it.records,
  );
});

test("a sequencer that executes a friend's order at once is refused", async () => {
  const it = await day(FIRST_COME);
  const [, friend, cancel] = it.receipts;
  assert.equal(friend?.outcome, "filled");
  const refused = await refusal(it, it.records, RULE);
  assert.equal(refused?.position, cancel?.logPosition);
  assert.match(refused?.reason ?? "", /a message of round .* must not follow a taker of round/);
  // By the rule of those who have none it is in order, so nothing else is wrong with it.
  assert.equal(await refusal(it, it.records, FIRST_COME), undefined);
});

test("an order that did not follow from the times is refused, whoever it was for", async () => {
  const it = await day(RULE);
  const { clock } = it.world;
  const [, first, cancel, second] = it.receipts as [Receipt, Receipt, Receipt, Receipt];
  const at = (receipt: Receipt, arrived: number) => (entry: MessageEntry, position: number) =>
    position === receipt.logPosition ? arrived : entry.arrived;
  // [what the log says, where it is refused, in which words]
  const lies: readonly (readonly [string, LogRecord[], Receipt, RegExp])[] = [
    [
      "the taker that goes second came first",
      retold(it, at(second, first.arrived! - 1)),
      ...([second, /a taker of round .* must not follow a taker/] as const),
    ],
    [
      "the cancel came after the bump of the taker that goes behind it",
      retold(it, at(cancel, first.arrived! + RULE.bumpMs + RULE.roundMs)),
      ...([first, /a taker of round .* must not follow a message/] as const),
    ],
    [
      "a message came tomorrow",
      retold(it, at(second, clock.now() + 86_400_000)),
      ...([second, /ahead of the clock here/] as const),
    ],
    ["a time that is none", retold(it, at(first, 0.5)), first, /must have arrived from/],
    ["a time before all", retold(it, at(first, -1)), first, /must have arrived from/],
    [
      "no time",
      retold(it, at(first, undefined as unknown as number)),
      ...([first, /must have arrived from/] as const),
    ],
  ];
  for (const [what, records, where, words] of lies) {
    const refused = await refusal(it, records, RULE);
    assert.equal(refused?.position, where.logPosition, what);
    assert.match(refused?.reason ?? "", words, what);
  }
});

test("nodes that were given different rules do not agree, and say where", async () => {
  const it = await day(RULE);
  const cancel = it.records.find(
    ({ entry }) => entry.type === "message" && !isTaking(messageFromWord(entry.word)),
  );
  const refused = await refusal(it, it.records, FIRST_COME);
  assert.ok(refused !== undefined && refused.position > cancel!.position);
  assert.equal(refused.position, it.receipts[1]?.logPosition);
});
