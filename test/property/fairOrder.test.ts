// The rule of order, for random arrivals: what the queue releases always satisfies it, nobody gains
// by it what it does not give, and whoever changes the order of two messages breaks it.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  comparePlaces,
  createOrdering,
  endOf,
  ownPlace,
  type Place,
} from "../../sequencer/batch/fairOrder.ts";
import { InvalidEntryError } from "../../sequencer/batch/invalidEntry.ts";
import type { MessageEntry } from "../../sequencer/batch/log.ts";
import type { FairOrder } from "../../sequencer/protocol/fairOrder.ts";
import { messageWord } from "../../sequencer/protocol/messages.ts";
import { createReleaseQueue } from "../../sequencer/roles/releaseQueue.ts";
import { createFakeTimers } from "../support/fakeTimers.ts";
import { PLACE, START } from "../unit/roles/market.ts";
import { createClock } from "../unit/roles/ports.ts";

const RUNS = process.env.STRADDLE_TEST_LONG ? 5_000 : 400;

/** Somebody sends a message, `after` ms after the one before; the clock may be set meanwhile. */
interface Arriving {
  readonly key: number;
  readonly isTaker: boolean;
  readonly after: number;
  readonly jump: number;
}

/** What came out, in order. */
interface Released extends Arriving {
  readonly sent: number;
  readonly entry: MessageEntry;
  /** True time of arrival and release, which no clock changes (ms). */
  readonly came: number;
  readonly left: number;
  /** A message of its own key waited before it. */
  readonly isBehind: boolean;
}

const arriving = (keys: number, jump: fc.Arbitrary<number>): fc.Arbitrary<Arriving> =>
  fc.record({
    ...{ key: fc.nat(keys - 1), isTaker: fc.boolean(), jump },
    after: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(40)),
  });
const rules: fc.Arbitrary<FairOrder> = fc.record({
  roundMs: fc.integer({ min: 1, max: 20 }),
  bumpMs: fc.oneof(fc.constant(0), fc.nat(50)),
});
const steady = fc.constant(0);
const jumping = fc.oneof(steady, steady, fc.integer({ min: -5_000, max: 5_000 }));

const DEADLINE = START + 1_000_000;
const TAKER = messageWord({ ...PLACE, deadline: DEADLINE });
const MAKERS = [
  messageWord({ ...PLACE, postOnly: true, deadline: DEADLINE }),
  messageWord({ kind: "cancelAll", deadline: DEADLINE }),
  messageWord({ kind: "cancel", book: 0, isSell: false, price: 1, seq: 1, deadline: DEADLINE }),
];

function entryOf({ key, isTaker }: Arriving, sent: number, arrived: number): MessageEntry {
  const author = { account: key, keyIndex: 0 };
  const word = isTaker ? TAKER : MAKERS[sent % MAKERS.length]!;
  return { type: "message", author, word, signature: { r8x: 0n, r8y: 0n, s: 0n }, arrived };
}

/** The queue, with keys that extend what waits, as the door's do. */
async function release(rule: FairOrder, arrivals: readonly Arriving[]): Promise<Released[]> {
  const steadyClock = createClock(START);
  let jumped = 0;
  const clock = { ...steadyClock, now: () => steadyClock.now() + jumped };
  const scheduler = createFakeTimers(clock);
  const ordering = { last: null, keys: [] };
  const queue = createReleaseQueue({ rule, ordering, clock, scheduler });
  const chains = new Map<number, { place: Place; waiting: number }>();
  const released: Released[] = [];
  for (const [sent, arrival] of arrivals.entries()) {
    await scheduler.pass(arrival.after);
    jumped += arrival.jump;
    const { key, isTaker } = arrival;
    const came = steadyClock.now();
    const chain = chains.get(key) ?? { place: ownPlace(rule, false, 0), waiting: 0 };
    const isBehind = chain.waiting > 0;
    const place = queue.take({
      ...{ isTaker, behind: isBehind ? chain.place : undefined, drop: () => assert.fail() },
      run: (arrived) => {
        chain.waiting -= 1;
        const entry = entryOf(arrival, sent, arrived);
        released.push({ ...arrival, sent, entry, came, left: steadyClock.now(), isBehind });
      },
    });
    chain.waiting += 1;
    chain.place = place!;
    chains.set(key, chain);
  }
  await scheduler.pass(10_000);
  assert.deepEqual([released.length, scheduler.waiting()], [arrivals.length, 0]);
  return released;
}

