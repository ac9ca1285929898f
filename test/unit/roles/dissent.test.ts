// Up to a third of the validators may lie and not stop the venue; more stop it, or its own log.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  emptyHead,
  LogCorruptionError,
  type LogEntry,
  type LogRecord,
  logOrigin,
  makeRecord,
} from "../../../sequencer/batch/log.ts";
import { createDissent, replayLog } from "../../../sequencer/roles/dissent.ts";
import { DOMAIN, deployment } from "./market.ts";
import { createCheckpoints, createLog, silent } from "./ports.ts";

const MEMBERS = ["0xA1", "0xA2", "0xA3", "0xA4"];
const root = (validator: string, batch = 5) => ({
  validator,
  batch,
  reason: "its root is another",
});

function create(options: { validators?: readonly string[]; own?: string | Error } = {}) {
  const { validators = MEMBERS, own } = options;
  const replays = { count: 0 };
  const replay = async (): Promise<string | undefined> => {
    replays.count += 1;
    if (own instanceof Error) throw own;
    return own;
  };
  let set = setOf(validators);
  const dissent = createDissent({ members: () => set, logger: silent, replay });
  const elect = (next: readonly string[]): void => {
    set = setOf(next);
  };
  return { replays, dissent, elect };
}

const setOf = (validators: readonly string[]) =>
  new Set(validators.map((validator) => validator.toLowerCase()));

test("of four, one is not enough and two are", async () => {
  const { dissent } = create();
  assert.equal(dissent.mismatch(0), undefined);
  dissent.contradicts(root("0xa1"));
  dissent.contradicts(root("0xA1", 6));
  dissent.contradicts(root("0xstranger"));
  await dissent.checked();
  assert.equal(dissent.mismatch(0), undefined);
  assert.equal(dissent.count(0), 1);
  dissent.contradicts(root("0xA2"));
  assert.match(dissent.mismatch(0) ?? "", /2 of 4 validators contradict, batch 6: its root/);
});

// [validators, how many of them may lie]
const FAULTY: readonly (readonly [number, number])[] = [
  ...([
    [1, 0],
    [3, 0],
    [4, 1],
    [6, 1],
    [7, 2],
    [16, 5],
  ] as const),
];

test("more than a third must contradict, whatever their number", () => {
  for (const [count, faulty] of FAULTY) {
    const validators = Array.from({ length: count }, (_, index) => `0x${index}`);
    const { dissent } = create({ validators });
    for (const validator of validators.slice(0, faulty)) dissent.contradicts(root(validator));
    assert.equal(dissent.mismatch(0), undefined, `${faulty} of ${count}`);
    dissent.contradicts(root(validators[faulty]!));
    assert.notEqual(dissent.mismatch(0), undefined, `${faulty + 1} of ${count}`);
  }
});

test("a liar costs one replay, however often it speaks", async () => {
  const { dissent, replays } = create();
  for (let batch = 1; batch <= 50; batch++) {
    dissent.contradicts(root("0xA1", batch));
    dissent.agrees("0xA1", batch);
  }
  await dissent.checked();
  assert.equal(replays.count, 1);
  assert.equal(dissent.mismatch(0), undefined);
});

test("one word is enough where the own log says the same", async () => {
  const { dissent } = create({ own: "the root after batch `5` is `7`. Got `8`" });
  dissent.contradicts(root("0xA1"));
  await dissent.checked();
  assert.match(dissent.mismatch(0) ?? "", /own log: the root after batch `5`/);
});

test("what somebody has looked into, or a validator takes back, no longer counts", () => {
  const { dissent } = create();
  dissent.contradicts(root("0xA1"));
  dissent.contradicts(root("0xA2"));
  assert.equal(dissent.mismatch(5), undefined);
  assert.notEqual(dissent.mismatch(4), undefined);
  dissent.agrees("0xa2", 4);
  assert.notEqual(dissent.mismatch(4), undefined, "of a batch before it");
  dissent.agrees("0xa2", 5);
  assert.equal(dissent.mismatch(4), undefined);
});

test("who counts follows layer one: newcomers do, those who left do not", () => {
  const { dissent, elect } = create();
  dissent.contradicts(root("0xA1"));
  dissent.contradicts(root("0xA2"));
  assert.match(dissent.mismatch(0) ?? "", /^2 of 4 /);
  elect(["0xA2", "0xA3", "0xA4", "0xA5"]);
  assert.equal(dissent.mismatch(0), undefined, "one of them has left");
  assert.equal(dissent.count(0), 1);
  dissent.contradicts(root("0xA1", 9));
  assert.equal(dissent.count(0), 1);
  dissent.contradicts(root("0xA5"));
  assert.match(dissent.mismatch(0) ?? "", /^2 of 4 /);
});

test("a replay that could not be made says nothing of the log", async () => {
  const { dissent, replays } = create({ own: new Error("EMFILE: too many open files") });
  dissent.contradicts(root("0xA1"));
  await dissent.checked();
  assert.equal(replays.count, 1);
  assert.equal(dissent.mismatch(0), undefined);
});

test("a replay tells what is wrong with the records, and throws whatever else fails", async () => {
  const checkpoints = createCheckpoints();
  const replay = (log: ReturnType<typeof createLog>) => replayLog({ deployment, log, checkpoints });
  const seal: LogEntry = { type: "seal", number: 1, root: 1n };
  const record = makeRecord(emptyHead(logOrigin(DOMAIN)), seal);
  assert.equal(typeof (await replay(createLog(DOMAIN, [record]))), "string");
  const failing = (error: Error) => {
    const read = async function* (): AsyncGenerator<LogRecord> {
      yield* [];
      throw error;
    };
    return { ...createLog(DOMAIN), read };
  };
  const damage = new LogCorruptionError(0, "it is missing");
  assert.match((await replay(failing(damage))) ?? "", /it is missing/);
  await assert.rejects(replay(failing(new Error("EIO"))), /EIO/);
});
