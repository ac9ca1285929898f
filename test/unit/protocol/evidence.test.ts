// Two histories by receipts: real keys, real records; what honest sequencers sign proves nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { LogEntry, LogRecord } from "../../../sequencer/batch/log.ts";
import { createSigner } from "../../../sequencer/consensus/signing.ts";
import {
  checkReceipts,
  type EvidenceRules,
  endOfHistory,
  findTwoReceipts,
  type SignedPlace,
  type TwoReceipts,
} from "../../../sequencer/protocol/evidence.ts";
import { entryOf, keyOf, logOf, partOf, receiptOf, twoReceipts } from "../../support/histories.ts";

const domain = (1n << 247n) + 5n;
const signer = createSigner(keyOf(1));
const stranger = createSigner(keyOf(2));
const rules: EvidenceRules = { domain, sequencers: [signer.address], validators: [] };
const entries = Array.from({ length: 12 }, (_, salt) => entryOf(salt));
const honest = logOf(domain, entries);
/** The same up to position 4; another message stands there. */
const forked = logOf(domain, entries.with(4, entryOf(99)));
const logs = [honest, forked] as const;

function reasonOf(evidence: TwoReceipts, checked = rules): string {
  const verdict = checkReceipts(evidence, checked);
  return verdict.isProven ? "proven" : verdict.reason;
}

test("the records' hashes are the log's", () => {
  assert.deepEqual(endOfHistory(2, partOf(honest, 2, 11)), {
    position: 11,
    hash: honest[11]!.hash,
  });
  const epochs = logOf(domain, entries, [3, 7]);
  assert.deepEqual(endOfHistory(2, partOf(epochs, 2, 11)), {
    position: 11,
    hash: epochs[11]!.hash,
  });
});

test("two receipts of one position, or of two with the records between, convict", () => {
  for (const [p, q] of [
    [4, 4],
    [11, 11],
    [4, 5],
    [4, 11],
    [7, 10],
  ] as const) {
    for (const order of [logs, [forked, honest] as const]) {
      const verdict = checkReceipts(twoReceipts({ signer, domain, logs: order, p, q }), rules);
      assert.deepEqual(verdict, {
        ...{ isProven: true, guilty: signer.address, offence: "two histories" },
      });
    }
  }
});

test("what an honest sequencer signs proves nothing: once, twice, or in two epochs", () => {
  const same = twoReceipts({ signer, domain, logs: [honest, honest], p: 4, q: 4 });
  assert.match(reasonOf(same), /of one log/);
  assert.match(
    reasonOf(twoReceipts({ signer, domain, logs: [honest, honest], p: 4, q: 9 })),
    /one log/,
  );
  // A restart: another writer of the same log.
  const restarted = logOf(domain, entries, [6]);
  assert.equal(restarted[5]!.hash, honest[5]!.hash);
  assert.match(
    reasonOf(twoReceipts({ signer, domain, logs: [honest, restarted], p: 5, q: 9 })),
    /one log/,
  );
  // Before the fork both logs are one.
  assert.match(reasonOf(twoReceipts({ signer, domain, logs, p: 3, q: 9 })), /one log/);
});

test("an epoch excuses nobody: whoever forks may choose it", () => {
  const later = logOf(domain, entries, [4]);
  assert.equal(
    reasonOf(twoReceipts({ signer, domain, logs: [honest, later], p: 4, q: 8 })),
    "proven",
  );
});

test("near misses prove nothing", () => {
  const good = twoReceipts({ signer, domain, logs, p: 5, q: 9 });
  assert.equal(reasonOf(good), "proven");
  const { records, first, second } = good;
  const by = (who: typeof signer, place: SignedPlace, where = domain) => {
    const record = { ...place, epoch: 0, previous: "", entry: entries[0]! };
    return receiptOf(who, where, record);
  };
  const cases: readonly (readonly [Partial<TwoReceipts>, RegExp])[] = [
    // Tampered records, gaps, too many, in another order, of another epoch.
    [
      { records: records.with(1, { ...records[1]!, entry: `${records[1]!.entry} ` }) },
      /do not lead/,
    ],
    [{ records: records.with(1, { ...records[1]!, epoch: 1 }) }, /do not lead/],
    [{ records: records.toSpliced(1, 1) }, /3 records between the positions, not 4/],
    [{ records: [...records, records[0]!] }, /5 records/],
    [{ records: [records[1]!, records[0]!, ...records.slice(2)] }, /do not lead/],
    [{ records: [] }, /0 records/],
    [{ link: "00".repeat(32) }, /do not lead/],
    [{ link: first.hash }, /of one log/],
    // Signed by another, by two, by nobody, or for another place.
    [{ first: by(stranger, first) }, /by one key/],
    [{ second: by(stranger, second) }, /by one key/],
    [{ first: by(stranger, first), second: by(stranger, second) }, /neither a sequencer/],
    [{ first: { ...first, signature: second.signature } }, /by one key/],
    [{ second: { ...second, signature: `0x${"00".repeat(65)}` } }, /by one key/],
    [{ first: { ...first, position: first.position - 1 } }, /records between/],
    [{ first: { ...first, hash: "11".repeat(32) } }, /by one key/],
    // Of another deployment, or of two.
    [{ domain: domain + 1n }, /another deployment/],
    [{ first: by(signer, first, domain + 1n) }, /by one key/],
    [{ second: by(signer, second, domain + 1n) }, /by one key/],
  ];
  for (const [change, reason] of cases) assert.match(reasonOf({ ...good, ...change }), reason);
  assert.match(reasonOf(good, { ...rules, domain: 1n }), /another deployment/);
  assert.match(reasonOf(good, { ...rules, sequencers: [stranger.address] }), /neither/);
  assert.equal(
    reasonOf(good, { ...rules, sequencers: [], validators: [signer.address] }),
    "proven",
  );
});

