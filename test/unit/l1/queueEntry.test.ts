/** The running hash of the queue: whatever of an entry changes, it is another entry. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_QUEUE, queueEntryOf } from "../../../sequencer/l1/queueEntry.ts";
import { LEDGER_KINDS } from "../../../sequencer/protocol/constants.ts";

type Event = Parameters<typeof queueEntryOf>[0];

const CLOSE = {
  ...{ queueId: 4n, account: 3n, owner: `0x${"a1".repeat(20)}` },
  kind: BigInt(LEDGER_KINDS.forcedClose),
  ...{ amount: 0n, slot: 2n, lots: 10n, key: { index: 0, expiry: 0, x: 0n, y: 0n } },
} as const;
const eventOf = (change: object = {}) => ({ args: { ...CLOSE, ...change } }) as unknown as Event;

test("an entry says what was ordered", () => {
  const { queued } = queueEntryOf(eventOf(), EMPTY_QUEUE, 77_000);
  const owner = BigInt(CLOSE.owner);
  assert.deepEqual(queued, {
    queueId: 4,
    operation: { kind: "forcedClose", account: 3, owner, slot: 2, lots: 10 },
    pricedFrom: 77_000,
  });
  const kind = BigInt(LEDGER_KINDS.forcedCancelAll);
  const { operation } = queueEntryOf(eventOf({ kind }), EMPTY_QUEUE).queued;
  assert.deepEqual(operation, { kind: "forcedCancelAll", account: 3, owner });
  assert.throws(() => queueEntryOf(eventOf({ kind: 31n }), EMPTY_QUEUE), /unknown kind `31`/);
});

test("every field of an entry, and all before it, are in its digest", () => {
  const { digest } = queueEntryOf(eventOf(), EMPTY_QUEUE);
  assert.equal(queueEntryOf(eventOf(), EMPTY_QUEUE).digest, digest);
  const key = CLOSE.key;
  const changes = [
    ...[{ queueId: 5n }, { account: 4n }, { owner: `0x${"a2".repeat(20)}` }],
    ...[
      { kind: BigInt(LEDGER_KINDS.forcedCancelAll) },
      { amount: 1n },
      { slot: 3n },
      { lots: 11n },
    ],
    ...[{ index: 1 }, { expiry: 1 }, { x: 1n }, { y: 1n }].map((part) => ({
      key: { ...key, ...part },
    })),
  ];
  const digests = changes.map((change) => queueEntryOf(eventOf(change), EMPTY_QUEUE).digest);
  digests.push(digest, queueEntryOf(eventOf(), digest).digest);
  assert.equal(new Set(digests).size, changes.length + 2);
});
