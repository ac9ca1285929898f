// What the sequencer believes of members' reports, and what its stages say then.
import assert from "node:assert/strict";
import { test } from "node:test";
import { blockHash } from "../../../sequencer/consensus/block.ts";
import type { MemberReport } from "../../../sequencer/ports.ts";
import { createBatchTracker } from "../../../sequencer/roles/batchTracker.ts";
import { createCertifiedLog } from "../../../sequencer/roles/certifiedLog.ts";
import * as sitting from "../consensus/sitting.ts";
import { silent } from "../roles/ports.ts";

const PEERS = ["peer-0", "peer-1", "peer-2", "peer-3"];
const block = sitting.child(sitting.genesis, { term: 1, index: 0 });

function reportOf(change: Partial<MemberReport> = {}): MemberReport {
  const final = { block, certificate: sitting.certify("finalize", block) };
  return { term: 1, position: block.to, final, halted: null, ...change };
}

/** A sequencer whose log ends with the record that the block names, unless told otherwise. */
function desk({ to = block.to, hash = block.logHash, root = block.root } = {}) {
  const certified: number[] = [];
  const failures: string[] = [];
  const log = createCertifiedLog({
    ...{ rules: sitting.rules, peers: PEERS, logger: silent, clock: { now: () => 50 } },
    log: {
      head: () => ({ position: to, epoch: 0, hash }),
      read: async function* (from) {
        yield { position: from, epoch: 0, previous: "", hash, entry: {} as never };
      },
    },
    rootAt: () => root,
    onCertified: (position) => void certified.push(position),
    fail: (error) => void failures.push((error as Error).message),
  });
  const hear = async (peer: string, report = reportOf()): Promise<void> => {
    log.take(peer, report);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { log, certified, failures, hear };
}

test("a finalize certificate of its own block makes the log certified up to its end", async () => {
  const { certified, failures, hear, log } = desk();
  await hear("peer-1");
  assert.deepEqual(certified, [block.to]);
  await hear("peer-2");
  assert.deepEqual(certified, [block.to], "once");
  assert.deepEqual(failures, []);
  const status = log.status();
  assert.equal(status.position, block.to);
  assert.equal(status.members[1]?.lag, 0);
  assert.equal(status.members[3]?.lag, null);
});

test("strangers, other certificates and forged ones count for nothing", async () => {
  const { certified, hear, log } = desk();
  await hear("stranger");
  const notarized = { block, certificate: sitting.certify("notarize", block) };
  await hear("peer-0", reportOf({ final: notarized }));
  const other = sitting.child(sitting.genesis, { term: 1, index: 0 }, 2);
  await hear(
    "peer-0",
    reportOf({ final: { ...notarized, certificate: sitting.certify("finalize", other) } }),
  );
  const good = sitting.certify("finalize", block);
  const few = { ...good, signatures: good.signatures.slice(1) };
  await hear("peer-0", reportOf({ final: { block, certificate: few } }));
  assert.deepEqual(certified, []);
  assert.equal(log.status().position, 0);
});

test("one member alone cannot name the term", async () => {
  const { hear, log } = desk();
  await hear("peer-0", reportOf({ term: 900, final: null }));
  assert.equal(log.status().term, 0);
  await hear("peer-1", reportOf({ term: 2, final: null }));
  assert.equal(log.status().term, 2);
  assert.equal(log.status().leader, sitting.members[1]);
});

test("a final block that the own log contradicts stops the node", async () => {
  for (const [own, expected] of [
    [{ to: block.to - 1 }, /which ends at `10` here/],
    [{ hash: "ff".repeat(32) }, /another record `10`/],
    [{ root: 5n }, /certified root `78` at `11`, not `5`/],
  ] as const) {
    const { certified, failures, hear } = desk(own);
    await hear("peer-1");
    assert.match(failures[0] ?? "nothing", expected);
    assert.deepEqual(certified, []);
  }
  assert.equal(blockHash(block).length, 64);
});

test("stages follow what is final, attestations or not, also within an open batch", () => {
  const tracker = createBatchTracker({ validators: sitting.members, anchored: 0 });
  tracker.agree();
  const place = { kind: "trade" as const, time: 1, wordsHash: "", logHash: "aa" };
  tracker.sealed({ ...place, number: 1, root: 4n, logPosition: 9 });
  for (const validator of sitting.members) {
    tracker.attested({
      ...{ validator, number: 1, root: "0x4", wordsHash: "", logHash: "aa", signature: "" },
    });
  }
  assert.equal(tracker.isCertified(1), true, "for layer one");
  assert.equal(tracker.status(1)?.stage, "sequenced");
  assert.deepEqual(tracker.certified(9), []);
  assert.equal(tracker.stageAt(5)?.stage, "certified");
  assert.equal(tracker.stageAt(9)?.stage, "sequenced");
  assert.deepEqual(
    tracker.certified(12).map(({ number, stage }) => [number, stage]),
    [[1, "certified"]],
  );
  assert.equal(tracker.progress().certified, 1);
  assert.equal(tracker.stageAt(11)?.stage, "certified");
  assert.equal(tracker.stageAt(12)?.stage, "sequenced");
  assert.equal(tracker.rootAt(10), 4n);
  assert.equal(tracker.rootAt(9), undefined);
});
