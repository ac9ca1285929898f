/**
 * What every engine of the order log must do, whatever it stands on. Each engine's test hands in
 * how its media are made; `forge` puts records on one that no writer would have written.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  decodeRecord,
  emptyHead,
  encodeJson,
  encodeRecord,
  headAfter,
  LogCorruptionError,
  type LogHead,
  type LogRecord,
  logOrigin,
  makeRecord,
} from "../../../sequencer/batch/log.ts";
import { LogFencedError, LogStoppedError } from "../../../sequencer/batch/logWriter.ts";
import type { Log } from "../../../sequencer/ports.ts";
import type { LogPolicy } from "../../../sequencer/protocol/status.ts";
import { DOMAIN, sampleEntry } from "./sampleEntries.ts";

/** By position; what is undefined is missing. */
export type Forged = readonly (LogRecord | undefined)[];

export interface TestMedium {
  /** Opens the log as a further writer, or throws. */
  open(): Promise<Log>;
  /** Puts these on the empty medium as they are, each where the reader looks for it. */
  forge(records: Forged): Promise<void>;
  /** The next writes fail. */
  breakDown(): Promise<void> | void;
}

export interface TestEngine {
  readonly name: LogPolicy["engine"];
  /** What becomes of a second writer: it cannot open, or it takes the first one's place. */
  readonly rival: "locked out" | "takes over";
  readonly skip?: string | false;
  create(context: TestContext): Promise<TestMedium>;
}

type Body = (medium: TestMedium, context: TestContext) => Promise<void>;

const ORIGIN = logOrigin(DOMAIN);

export function testLog(engine: TestEngine): void {
  const { name, skip = false } = engine;
  for (const [title, body] of [...WRITING, ...FAILURES, ...damageTests(), rivals(engine)]) {
    test(`${name}: ${title}`, { skip }, async (context) => {
      await body(await engine.create(context), context);
    });
  }
  test(`${name}: the policy says what an acknowledgement is worth`, { skip }, async (context) => {
    const log = await opened(await engine.create(context), context);
    const policy = log.policy();
    assert.equal(policy.engine, name);
    assert.ok(policy.durability.length > 10 && policy.lossWindow.length > 3);
    assert.ok(policy.lossWindowMs === null || policy.lossWindowMs >= 0);
  });
}

async function opened(medium: TestMedium, context: TestContext): Promise<Log> {
  const log = await medium.open();
  context.after(() => log.close().catch(() => undefined));
  return log;
}

export async function collect(records: AsyncIterable<LogRecord>): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

function entries(from: number, count: number) {
  return Array.from({ length: count }, (_, index) => sampleEntry(from + index));
}

/** Every record follows the one before, from `head` on. */
function assertLinked(records: readonly LogRecord[], head: LogHead = emptyHead(ORIGIN)): void {
  let at = head;
  for (const record of records) {
    assert.deepEqual(record, makeRecord(at, record.entry, record.epoch));
    at = headAfter(record);
  }
}

const WRITING: readonly (readonly [string, Body])[] = [
  [
    "records are linked from the origin, and read back as they were written",
    async (medium, context) => {
      const log = await opened(medium, context);
      assert.deepEqual(log.head(), emptyHead(ORIGIN));
      assert.deepEqual(await collect(log.read(0)), []);
      const written = await log.append(entries(0, 3));
      assertLinked(written);
      assert.deepEqual(log.head(), headAfter(written[2]!));
      assert.deepEqual(await log.append([]), []);
      assert.deepEqual(await collect(log.read(0)), written);
      assert.deepEqual(await collect(log.read(2)), written.slice(2));
      assert.deepEqual(await collect(log.read(3)), []);
    },
  ],
  [
    "a log that is opened again goes on where it ended, in no lower epoch",
    async (medium, context) => {
      const all: LogRecord[] = [];
      for (let round = 0; round < 3; round++) {
        const log = await medium.open();
        assert.equal(log.head().position, all.length);
        all.push(...(await log.append(entries(all.length, 4))));
        await log.close();
      }
      assertLinked(all);
      const log = await opened(medium, context);
      assert.deepEqual(log.head(), headAfter(all.at(-1)!));
      assert.deepEqual(await collect(log.read(0)), all);
      assert.deepEqual(await collect(log.read(5)), all.slice(5));
    },
  ],
  [
    "concurrent appends keep the order of the calls, and are answered in it",
    async (medium, context) => {
      const log = await opened(medium, context);
      const answered: number[] = [];
      const appends = Array.from({ length: 200 }, async (_, number) => {
        const records = await log.append(entries(number, 1 + (number % 3)));
        answered.push(number);
        return records;
      });
      const written = (await Promise.all(appends)).flat();
      assertLinked(written);
      assert.deepEqual(
        answered,
        answered.toSorted((a, b) => a - b),
      );
      assert.deepEqual(await collect(log.read(0)), written);
    },
  ],
  [
    "an append of more than one write takes is written whole and in order",
    async (medium, context) => {
      const log = await opened(medium, context);
      const [small, large] = await Promise.all([
        log.append(entries(0, 1)),
        log.append(entries(1, 6000)),
      ]);
      assertLinked([...small, ...large]);
      assert.equal((await collect(log.read(0))).length, 6001);
    },
  ],
  [
    "reading stops at the head of the time of the call",
    async (medium, context) => {
      const log = await opened(medium, context);
      await log.append(entries(0, 2));
      const reading = log.read(0);
      await log.append(entries(2, 1));
      assert.equal((await collect(reading)).length, 2);
    },
  ],
  [
    "records of another log are taken as they are, each where it follows",
    async (medium, context) => {
      const log = await opened(medium, context);
      const first = makeRecord(log.head(), sampleEntry(0), 7);
      const second = makeRecord(headAfter(first), sampleEntry(1), 9);
      await Promise.all([log.copy([first]), log.copy([second])]);
      await log.copy([]);
      assert.deepEqual(log.head(), headAfter(second));
      assert.deepEqual(await collect(log.read(0)), [first, second]);
      const third = makeRecord(log.head(), sampleEntry(2));
      for (const [wrong, reason] of [
        [first, /found the record of position 0/],
        [{ ...third, epoch: 8 }, /its epoch is 8, after epoch 9/],
        [{ ...third, previous: "ab".repeat(32) }, /its link to the record before is wrong/],
        [{ ...third, entry: sampleEntry(3) }, /its contents do not fit its hash/],
      ] as const) {
        await assert.rejects(log.copy([wrong]), reason);
        await assert.rejects(log.copy([third, wrong]), LogCorruptionError);
      }
      await log.copy([decodeRecord(encodeRecord(third))]);
      assert.deepEqual(log.head(), headAfter(third));
    },
  ],
];

