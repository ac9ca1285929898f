// E20: sequencer and validators are restarted one after the other while clients trade. Nothing is
// lost, trading and certification go on around whoever is away, and all end with one log.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CALM } from "../simulation/consensus/network.ts";
import { createChance } from "../simulation/random.ts";
import type { Node } from "../simulation/whole/node.ts";
import { seedsFrom } from "../simulation/whole/seeds.ts";
import {
  DISKS,
  OPENING_MS,
  report,
  type StormResult,
  unfinished,
} from "../simulation/whole/storm.ts";
import { createVenue, type Venue } from "../simulation/whole/venue.ts";
import { inVirtualTime, type VirtualTime } from "../simulation/whole/virtualTime.ts";
import { createCommittee, until } from "../support/committee.ts";

/** Virtual ms: of an upgrade, of a node's way back to the others, of all that is left to do. */
const DOWN_MS = 2_500;
const BACK_MS_MAX = 20_000;
const END_MS_MAX = 30_000;
const LOOK_MS = 100;
const ROUNDS = 2;

interface Rolling {
  readonly result: StormResult;
  /** Commands that were acknowledged while a validator was away. */
  readonly meanwhile: number;
  /** The slowest way back (virtual ms). */
  readonly backMs: number;
}

const acknowledged = ({ clients }: Venue): number =>
  clients.flatMap(({ commands }) => commands).filter(({ answer }) => answer !== undefined).length;

const certified = ({ validators }: Venue): number =>
  Math.max(...validators.map((node) => node.certified()));

/** Virtual ms until it is so. */
async function within(
  time: VirtualTime,
  msMax: number,
  what: string,
  isSo: () => boolean,
): Promise<number> {
  const began = time.schedule.now();
  while (!isSo()) {
    const ms = time.schedule.now() - began;
    assert.ok(ms < msMax, `${what} within ${msMax} virtual ms`);
    await time.runTo(time.schedule.now() + LOOK_MS);
  }
  return time.schedule.now() - began;
}

/** One node ends as if killed, is away as long as an upgrade takes, and comes back. */
async function restart(venue: Venue, node: Node): Promise<{ meanwhile: number; backMs: number }> {
  const { time, sequencer, watcher } = venue;
  const { name } = node.machine;
  const before = { acknowledged: acknowledged(venue), certified: certified(venue) };
  node.machine.crash();
  node.disk.crash(false);
  watcher.checkLog();
  await time.runTo(time.schedule.now() + DOWN_MS);
  const meanwhile = acknowledged(venue) - before.acknowledged;
  if (node !== sequencer) {
    assert.ok(meanwhile > 0, `trading goes on without ${name}`);
    assert.ok(certified(venue) > before.certified, `so does certification without ${name}`);
  }
  node.start();
  // Whatever there was when it came back, and something after it.
  const goal = { position: sequencer.disk.logHead().position, answers: acknowledged(venue) };
  const backMs = await within(time, BACK_MS_MAX, `${name} is back`, () => {
    const isThere = venue.validators.every((each) => each.certified() > goal.position);
    return isThere && acknowledged(venue) > goal.answers;
  });
  return { meanwhile: node === sequencer ? 0 : meanwhile, backMs };
}

function roll(seed: number): Promise<Rolling> {
  return inVirtualTime(async (time) => {
    const chance = createChance(seed);
    const options = { chance, weather: CALM, disks: DISKS, twins: [], copies: 1, clients: 3 };
    const venue = createVenue(time, options);
    await time.runTo(OPENING_MS);
    const passed = { meanwhile: 0, backMs: 0, crashes: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      // The sequencer first, then last: it meets validators of its own version and of another.
      const nodes = round % 2 === 0 ? venue.nodes : [...venue.nodes].reverse();
      for (const node of nodes) {
        const { meanwhile, backMs } = await restart(venue, node);
        passed.meanwhile += meanwhile;
        passed.backMs = Math.max(passed.backMs, backMs);
        passed.crashes += 1;
      }
    }
    for (const client of venue.clients) client.finish();
    const recoveryMs = await within(
      ...[time, END_MS_MAX, "everything is done"],
      () => unfinished(venue).length === 0,
    );
    assertOneLog(venue);
    const { crashes, ...rest } = passed;
    return { result: report(venue, { recoveryMs, undone: [], crashes }), ...rest };
  });
}

function assertOneLog({ nodes, sequencer }: Venue): void {
  for (const { machine, disk } of nodes) {
    assert.equal(machine.life(), 1 + ROUNDS, `lives of ${machine.name}`);
    assert.deepEqual(disk.logHead(), sequencer.disk.logHead(), machine.name);
  }
}

test("E20 a rolling restart under load loses nothing, and all heads are equal", async (context) => {
  for (const seed of seedsFrom(20_200, 2, 200)) {
    const { result, meanwhile, backMs } = await roll(seed);
    const { counts, violations, history } = result;
    assert.deepEqual(violations, [], `STRADDLE_SEED=${seed}`);
    assert.ok(counts.fills! > 0 && counts.anchored! > 0, `STRADDLE_SEED=${seed}`);
    // Whoever was cut off has asked, and knows by now: nothing is left in doubt but copies.
    assert.ok(history.commands.every(({ isOver }) => isOver));
    context.diagnostic(
      `${counts.crashes} restarts, ${counts.acknowledged} of ${counts.commands} commands ` +
        `acknowledged, ${meanwhile} while a validator was away; back within ${backMs} virtual ms`,
    );
  }
});

test("E20 members restart one by one on real disks and links and certify on", async (context) => {
  const committee = await createCommittee({ members: 4 });
  context.after(() => committee.stop());
  const { grow, seats, kill, start, observer } = committee;
  let isOver = false;
  const load = (async () => {
    while (!isOver) {
      await grow(5);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const reached = (): number => Math.max(...seats().map((seat) => seat.position()));
  for (const index of [0, 1, 2, 3]) {
    const before = reached();
    await kill(index);
    await until("the others certify", () => reached() > before + 50);
    await start(index);
    const goal = committee.head();
    await until("it is back", () => seats().every((seat) => seat.position() >= goal), 60_000);
  }
  isOver = true;
  await load;
  const head = committee.head();
  await until("all is certified", () => seats().every((seat) => seat.position() === head));
  const heads = seats().map(({ store }) => store.log.head().hash);
  assert.equal(new Set(heads).size, 1);
  const finals = seats().map(({ member }) => member.progress()?.final?.block.logHash);
  assert.deepEqual([...new Set(finals)], [heads[0]]);
  assert.deepEqual(observer.violations, []);
  context.diagnostic(`${head} records certified through four restarts`);
});
