// Oracles: a quorum signs one snapshot, and each takes its turn when those above are silent.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "../../../sequencer/ports.ts";
import { publicKeyOf, sign } from "../../../sequencer/protocol/eddsa.ts";
import { NO_TERMS, type Snapshot, snapshotHash } from "../../../sequencer/protocol/snapshot.ts";
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
  sampleMs: 4000,
};

interface Proposal {
  readonly time: number;
}

const bodyOf = (proposal: unknown) => ({
  time: (proposal as Proposal).time,
  slots: [{ terms: NO_TERMS, mark: 5, isFinal: false, changes: new Array<number>(17).fill(1) }],
});

interface Behaviour {
  readonly isWilling: boolean;
  /** Why there is no proposal. */
  readonly blind?: string;
  /** Signs something else. */
  readonly isForger?: boolean;
}

interface FakeMarket extends OracleMarket {
  behaviour: Behaviour;
  readonly accepted: unknown[];
  samples: number;
}

function createMarket(index: number): FakeMarket {
  const market: FakeMarket = {
    behaviour: { isWilling: true },
    accepted: [],
    samples: 0,
    propose: async (time) => {
      const { blind } = market.behaviour;
      return blind === undefined ? { value: { time } } : { refused: { code: 22, reason: blind } };
    },
    review: async (proposal) => {
      if (!market.behaviour.isWilling) return { code: 44, reason: "another price" };
      const { time, slots } = bodyOf(proposal);
      const signed = { time: time + (market.behaviour.isForger ? 1 : 0), slots };
      const hash = snapshotHash(DOMAIN, signed);
      return { signature: { signer: index, ...sign(SECRETS[index]!, hash) } };
    },
    assemble: (proposal, signatures) => ({ ...bodyOf(proposal), signatures }),
    accept: (proposal) => void market.accepted.push(proposal),
    sample: async () => void market.samples++,
  };
  return market;
}

/** Three oracles that know each other; those in `silentOnes` answer nobody. */
function createOracles(
  options: { unwilling?: number[]; silentOnes?: number[]; logger?: Logger } = {},
) {
  const { unwilling = [], silentOnes = [], logger = silent } = options;
  const clock = createClock(START);
  const markets = [...SECRETS.keys()].map(createMarket);
  for (const index of unwilling) markets[index]!.behaviour = { isWilling: false };
  const oracles: Oracle[] = [];
  const peerOf = (index: number): OraclePeer => ({
    name: `oracle ${index}`,
    sign: async (proposal) => {
      if (silentOnes.includes(index)) throw new Error("no answer");
      return oracles[index]!.sign(proposal);
    },
    offer: async (snapshot, proposal) => oracles[index]!.offer(snapshot, proposal),
  });
  for (const index of SECRETS.keys()) {
    const peers = [0, 1, 2].filter((other) => other !== index).map(peerOf);
    const ports = { clock, logger, market: markets[index]!, peers };
    oracles.push(createOracle(ports, { ...CONFIG, index }));
  }
  return { clock, oracles, markets };
}

test("a proposal that a quorum signs is everybody's snapshot", async () => {
  const { oracles, markets } = createOracles({ unwilling: [2] });
  assert.equal(await oracles[0]?.round(), true);
  await turns();
  // Everybody hears of what the snapshot was made of, also who has not signed it.
  for (const { accepted } of markets) assert.deepEqual(accepted, [{ time: START }]);
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
  assert.equal(await oracles[0]?.round(), false);
  assert.equal(oracles[0]?.latest(), undefined);
});

test("after a failed round what is only announced is left out, for one round", async () => {
  const { clock, oracles, markets } = createOracles();
  const asked: boolean[] = [];
  const { propose } = markets[0]!;
  markets[0]!.propose = (now, isListedOnly) => {
    asked.push(isListedOnly);
    return propose(now, isListedOnly);
  };
  for (const isWilling of [true, false, true, true]) {
    for (const market of markets) market.behaviour = { isWilling };
    clock.advance(1000);
    assert.equal(await oracles[0]?.round(), isWilling);
  }
  assert.deepEqual(asked, [false, false, true, false]);
});

test("a bad signature does not spoil the round, and does not count", async () => {
  const { oracles, markets } = createOracles();
  markets[1]!.behaviour = { isWilling: true, isForger: true };
  assert.equal(await oracles[0]?.round(), true);
  const signers = oracles[0]?.latest()?.signatures.map(({ signer }) => signer);
  assert.deepEqual(signers, [0, 2]);
  markets[2]!.behaviour = { isWilling: true, isForger: true };
  const before = oracles[0]?.latest();
  assert.equal(await oracles[0]?.round(), false);
  assert.equal(oracles[0]?.latest(), before);
});

test("without a proposal or a quorum the last good snapshot stays, and why is told", async () => {
  const told: { message: string; context: unknown }[] = [];
  const logger = {
    ...silent,
    warn: (message: string, context: unknown) => told.push({ message, context }),
  };
  const { clock, oracles, markets } = createOracles({ logger: logger as Logger });
  await oracles[0]?.round();
  const good = oracles[0]?.latest();
  clock.advance(4000);
  markets[0]!.behaviour = { isWilling: true, blind: "beyond the jump limit" };
  assert.equal(await oracles[0]?.round(), false);
  assert.equal(oracles[0]?.latest(), good);
  markets[0]!.behaviour = { isWilling: true };
  for (const other of [1, 2]) markets[other]!.behaviour = { isWilling: false };
  assert.equal(await oracles[0]?.round(), false);
  assert.equal(oracles[0]?.latest(), good);
  const refusal = { code: 44, reason: "another price" };
  assert.deepEqual(told, [
    {
      message: "no proposal",
      context: { code: 22, reason: "beyond the jump limit", silentMs: 4000 },
    },
    {
      message: "no quorum for a proposal",
      context: {
        signatures: 1,
        quorum: 2,
        refusals: [
          { name: "oracle 1", ...refusal },
          { name: "oracle 2", ...refusal },
        ],
        silentMs: 4000,
      },
    },
  ]);
});

test("after a failed round the oracle waits an interval, and samples all the same", async () => {
  const { clock, oracles, markets } = createOracles();
  let proposals = 0;
  const { propose } = markets[0]!;
  markets[0]!.propose = (...asked) => {
    proposals++;
    return propose(...asked);
  };
  markets[0]!.behaviour = { isWilling: true, blind: "no sources" };
  const stopping = new AbortController();
  const running = oracles[0]?.run(stopping.signal);
  await new Promise((resolve) => setTimeout(resolve, 350));
  assert.equal(proposals, 1);
  assert.equal(markets[0]!.samples, 1);
  clock.advance(1000);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.equal(proposals, 2);
  markets[0]!.behaviour = { isWilling: true };
  clock.advance(1000);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.equal(oracles[0]?.latest()?.time, START + 2000);
  stopping.abort();
  await running;
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