/** Where each counts as standing. Throws where one must not stand where it does. */
function placesOf(rule: FairOrder, entries: readonly MessageEntry[]): Place[] {
  const ordering = createOrdering(rule, undefined);
  return entries.map((entry) => {
    const place = ordering.placeOf(entry);
    ordering.passed(entry, place);
    return place;
  });
}

const entriesOf = (released: readonly Released[]) => released.map(({ entry }) => entry);

test("what the queue releases satisfies the rule, whatever the clock does", async () => {
  const arrivals = fc.array(arriving(5, jumping), { minLength: 1, maxLength: 60 });
  const property = fc.asyncProperty(rules, arrivals, async (rule, sent) => {
    const released = await release(rule, sent);
    placesOf(rule, entriesOf(released));
    for (const key of [0, 1, 2, 3, 4]) {
      const own = released.filter((one) => one.key === key).map((one) => one.sent);
      assert.deepEqual(
        own,
        [...own].sort((one, other) => one - other),
        "a chain's order",
      );
    }
    // By true time: rounds go on by their timers where the clock was set back.
    const most = rule.bumpMs + rule.roundMs;
    for (const { came, left } of released) assert.ok(left - came <= most);
  });
  await fc.assert(property, { numRuns: RUNS });
});

test("no taker overtakes an earlier one; cancels and post-only orders do", async () => {
  const arrivals = fc.array(arriving(6, steady), { minLength: 2, maxLength: 60 });
  const property = fc.asyncProperty(rules, arrivals, async (rule, sent) => {
    const released = await release(rule, sent);
    const most = rule.bumpMs + rule.roundMs;
    for (const { came, left } of released) assert.ok(left - came <= most);
    const takers = released.filter(({ isTaker }) => isTaker).map((one) => one.sent);
    assert.deepEqual(
      takers,
      [...takers].sort((one, other) => one - other),
    );
    const at = new Map(released.map((one, index) => [one.sent, index]));
    const free = released.filter(({ isTaker, isBehind }) => !isTaker && !isBehind);
    for (const maker of free) {
      // Own takers hold back nobody else's cancels: it leaves with its own round.
      assert.ok(maker.left - maker.came <= rule.roundMs);
      for (const taker of released.filter(({ isTaker }) => isTaker)) {
        const isUnderBump = maker.came <= taker.came + rule.bumpMs;
        if (isUnderBump) assert.ok(at.get(maker.sent)! < at.get(taker.sent)!);
      }
    }
  });
  await fc.assert(property, { numRuns: RUNS });
});

test("whoever swaps two messages that stand at different places breaks the rule", async () => {
  const arrivals = fc.array(arriving(1, jumping), { minLength: 2, maxLength: 40 });
  const property = fc.asyncProperty(
    rules,
    arrivals,
    fc.nat(),
    fc.nat(),
    async (rule, sent, a, b) => {
      // Each by another key: a key's own order is its chain's.
      const others = sent.map((one, key) => ({ ...one, key }));
      const entries = entriesOf(await release(rule, others));
      const places = placesOf(rule, entries);
      const [first, second] = [a % entries.length, b % entries.length].sort((x, y) => x - y);
      const isTie = comparePlaces(places[first!]!, places[second!]!) === 0;
      const swapped = entries.with(first!, entries[second!]!).with(second!, entries[first!]!);
      if (isTie) placesOf(rule, swapped);
      else assert.throws(() => placesOf(rule, swapped), InvalidEntryError);
    },
  );
  await fc.assert(property, { numRuns: RUNS });
});

test("the place in the log survives a checkpoint at every entry", async () => {
  const arrivals = fc.array(arriving(4, steady), { minLength: 1, maxLength: 40 });
  const property = fc.asyncProperty(rules, arrivals, fc.nat(), async (rule, sent, cut) => {
    const entries = entriesOf(await release(rule, sent));
    const places = placesOf(rule, entries);
    const whole = createOrdering(rule, undefined);
    const length = cut % (entries.length + 1);
    for (const [index, entry] of entries.slice(0, length).entries()) {
      whole.passed(entry, places[index]!);
    }
    const kept = JSON.parse(JSON.stringify(whole.state()));
    const again = createOrdering(rule, kept);
    for (const [index, entry] of entries.slice(length).entries()) {
      const place = again.placeOf(entry);
      assert.deepEqual(place, places[length + index]);
      again.passed(entry, place);
    }
    // A process that begins there takes nothing in that would stand before.
    if (kept.last === null) return;
    const arrived = endOf(rule, kept.last);
    assert.ok(comparePlaces(ownPlace(rule, false, arrived), kept.last) > 0);
  });
  await fc.assert(property, { numRuns: RUNS });
});
