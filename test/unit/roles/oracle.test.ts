// Oracles: a quorum signs one snapshot, and each takes its turn when those above are silent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { publicKeyOf, sign } from "../../../sequencer/protocol/eddsa.ts";
import { type Snapshot, snapshotHash } from "../../../sequencer/protocol/snapshot.ts";
import {
  createOracle,
  type Oracle,
  type OracleMarket,
  type OraclePeer,
} from "../../../sequencer/roles/oracle.ts";
import { turns } from "./market.ts";
import { createClock, silent } from "./ports.ts";

const DOMAIN = 77n;
const SECRETS = [1n, 2n, 3n];
const START = 1_800_000_000_000;
const CONFIG = {
  domain: DOMAIN,
  oracles: SECRETS.map(publicKeyOf),
  quorum: 2,
  intervalMs: 1000,
};

interface Proposal {
  readonly time: number;
}

const bodyOf = (proposal: unknown) => ({
  time: (proposal as Proposal).time,
  slots: [{ mark: 5, isFinal: false, changes: new Array<number>(16).fill(1) }],
});

function createMarket(index: number, isWilling: () => boolean): OracleMarket {
  return {
    propose: async (time) => ({ time }),
    review: async (proposal) => {
      if (!isWilling()) return { reason: "another price" };
      const hash = snapshotHash(DOMAIN, bodyOf(proposal));
      return { signature: { signer: index, ...sign(SECRETS[index]!, hash) } };
    },
    assemble: (proposal, signatures) => ({ ...bodyOf(proposal), signatures }),
  };
}

/** Three oracles that know each other; those in `silentOnes` answer nobody. */
function createOracles(options: { unwilling?: number[]; silentOnes?: number[] } = {}) {
  const { unwilling = [], silentOnes = [] } = options;
  const clock = createClock(START);
  const oracles: Oracle[] = [];
  const peerOf = (index: number): OraclePeer => ({
    name: `oracle ${index}`,
    sign: async (proposal) => {
      if (silentOnes.includes(index)) throw new Error("no answer");
      return oracles[index]!.sign(proposal);
    },
    offer: async (snapshot) => oracles[index]!.offer(snapshot),
  });
  for (const index of SECRETS.keys()) {
    const peers = [0, 1, 2].filter((other) => other !== index).map(peerOf);
    const market = createMarket(index, () => !unwilling.includes(index));
    const ports = { clock, logger: silent, market, peers };
    oracles.push(createOracle(ports, { ...CONFIG, index }));
  }
  return { clock, oracles };
}

test("a proposal that a quorum signs is everybody's snapshot", async () => {
  const { oracles } = createOracles({ unwilling: [2] });
  await oracles[0]?.round();
  await turns();
  for (const oracle of oracles) {
    const snapshot = oracle.latest();
    assert.equal(snapshot?.time, START);
    assert.deepEqual(
      snapshot?.signatures.map(({ signer }) => signer),
      [0, 1],
    );
  }
});

test("without a quorum there is no snapshot", async () => {
  const { oracles } = createOracles({ unwilling: [1], silentOnes: [2] });
  await oracles[0]?.round();
  assert.equal(oracles[0]?.latest(), undefined);
});

test("a snapshot without a quorum is not taken, nor an older one", async () => {
  const { clock, oracles } = createOracles();
  await oracles[0]?.round();
  const good = oracles[0]?.latest() as Snapshot;
  const alone = { ...good, time: good.time + 1, signatures: good.signatures.slice(0, 1) };
  oracles[1]?.offer(alone);
  assert.equal(oracles[1]?.latest()?.time, START);
  clock.advance(5000);
  await oracles[1]?.round();
  oracles[1]?.offer(good);
  assert.equal(oracles[1]?.latest()?.time, START + 5000);
});

test("the second oracle proposes when the first is silent for long", async () => {
  const { clock, oracles } = createOracles({ silentOnes: [0] });
  const stopping = new AbortController();
  const running = oracles[1]?.run(stopping.signal);
  clock.advance(2900);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.equal(oracles[1]?.latest(), undefined);
  clock.advance(200);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.equal(oracles[1]?.latest()?.time, START + 3100);
  stopping.abort();
  await running;
});
