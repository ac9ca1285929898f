// What authors say they have seen: taken at the door, kept in the log, and refused by validators
// where it is of another log. And the log that the node shows to everybody.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  emptyHead,
  headAfter,
  type LogRecord,
  logOrigin,
  makeRecord,
} from "../../../sequencer/batch/log.ts";
import { createSigner } from "../../../sequencer/consensus/signing.ts";
import type { Hex, Receipt, SubmitResult } from "../../../sequencer/exchangeService.ts";
import type { Log } from "../../../sequencer/ports.ts";
import { sign } from "../../../sequencer/protocol/eddsa.ts";
import { type LogPlace, signerOf } from "../../../sequencer/protocol/evidence.ts";
import { type Message, nextHead } from "../../../sequencer/protocol/messages.ts";
import { seenHash } from "../../../sequencer/protocol/seenHead.ts";
import { createNodeState } from "../../../sequencer/roles/nodeState.ts";
import {
  createSeenHeads,
  readSeenHeads,
  seenFault,
  seenRefusal,
} from "../../../sequencer/roles/seenHeads.ts";
import { entryOf, keyOf, logOf } from "../../support/histories.ts";
import { createMarket, DOMAIN, deployment, type TestTrader, type World } from "./market.ts";
import { createLog } from "./ports.ts";

const ORDER = { kind: "place", book: 0, isSell: true, price: 505, lots: 5 } as const;
const FLAGS = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;

/** Sends an order, or a withdrawal, that says it has seen `place`; signed by `by` over the head. */
async function send(
  world: World,
  trader: TestTrader,
  place: LogPlace | undefined,
  wrong: { kind?: "withdraw"; by?: bigint; head?: bigint } = {},
): Promise<SubmitResult> {
  const deadline = world.clock.now() + 60_000;
  const order: Message = { ...ORDER, ...FLAGS, deadline };
  const message = wrong.kind ? ({ kind: "withdraw", amount: 1, deadline } as const) : order;
  const signed = trader.peek(message);
  const account = trader.account;
  const head = nextHead(trader.head(), signed.word);
  const hash = place && seenHash(wrong.head ?? head, place);
  const seen = place && { ...place, signature: sign(wrong.by ?? trader.secret, hash!) };
  const sending = world.sequencer.service.submit({ account, keyIndex: 0, ...signed, seen });
  await world.step(1_000);
  const result = await sending;
  if (result.accepted) trader.next(message);
  return result;
}

function placeOf({ logPosition, logHash }: Receipt): LogPlace {
  return { position: logPosition, hash: logHash };
}

async function accepted(result: Promise<SubmitResult>): Promise<Receipt> {
  const it = await result;
  assert.ok(
    it.accepted,
    JSON.stringify(it, (_, value) => String(value)),
  );
  return it.receipt;
}

test("what was seen stands in the log with the message, of whatever kind", async () => {
  const { world, maker } = await createMarket();
  const first = await accepted(send(world, maker, undefined));
  const place = placeOf(first);
  const second = await accepted(send(world, maker, place));
  const third = await accepted(send(world, maker, place, { kind: "withdraw" }));
  const records = world.log.survivors();
  assert.ok(!("seen" in records[first.logPosition]!.entry));
  for (const { logPosition } of [second, third]) {
    const { entry } = records[logPosition]!;
    assert.ok(entry.type === "message" || entry.type === "operation");
    assert.deepEqual([entry.seen?.position, entry.seen?.hash], [place.position, place.hash]);
  }
  assert.deepEqual(await faultsOf(records), []);
});

test("the door refuses a head that is not in the log, or not signed by its author", async () => {
  const { world, maker, taker } = await createMarket();
  const place = placeOf(await accepted(send(world, maker, undefined)));
  const { position, hash } = place;
  const refusal = async (...args: [LogPlace, Parameters<typeof send>[3]?]) => {
    const result = await send(world, taker, ...args);
    assert.ok(!result.accepted);
    return [result.code, result.data];
  };
  const other = "ab".repeat(32);
  assert.deepEqual(await refusal({ position, hash: other }), [
    ...["unknownHead", { position, hash: other, known: hash }],
  ]);
  const later = { position: position + 1_000, hash };
  assert.deepEqual(await refusal(later), ["unknownHead", later]);
  const head = taker.head();
  for (const wrong of [{ by: maker.secret }, { head: 5n }]) {
    assert.deepEqual(await refusal(place, wrong), ["badSignature", { head }]);
  }
  await accepted(send(world, taker, place));
});