test("a signature with the high s of the same point does not count, as on layer one", () => {
  const good = twoReceipts({ signer, domain, logs, p: 4, q: 4 });
  const { signature } = good.first;
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const high = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, "0");
  const v = signature.endsWith("1b") ? "1c" : "1b";
  const mirrored = `${signature.slice(0, 66)}${high}${v}`;
  assert.match(reasonOf({ ...good, first: { ...good.first, signature: mirrored } }), /by one key/);
});

/** Every piece of evidence that the receipts give with the log's records. */
function found(
  receipts: readonly SignedPlace[],
  log: readonly LogRecord[],
): TwoReceipts | undefined {
  const history = partOf(log, 0, log.length - 1);
  return findTwoReceipts({ domain, receipts, position: 0, history });
}

const lengths = fc.integer({ min: 2, max: 24 });

test("property: an honest sequencer with restarts never yields evidence", () => {
  fc.assert(
    fc.property(
      lengths,
      fc.uniqueArray(fc.nat(24), { maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(23), fc.nat(23)), { minLength: 1, maxLength: 12 }),
      (length, restarts, pairs) => {
        const log = logOf(domain, entries.concat(entries).slice(0, length), restarts);
        const receipts = log.map((record) => receiptOf(signer, domain, record));
        assert.equal(found(receipts, log), undefined);
        // However somebody puts its receipts and records together.
        for (const [a, b] of pairs) {
          const [p, q] = [Math.min(a, b) % length, Math.max(a, b) % length].sort((x, y) => x - y);
          for (const link of new Set([log[p!]!.hash, log[0]!.hash, "00".repeat(32)])) {
            const part = { ...partOf(log, p!, q!), link };
            const evidence = { first: receipts[p!]!, second: receipts[q!]!, ...part };
            const verdict = checkReceipts({ kind: "receipts", domain, ...evidence }, rules);
            assert.ok(!verdict.isProven);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

const frauds = {
  replace: (log: LogEntry[], at: number) => log.with(at, entryOf(1000)),
  drop: (log: LogEntry[], at: number) => log.toSpliced(at, 1),
  insert: (log: LogEntry[], at: number) => log.toSpliced(at, 0, entryOf(1000)),
  swap: (log: LogEntry[], at: number) => log.with(at, log[at + 1]!).with(at + 1, log[at]!),
};

test("property: whoever forks, drops, inserts or swaps is convicted, always", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 24 }),
      fc.nat(1000),
      fc.constantFrom(...Object.keys(frauds)),
      fc.tuple(fc.nat(1000), fc.nat(1000)),
      fc.uniqueArray(fc.nat(24), { maxLength: 3 }),
      (length, where, fraud, [a, b], restarts) => {
        const acknowledged = Array.from({ length }, (_, salt) => entryOf(salt));
        const at = where % (length - 2);
        const shown = frauds[fraud as keyof typeof frauds](acknowledged, at);
        const logs = [logOf(domain, acknowledged), logOf(domain, shown, restarts)] as const;
        // One receipt from each log, at or after the fork, and some honest ones before it.
        const places = logs.map((log, index) => {
          const fork = Math.min(at, ...restarts.filter((position) => position < log.length));
          const after = log.length - fork;
          return log[fork + ([a, b][index]! % after)]!;
        });
        const before = logs[0].slice(0, Math.min(at, ...restarts));
        const receipts = [...before, ...places].map((record) => receiptOf(signer, domain, record));
        const evidence = found(receipts, logs[0]) ?? found(receipts, logs[1]);
        assert.ok(evidence !== undefined, fraud);
        const verdict = checkReceipts(evidence, rules);
        assert.ok(verdict.isProven && verdict.guilty === signer.address);
      },
    ),
    { numRuns: 100 },
  );
});