const FAILURES: readonly (readonly [string, Body])[] = [
  [
    "after a failed write nothing is acknowledged, and the node is told",
    async (medium, context) => {
      const log = await opened(medium, context);
      const written = await log.append(entries(0, 1));
      assert.equal(log.failure.aborted, false);
      await medium.breakDown();
      const refused = await Promise.allSettled([
        log.append(entries(1, 1)),
        log.append(entries(2, 1)),
      ]);
      assert.ok(refused.every(({ status }) => status === "rejected"));
      assert.ok(log.failure.aborted);
      assert.ok(log.failure.reason instanceof LogStoppedError, String(log.failure.reason));
      await assert.rejects(log.append(entries(3, 1)), LogStoppedError);
      assert.deepEqual(log.head(), headAfter(written[0]!));
    },
  ],
  [
    "a closed log takes nothing more, and what waited is written",
    async (medium) => {
      const log = await medium.open();
      const waiting = log.append(entries(0, 2));
      await log.close();
      assert.equal((await waiting).length, 2);
      await assert.rejects(log.append(entries(2, 1)), LogStoppedError);
      assert.equal(log.failure.aborted, false, "an end is no failure");
    },
  ],
];

/** Ten records in epochs 0, 1 and 2, changed; and the position that opening must name. */
const DAMAGES: readonly (readonly [string, number, (records: LogRecord[]) => Forged])[] = [
  ["a record in the middle is missing", 4, (records: Forged) => records.with(4, undefined)],
  ["the first record is missing", 0, (records: Forged) => records.with(0, undefined)],
  [
    "contents have changed",
    5,
    (records) => records.with(5, { ...records[5]!, entry: sampleEntry(99) }),
  ],
  [
    "an epoch has changed",
    9,
    (records) => records.with(9, { ...records[9]!, epoch: records[9]!.epoch + 1 }),
  ],
  [
    "two records have changed places",
    2,
    (records) => records.with(2, records[3]!).with(3, records[2]!),
  ],
  [
    "records of another history follow",
    6,
    (records) => [...records.slice(0, 6), ...chain(10, 50).slice(6)],
  ],
  [
    "an epoch falls, with good hashes",
    8,
    (records) => {
      const head = { ...headAfter(records[7]!), epoch: 0 };
      return [...records.slice(0, 8), makeRecord(head, sampleEntry(8))];
    },
  ],
];

function chain(count: number, first = 0): LogRecord[] {
  let head = emptyHead(ORIGIN);
  return entries(first, count).map((entry, index) => {
    const record = makeRecord(head, entry, Math.floor(index / 4));
    head = headAfter(record);
    return record;
  });
}

function damageTests(): (readonly [string, Body])[] {
  const whole: readonly [string, Body] = [
    "records of a former writer are taken as they are",
    async (medium, context) => {
      await medium.forge(chain(10));
      const log = await opened(medium, context);
      assert.deepEqual(log.head(), headAfter(chain(10)[9]!));
      assert.deepEqual(await collect(log.read(0)), chain(10));
    },
  ];
  const damaged = DAMAGES.map(([name, position, change]): readonly [string, Body] => [
    `it does not open when ${name}, and names the position`,
    async (medium) => {
      await medium.forge(change(chain(10)));
      await assert.rejects(medium.open(), (error: unknown) => {
        assert.ok(error instanceof LogCorruptionError, String(error));
        assert.equal(error.position, position, error.message);
        return true;
      });
    },
  ]);
  return [whole, ...damaged];
}

function rivals({ rival }: TestEngine): readonly [string, Body] {
  if (rival === "locked out") {
    return [
      "a second writer cannot open it",
      async (medium, context) => {
        const log = await opened(medium, context);
        await assert.rejects(medium.open());
        assert.equal((await log.append(entries(0, 1))).length, 1);
      },
    ];
  }
  return [
    "a second writer takes a higher epoch, and the first is refused and told",
    async (medium, context) => {
      const old = await opened(medium, context);
      const before = await old.append(entries(0, 2));
      const next = await opened(medium, context);
      const late = old.append(entries(2, 1));
      await assert.rejects(late, LogFencedError);
      assert.ok(old.failure.reason instanceof LogFencedError);
      const after = await next.append(entries(2, 2));
      assert.ok(after[0]!.epoch > before[1]!.epoch);
      assertLinked([...before, ...after]);
      await assert.rejects(old.append(entries(5, 1)), LogFencedError);
      assert.deepEqual((await collect(next.read(0))).map(encodeJson), [
        ...before.map(encodeJson),
        ...after.map(encodeJson),
      ]);
    },
  ];
}