test("a door that has forgotten says from where on it remembers", async () => {
  const records = logOf(
    1n,
    Array.from({ length: 10 }, (_, salt) => entryOf(salt)),
  );
  const heads = createSeenHeads(4);
  heads.note(records.slice(0, 7));
  assert.deepEqual([heads.oldest(), heads.hashAt(2), heads.hashAt(7)], [3, undefined, undefined]);
  const by = { key: { x: 1n, y: 2n }, before: 3n, after: 4n };
  const seen = { ...records[2]!, signature: { r8x: 0n, r8y: 1n, s: 0n } };
  const refused = seenRefusal(heads, { ...by, seen });
  assert.deepEqual([refused?.code, refused?.data], ["staleView", { position: 2, oldest: 3 }]);
  heads.note(records.slice(7));
  for (let position = 6; position < 10; position++) {
    assert.equal(heads.hashAt(position), records[position]!.hash);
  }
  // What comes after a gap makes everything before it unknown.
  const jumped = createSeenHeads(4);
  jumped.note([records[1]!, records[2]!, records[8]!]);
  assert.deepEqual(
    [jumped.oldest(), jumped.hashAt(2), jumped.hashAt(8)],
    [...[8, undefined, records[8]!.hash]],
  );
  const log = createLog(1n, records);
  const read = await readSeenHeads(log, 3);
  assert.deepEqual([read.oldest(), read.hashAt(9)], [7, records[9]!.hash]);
});

test("a start reads the end of the log alone, however long the log is", async () => {
  const entry = entryOf(1);
  const records = logOf(
    1n,
    Array.from({ length: 5_000 }, () => entry),
  );
  const log = createLog(1n, records);
  let read = 0;
  const counted: Log = {
    ...log,
    read: async function* (from) {
      for await (const record of log.read(from)) {
        read += 1;
        yield record;
      }
    },
  };
  const heads = await readSeenHeads(counted);
  assert.deepEqual([read, heads.oldest()], [4_096, 904]);
  assert.equal(heads.hashAt(4_999), records[4_999]!.hash);
  assert.equal(heads.hashAt(903), undefined);
});

/** What a validator that begins with nothing finds in the log, by position. */
async function faultsOf(records: readonly LogRecord[]): Promise<string[]> {
  const log = createLog(DOMAIN, records);
  const node = createNodeState(deployment, logOrigin(DOMAIN), undefined);
  const faults: string[] = [];
  // So small that older heads are looked up in the log.
  const heads = createSeenHeads(2);
  for (const record of records) {
    const fault = await seenFault({ state: node.state, log, heads, record });
    if (fault !== undefined) return [...faults, fault];
    node.apply(record);
    heads.note([record]);
  }
  return faults;
}

test("validators refuse a log in which somebody has seen another one", async () => {
  const { world, maker, taker } = await createMarket();
  const first = await accepted(send(world, maker, undefined));
  const second = await accepted(send(world, taker, placeOf(first)));
  const records = world.log.survivors();
  assert.deepEqual(await faultsOf(records), []);
  // The first message never came: the second one's author has seen it all the same.
  const forged = (change: (record: LogRecord) => LogRecord["entry"] | undefined): LogRecord[] => {
    let head = emptyHead(logOrigin(DOMAIN));
    return records.flatMap((record) => {
      const entry = change(record);
      if (entry === undefined) return [];
      const made = makeRecord(head, entry, record.epoch);
      head = headAfter(made);
      return [made];
    });
  };
  const dropped = forged(({ position, entry }) =>
    position === first.logPosition ? undefined : entry,
  );
  assert.match((await faultsOf(dropped))[0] ?? "", /has seen `[0-9a-f]{64}`.* not this log/);
  const ofSecond = (change: object) =>
    forged(({ position, entry }) => {
      if (position !== second.logPosition || entry.type !== "message") return entry;
      return { ...entry, seen: { ...entry.seen!, ...change } };
    });
  assert.match(
    (await faultsOf(ofSecond({ position: second.logPosition })))[0] ?? "",
    /not this log/,
  );
  assert.match((await faultsOf(ofSecond({ position: -1 })))[0] ?? "", /not this log/);
  const earlier = { position: 0, hash: records[0]!.hash };
  assert.match((await faultsOf(ofSecond(earlier)))[0] ?? "", /not signed by the author/);
  const bare = forged(({ position, entry }) => {
    if (position !== second.logPosition || entry.type !== "message") return entry;
    const { seen: _, ...rest } = entry;
    return rest;
  });
  // To leave it out is no fault of the log: its author's receipt then is of another record.
  assert.deepEqual(await faultsOf(bare), []);
  assert.notEqual(bare[second.logPosition]!.hash, second.logHash);
});

test("the node shows hashes of its log, and signs the last of them", async () => {
  const signer = createSigner(keyOf(7));
  const receiptSigner = {
    address: signer.address as Hex,
    sign: (d: Uint8Array) => signer.sign(d) as Hex,
  };
  const { world, maker } = await createMarket({}, { receiptSigner });
  await accepted(send(world, maker, undefined));
  const records = world.log.survivors();
  const { service } = world.sequencer;
  const all = await service.log(0, 1_000);
  assert.deepEqual(
    all.hashes.slice(0, records.length),
    records.map(({ hash }) => hash),
  );
  for (const [from, limit] of [
    [0, 1],
    [2, 3],
    [records.length - 1, 50],
  ] as const) {
    const { hashes, signature } = await service.log(from, limit);
    assert.deepEqual(
      hashes,
      records.slice(from, from + limit).map(({ hash }) => hash),
    );
    const last = {
      position: from + hashes.length - 1,
      hash: hashes.at(-1)!,
      signature: signature!,
    };
    assert.equal(signerOf(DOMAIN, last), signer.address);
  }
  assert.deepEqual(await service.log(100_000, 5), { from: 100_000, hashes: [], signature: null });
});
