// Certification over real libp2p streams, with real signatures and real disks, in one process.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { leaderOf } from "../../../sequencer/consensus/validatorSet.ts";
import {
  type CommitteeOptions,
  createCommittee,
  recordAt,
  until,
} from "../../support/committee.ts";

async function committee(context: TestContext, options: Partial<CommitteeOptions> = {}) {
  const created = await createCommittee({ members: 4, ...options });
  context.after(() => created.stop());
  return created;
}

test("the log becomes final at every member, the sequencer hears of it", async (context) => {
  const { grow, seats, reports, observer, head } = await committee(context);
  for (let round = 0; round < 20; round++) await grow(25);
  await until("all have certified the log", () => seats().every((seat) => seat.position() === 500));
  assert.equal(head(), 500);
  await until("all reports say so", () => {
    const all = [...reports.values()];
    return all.length === 4 && all.every(({ final }) => final?.block.to === 500);
  });
  assert.deepEqual(observer.violations, []);
});

test("a killed leader's term is given up, and the next leader goes on", async (context) => {
  const { grow, seats, seat, kill, rules, observer } = await committee(context);
  await grow(100);
  await until("the first blocks", () => seats().every((each) => each.position() === 100));
  const leader = leaderOf(rules.validators, seat(3).term());
  await kill(leader);
  await grow(100);
  const ms = await until("the next term", () => seats().every((each) => each.position() === 200));
  context.diagnostic(`failover ${Math.round(ms)} ms`);
  assert.ok(seats().every((each) => leaderOf(rules.validators, each.term()) !== leader));
  assert.deepEqual(observer.violations, []);
});

test("members that are killed and started again never vote twice", async (context) => {
  const { grow, seats, kill, start, observer, head } = await committee(context);
  for (let round = 0; round < 8; round++) {
    const victim = round % 4;
    await Promise.all([grow(40), sleep(20 * round).then(() => kill(victim))]);
    await grow(10);
    await start(victim);
  }
  await until("all are there", () => seats().every((each) => each.position() === head()), 60_000);
  assert.deepEqual(observer.violations, []);
  assert.equal(head(), 400);
});

test("a member that has lost its record of votes notices", async (context) => {
  // Of three that run every certificate has all the votes.
  const created = await committee(context, { absent: [3] });
  const { grow, seats, kill, start, seat, directory, observer } = created;
  await grow(30);
  await until("the beginning", () => seats().every((each) => each.position() === 30));
  await kill(2);
  rmSync(path.join(directory, "member-2"), { recursive: true });
  await start(2);
  const halted = () => seat(2).member.progress()?.halted ?? "";
  await until("it notices", () => halted() !== "");
  assert.match(halted(), /lost its record of votes/);
  assert.equal(await seat(2).ended, halted());
  assert.deepEqual(observer.violations, []);
});

test("without the sequencer a member takes certified records from the others", async (context) => {
  const { grow, seats, kill, start, seat, stopSequencer, observer } = await committee(context);
  await grow(20);
  await until("the beginning", () => seats().every((each) => each.position() === 20));
  await kill(1);
  for (let round = 0; round < 10; round++) await grow(10);
  await until("the others", () => seats().every((each) => each.position() === 120));
  await stopSequencer();
  await start(1);
  await until("the one that was away", () => seat(1).position() === 120);
  const [own, other] = await Promise.all([1, 0].map((index) => recordAt(seat(index).store, 119)));
  assert.deepEqual(own, other);
  assert.deepEqual(observer.violations, []);
});
