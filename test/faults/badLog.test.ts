// Four validators and a sequencer whose log breaks the rules, in the order of messages or in what
// they led to: nobody executes past that record, no block with it becomes final, also with one of
// the validators on the liar's side, and everybody tells where it stands.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogRecord } from "../../sequencer/batch/log.ts";
import { blockHash } from "../../sequencer/consensus/block.ts";
import { until } from "../support/committee.ts";
import {
  createExecutingCommittee,
  type ExecutingCommittee,
} from "../support/executingCommittee.ts";
import { logOf } from "../support/histories.ts";
import { createLiar } from "../support/liar.ts";
import { DOMAIN, deployment } from "../unit/roles/market.ts";
import { type Day, day, FIRST_COME, RULE, retold } from "./friendlyDay.ts";

interface Case {
  readonly it: Day;
  readonly records: readonly LogRecord[];
  /** Of the record that breaks a rule. */
  readonly bad: number;
  readonly reason: RegExp;
}

/** A friend's order was executed at once, and the cancel of the same round only after it. */
async function takersFirst(): Promise<Case> {
  const it = await day(FIRST_COME);
  const [, friend, cancel] = it.receipts;
  assert.equal(friend?.outcome, "filled");
  const reason = /a message of round .* must not follow a taker of round/;
  return { it, records: it.records, bad: cancel!.logPosition, reason };
}

/** An order that came tomorrow. */
async function aheadOfTime(): Promise<Case> {
  const it = await day(RULE);
  const bad = it.receipts.at(-1)!.logPosition;
  const tomorrow = it.world.clock.now() + 86_400_000;
  const records = retold(it, ({ arrived }, position) => (position === bad ? tomorrow : arrived));
  return { it, records, bad, reason: /ahead of the clock here/ };
}

/** A batch that is said to lead to another root. */
async function anotherRoot(): Promise<Case> {
  const it = await day(RULE);
  const seals = it.records.filter(({ entry }) => entry.type === "seal");
  const bad = seals.at(-1)!.position;
  const entries = it.records.map(({ entry, position }) =>
    position === bad && entry.type === "seal" ? { ...entry, root: entry.root + 1n } : entry,
  );
  return { it, records: logOf(DOMAIN, entries), bad, reason: /the root after batch .* is/ };
}

async function committeeFor(
  context: TestContext,
  { it, records }: Case,
  absent: readonly number[] = [],
): Promise<ExecutingCommittee> {
  const { clock, settlement } = it.world;
  const rule = { ...deployment, fairOrder: RULE };
  const committee = await createExecutingCommittee({
    ...{ members: 4, absent, deployment: rule, clock, queue: settlement.queue, records },
  });
  context.after(() => committee.stop());
  return committee;
}

/** Nobody has it, nobody has called it final, and each has told the sequencer its place. */
async function assertRefused(
  { seats, refusals, addresses, sent, observer }: ExecutingCommittee,
  { bad, reason }: Case,
): Promise<void> {
  await until("everybody refuses", () => refusals.length === seats().length);
  for (const { ended, store, certified } of seats()) {
    assert.match((await ended) ?? "it was stopped", reason);
    assert.equal(store.log.head().position, bad, "executed up to the record, and not that");
    assert.ok(certified() <= bad);
  }
  assert.deepEqual(
    refusals.map(({ validator, position }) => [validator.toLowerCase(), position]).sort(),
    seats()
      .map(({ index }) => [addresses[index], bad])
      .sort(),
  );
  for (const refusal of refusals) assert.match(refusal.reason, reason);
  assert.ok(sent.length > 0);
  const blocks = sent.flatMap((message) => ("block" in message ? [message.block] : []));
  assert.ok(
    blocks.every((block) => typeof block !== "object" || block === null || block.to <= bad),
    "nobody has proposed it",
  );
  assert.deepEqual(observer.violations, []);
}

const CASES: readonly (readonly [string, () => Promise<Case>])[] = [
  ["takers before a cancel of their round", takersFirst],
  ["a message ahead of time", aheadOfTime],
  ["another root", anotherRoot],
];

for (const [name, made] of CASES) {
  test(`E21 a log with ${name}: final up to there, refused there by all`, async (context) => {
    const it = await made();
    const committee = await committeeFor(context, it);
    const { seats, show } = committee;
    show(it.bad);
    await until("what is good is final", () =>
      seats().every((seat) => seat.certified() === it.bad),
    );
    show(it.records.length);
    await assertRefused(committee, it);
    assert.ok(seats().every((seat) => seat.certified() === it.bad));
    context.diagnostic(`${it.records.length} records, refused at ${it.bad} by ${seats().length}`);
  });
}

test("E21 a validator on the liar's side makes nothing of such a log final", async (context) => {
  const it = await takersFirst();
  const { records, bad } = it;
  const committee = await committeeFor(context, it, [0]);
  const { genesis, seats, show } = committee;
  const liar = await createLiar(committee, 0);
  context.after(() => liar.mesh.stop());
  await until("the liar is let in", () => liar.mesh.connected().length === 3);
  // It leads the first term: what is good is voted for, and final.
  const root = rootBefore(records, bad) ?? genesis.root;
  const first = { height: 1, view: { term: 1, index: 0 }, parent: blockHash(genesis) };
  const good = { ...first, from: 0, to: bad, logHash: records[bad - 1]!.hash, root };
  show(bad);
  liar.mesh.send([1, 2, 3], liar.propose(good));
  await until("what is good is final", () => seats().every((seat) => seat.certified() === bad));
  const second = { height: 2, view: { term: 1, index: 1 }, parent: blockHash(good) };
  const wrong = { ...second, from: bad, to: bad + 1, logHash: records[bad]!.hash, root };
  show(records.length);
  liar.mesh.send([1, 2, 3], liar.propose(wrong));
  await assertRefused(committee, it);
  await sleep(500);
  const votes = liar.received.flatMap(({ message }) => ("vote" in message ? [message.vote] : []));
  const votesFor = (hash: string) =>
    votes.filter((vote) => vote.kind !== "nullify" && vote.block === hash);
  assert.ok(votesFor(blockHash(good)).length >= 3);
  assert.deepEqual(votesFor(blockHash(wrong)), []);
  assert.ok(seats().every((seat) => seat.certified() === bad));
});

/** As the last seal before the position says. */
function rootBefore(records: readonly LogRecord[], position: number): bigint | undefined {
  const seal = records.slice(0, position).findLast(({ entry }) => entry.type === "seal")?.entry;
  return seal?.type === "seal" ? seal.root : undefined;
}
