// Partitions of a real network: sequencer and four validators, each a process in a network
// namespace of its own, and the bridge between them split and joined again. Nothing tells a process
// that it is cut off but silence.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MEMBERS, type MemberProgress } from "../../scripts/benchmarks/certify/sitting.ts";
import { runs } from "../property/runs.ts";
import { createChance } from "../simulation/random.ts";
import { createNamespaces, namespacesMissing } from "../support/namespaces.ts";
import { temporaryFolder } from "../unit/store/sampleEntries.ts";
import type { LogTold } from "./logChild.ts";

const MEMBER = fileURLToPath(
  new URL("../../scripts/benchmarks/certify/member.ts", import.meta.url),
);
const SEQUENCER = fileURLToPath(new URL("logChild.ts", import.meta.url));
const PORT = 4001;
const NAMES = Array.from({ length: MEMBERS }, (_, index) => `member${index}`);
const QUORUM = 3;
/** Votes that were on their way when the network split are counted by then (ms). */
const SETTLE_MS = 1_000;
const CUT_MS = 3_000;
/** TCP sends again after pauses that have grown while nothing came through. */
const HEALED_MS_MAX = 60_000;
const skip = namespacesMissing;

interface Venue {
  /** Appends this many records; what the sequencer says then. */
  append(count: number): Promise<LogTold>;
  progress(): Promise<MemberProgress[]>;
  split(groups: readonly (readonly string[])[]): void;
  heal(): void;
}

async function openVenue(context: TestContext): Promise<Venue> {
  const network = createNamespaces(["sequencer", ...NAMES]);
  context.after(network.stop);
  const folder = await temporaryFolder(context);
  const listenOf = (name: string): string => `/ip4/${network.addressOf(name)}/tcp/${PORT}`;
  const told = { directory: path.join(folder, "sequencer"), listen: listenOf("sequencer") };
  const sequencer = network.start("sequencer", SEQUENCER, JSON.stringify(told));
  const { address } = await answerOf<LogTold>(sequencer);
  const members = NAMES.map((name, index) => {
    const directory = path.join(folder, name);
    const start = { index, directory, sequencer: address, listens: NAMES.map(listenOf) };
    return network.start(name, MEMBER, JSON.stringify(start));
  });
  await Promise.all(members.map(answerOf));
  return {
    append: (count) => ask<LogTold>(sequencer, count),
    progress: () => Promise.all(members.map((member) => ask<MemberProgress>(member, "progress"))),
    split: network.split,
    heal: network.heal,
  };
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const [told] = await once(child, "message");
  return told as T;
}

/** The channel is a pipe: no split of the network cuts it. */
async function ask<T>(child: ChildProcess, question: number | string): Promise<T> {
  const answer = answerOf<T>(child);
  child.send(question);
  return answer;
}

async function untilCertified(venue: Venue, members: readonly number[], to: number) {
  const began = performance.now();
  for (;;) {
    const progress = await venue.progress();
    if (members.every((member) => progress[member]!.certified >= to)) {
      return Math.round(performance.now() - began);
    }
    if (performance.now() - began > HEALED_MS_MAX) {
      const seen = progress.map(({ term, certified }) => `${certified} in term ${term}`);
      throw new Error(`not certified up to \`${to}\` after a minute: ${seen.join(", ")}`);
    }
    await sleep(50);
  }
}

const ALL = NAMES.map((_, index) => index);

/** All have the sequencer's log, to the last record and hash, and know it to be final. */
async function assertConverged(venue: Venue, to: number): Promise<number> {
  const took = await untilCertified(venue, ALL, to);
  const { head } = await venue.append(0);
  const progress = await venue.progress();
  for (const member of progress) assert.deepEqual(member.head, { ...member.head, ...head });
  return took;
}

test("E21 a validator behind a real partition: the rest goes on, it converges", {
  skip,
}, async (context) => {
  const venue = await openVenue(context);
  await venue.append(20);
  await untilCertified(venue, ALL, 20);
  const { numRuns } = runs(2, MEMBERS);
  for (const [round, lonely] of ALL.slice(0, numRuns).entries()) {
    const others = ALL.filter((member) => member !== lonely);
    const before = 20 * (round + 1);
    venue.split([["sequencer", ...others.map((member) => NAMES[member]!)]]);
    await venue.append(20);
    const went = await untilCertified(venue, others, before + 20);
    await sleep(CUT_MS);
    const alone = (await venue.progress())[lonely]!;
    assert.equal(alone.certified, before, "nobody is alone a quorum");
    venue.heal();
    const healed = await assertConverged(venue, before + 20);
    context.diagnostic(`without member ${lonely}: certified in ${went} ms, healed in ${healed} ms`);
  }
});

test("E21 a sequencer in the minority: nothing that it orders is certified", {
  skip,
}, async (context) => {
  const venue = await openVenue(context);
  await venue.append(20);
  await untilCertified(venue, ALL, 20);
  const { numRuns } = runs(2, 3);
  for (const [round, company] of [[1, 2], [0], []].slice(0, numRuns).entries()) {
    const before = 20 * (round + 1);
    const names = company.map((member) => NAMES[member]!);
    const others = NAMES.filter((name) => !names.includes(name));
    venue.split([["sequencer", ...names], others]);
    await sleep(SETTLE_MS);
    await venue.append(20);
    await sleep(CUT_MS);
    const { certified } = await venue.append(0);
    assert.ok(certified <= before, "the sequencer knows that nobody vouches for it");
    for (const member of await venue.progress()) assert.ok(member.certified <= before);
    venue.heal();
    const healed = await assertConverged(venue, before + 20);
    context.diagnostic(`with ${names.join(", ") || "nobody"}: healed in ${healed} ms`);
  }
});

test("E21 partitions come and go: only quorums certify, and all converge", {
  skip,
}, async (context) => {
  const venue = await openVenue(context);
  const { numRuns } = runs(3, 40);
  const seed = Number(process.env.STRADDLE_SEED ?? Date.now() % 2 ** 31);
  context.diagnostic(`seed ${seed}, ${numRuns} partitions`);
  const chance = createChance(seed);
  let [to, certifiedApart] = [0, 0];
  for (let round = 0; round < numRuns; round++) {
    const sides = ALL.map(() => chance.pick(2));
    const sideOf = (side: number) => ALL.filter((member) => sides[member] === side);
    const withSequencer = chance.pick(2);
    const groups = [0, 1].map((side) => [
      ...(side === withSequencer ? ["sequencer"] : []),
      ...sideOf(side).map((member) => NAMES[member]!),
    ]);
    venue.split(groups);
    await sleep(SETTLE_MS);
    const before = await venue.progress();
    const known = Math.max(...before.map(({ certified }) => certified));
    to = (await venue.append(1 + chance.pick(30))).head.position;
    const canCertify = sideOf(withSequencer).length >= QUORUM;
    if (canCertify) {
      await untilCertified(venue, sideOf(withSequencer), to);
      certifiedApart += 1;
    } else {
      await sleep(CUT_MS);
      for (const { certified } of await venue.progress()) {
        assert.ok(certified <= Math.max(known, to - 1), "records without a quorum");
        assert.ok(certified <= known || sideOf(1 - withSequencer).length >= QUORUM);
      }
    }
    if (chance.happens(50)) {
      venue.heal();
      await assertConverged(venue, to);
    }
  }
  venue.heal();
  await assertConverged(venue, to);
  context.diagnostic(`${certifiedApart} of ${numRuns} had a quorum beside the sequencer`);
});
