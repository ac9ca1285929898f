// A venue with rounds on bad days: clients that send before they are answered, orders that are
// refused in their turn, withdrawals between them, clocks that are set, processes that end.
// Whatever comes, every node executes the log that it writes, and nobody is left without an answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type LogRecord, logOrigin } from "../../sequencer/batch/log.ts";
import type { SubmitResult } from "../../sequencer/exchangeService.ts";
import { sign } from "../../sequencer/protocol/eddsa.ts";
import type { FairOrder } from "../../sequencer/protocol/fairOrder.ts";
import { type Message, messageWord, nextHead } from "../../sequencer/protocol/messages.ts";
import { createNodeState } from "../../sequencer/roles/nodeState.ts";
import { createFakeTimers, type FakeTimers } from "../support/fakeTimers.ts";
import {
  createTrader,
  createWorld,
  DOMAIN,
  deployment,
  PATIENT,
  PLACE,
  turns,
  type World,
} from "../unit/roles/market.ts";

const RUNS = process.env.STRADDLE_TEST_LONG ? 300 : 12;
const ACCOUNTS = [3, 4, 5] as const;

type Event =
  | { readonly type: "send"; readonly who: number; readonly what: What; readonly salt: number }
  | { readonly type: "pass"; readonly ms: number }
  | { readonly type: "jump"; readonly ms: number }
  | { readonly type: "step"; readonly ms: number }
  | { readonly type: "restart" };
type What = "taker" | "postOnly" | "dear" | "cancelAll" | "withdraw";

const sending: fc.Arbitrary<Event> = fc.record({
  type: fc.constant("send" as const),
  who: fc.nat(ACCOUNTS.length - 1),
  what: fc.constantFrom<What>("taker", "taker", "postOnly", "dear", "cancelAll", "withdraw"),
  salt: fc.nat(9),
});
const timed = (type: "pass" | "jump" | "step", min: number, max: number): fc.Arbitrary<Event> =>
  fc.record({ type: fc.constant(type), ms: fc.integer({ min, max }) });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 20, arbitrary: sending },
  { weight: 8, arbitrary: timed("pass", 0, 40) },
  { weight: 2, arbitrary: timed("step", 1, 800) },
  { weight: 1, arbitrary: timed("jump", -3_000, 3_000) },
  { weight: 1, arbitrary: fc.constant<Event>({ type: "restart" }) },
);
const rule: fc.Arbitrary<FairOrder> = fc.record({
  roundMs: fc.constantFrom(1, 2, 10),
  bumpMs: fc.constantFrom(0, 5, 30),
});

interface Day {
  world: World;
  timers: FakeTimers;
  readonly config: Parameters<typeof createWorld>[0];
  /** Of the present process: what each account has under way, and where its chain then stands. */
  readonly underWay: Map<number, { count: number; head: bigint }>;
  /** Answers of the present process that are not there yet. */
  open: number;
  readonly accepted: { readonly position: number; readonly hash: string }[];
  refused: number;
}

function messageOf(world: World, what: What, salt: number): Message {
  const deadline = world.clock.now() + 60_000;
  if (what === "cancelAll") return { kind: what, deadline };
  if (what === "withdraw") return { kind: what, amount: 1 + salt, deadline };
  if (what === "dear") return { ...PLACE, lots: 2 ** 20, price: 600, deadline };
  const isSell = salt % 2 === 0;
  const postOnly = what === "postOnly";
  return { ...PLACE, isSell, price: 495 + salt, lots: 1 + (salt % 3), postOnly, deadline };
}

/** Signs on what is under way, as a client does that does not wait. */
async function send(day: Day, account: number, message: Message): Promise<void> {
  const { world, underWay } = day;
  const before = underWay.get(account) ?? { count: 0, head: 0n };
  const { service } = world.sequencer;
  const head = before.count > 0 ? before.head : (await service.session(account, 0))!.head;
  const word = messageWord(message);
  const after = nextHead(head, word);
  const signature = sign(createTrader(account).secret, after);
  underWay.set(account, { count: before.count + 1, head: after });
  day.open += 1;
  void service.submit({ account, keyIndex: 0, word, signature }).then((result: SubmitResult) => {
    // Answers of a process that has ended reach nobody.
    if (day.world !== world) return;
    day.open -= 1;
    underWay.get(account)!.count -= 1;
    if (!result.accepted) {
      day.refused += 1;
      return;
    }
    const { logPosition: position, logHash: hash } = result.receipt;
    day.accepted.push({ position, hash });
  });
}

async function happen(day: Day, it: Event): Promise<void> {
  const { world, timers } = day;
  if (it.type === "send") await send(day, ACCOUNTS[it.who]!, messageOf(world, it.what, it.salt));
  else if (it.type === "pass") await timers.pass(it.ms, turns);
  else if (it.type === "jump") world.clock.advance(it.ms);
  else if (it.type === "step") await world.step(it.ms);
  else await restart(day);
}

async function restart(day: Day): Promise<void> {
  const { clock, batches, checkpoints, settlement, log } = day.world;
  const disk = { clock, batches, checkpoints, settlement, records: log.survivors() };
  day.timers = createFakeTimers(clock);
  day.world = await createWorld(day.config, disk, { scheduler: day.timers });
  day.underWay.clear();
  day.open = 0;
  await day.world.step(1);
}

async function begin(fairOrder: FairOrder): Promise<Day> {
  const config = { deployment: { ...deployment, fairOrder }, breakers: PATIENT };
  const timers = createFakeTimers({ advance: (ms) => day.world.clock.advance(ms) });
  const world = await createWorld(config, undefined, { scheduler: timers });
  const counts = { open: 0, refused: 0 };
  const day: Day = { world, timers, config, underWay: new Map(), accepted: [], ...counts };
  for (const account of ACCOUNTS) world.open(createTrader(account), 1_000_000_000);
  for (let count = 0; count < 5; count++) await world.step(400);
  return day;
}

/** As a validator does, from the first record on. */
function execute(records: readonly LogRecord[], fairOrder: FairOrder): void {
  const node = createNodeState({ ...deployment, fairOrder }, logOrigin(DOMAIN), undefined);
  for (const record of records) node.apply(record);
}

test("the log that a venue with rounds writes is executed by every node", async (context) => {
  const totals = { accepted: 0, refused: 0 };
  const events = fc.array(event, { minLength: 20, maxLength: 80 });
  const property = fc.asyncProperty(rule, events, async (fairOrder, many) => {
    const day = await begin(fairOrder);
    for (const it of many) await happen(day, it);
    for (let count = 0; count < 40 && day.open > 0; count++) {
      await day.timers.pass(50, turns);
      await day.world.step(600);
    }
    assert.equal(day.open, 0);
    assert.equal((await day.world.sequencer.service.status()).halted, null);
    const records = day.world.log.survivors();
    execute(records, fairOrder);
    for (const { position, hash } of day.accepted) assert.equal(records[position]?.hash, hash);
    totals.accepted += day.accepted.length;
    totals.refused += day.refused;
  });
  await fc.assert(property, { numRuns: RUNS });
  context.diagnostic(`${totals.accepted} messages accepted, ${totals.refused} refused`);
  assert.ok(totals.accepted > 2 * RUNS && totals.refused > RUNS);
});
