// The driver's duties: what comes before what, and what it must never do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nullificationOf } from "../../../sequencer/consensus/certificate.ts";
import type { Message } from "../../../sequencer/consensus/message.ts";
import type { Memory } from "../../../sequencer/consensus/simplex.ts";
import type { CertificationStore, MemberNetwork } from "../../../sequencer/ports.ts";
import {
  type CertifierOptions,
  createCertifier,
  type Scheduler,
} from "../../../sequencer/roles/certifier.ts";
import type { ExecutedLog } from "../../../sequencer/roles/executedLog.ts";
import * as sitting from "../consensus/sitting.ts";
import { silent } from "../roles/ports.ts";

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

type Saved = Parameters<CertificationStore["save"]>[0];

/** One member whose disk, clock and log are the test's; `given`: what it begins with. */
async function member(
  self: number,
  roots: (to: number) => bigint = () => 78n,
  given: Pick<CertifierOptions, "moving"> & { memory?: Memory } = {},
) {
  const sent: Message[] = [];
  const final: number[] = [];
  const wanted: number[] = [];
  const timers = new Map<() => void, number>();
  let take: (from: number, message: Message) => string | undefined = () => undefined;
  const saved: Saved[] = [];
  let writing: { resolve(): void; reject(error: Error): void }[] = [];
  const store: CertificationStore = {
    load: async () => given.memory ?? {},
    save: (change) => {
      saved.push(change);
      return new Promise((resolve, reject) => writing.push({ resolve, reject }));
    },
    block: async () => undefined,
    accuse: async () => undefined,
  };
  const network: MemberNetwork = {
    send: (_, message) => void sent.push(message),
    onMessage: (handler) => {
      take = handler;
    },
    connected: () => [],
    records: async function* () {},
    punish: () => undefined,
    stop: async () => undefined,
  };
  let head = { ...sitting.genesis, epoch: 0 };
  const growths: (() => void)[] = [];
  const log: ExecutedLog = {
    head: () => head,
    placeAt: async (base, to) => {
      if (to === base.to) return { ...base, epoch: 0 };
      const logHash = "1".padStart(64, "0");
      // Where sequencers move, the records are the first term's.
      const epoch = given.moving === undefined ? 0 : 1;
      return to > head.to ? undefined : { to, logHash, root: roots(to), epoch };
    },
    onGrowth: (listener) => void growths.push(listener),
    executed: () => undefined,
    cutting: () => undefined,
    rewound: () => undefined,
  };
  const scheduler: Scheduler = {
    after: (ms, action) => {
      timers.set(action, ms);
      return () => timers.delete(action);
    },
  };
  const { validators, genesis, timing } = sitting;
  const certifier = createCertifier({
    consensus: {
      ...{ validators, self, genesis, timing },
      sign: (digest) => sitting.toySignature(self, digest),
    },
    ...{ rules: sitting.rules, store, network, log, scheduler, logger: silent },
    want: ({ to }) => void wanted.push(to),
    onFinal: ({ block }) => void final.push(block.height),
    moving: given.moving,
  });
  const stopping = new AbortController();
  const ended = certifier.run(stopping.signal);
  await turns();
  return {
    ...{ certifier, sent, final, wanted, ended, stopping, saved },
    receive: async (from: number, message: Message) => {
      const fault = take(from, message);
      await turns();
      return fault;
    },
    grow: async (to: number) => {
      head = { ...head, to };
      for (const listener of growths) listener();
      await turns();
    },
    writes: () => writing.length,
    written: async () => {
      const done = writing;
      writing = [];
      for (const { resolve } of done) resolve();
      await turns();
    },
    diskFails: async () => {
      for (const { reject } of writing) reject(new Error("EIO"));
      await turns();
    },
    fire: async (ms: number) => {
      for (const [action, after] of [...timers]) {
        if (after !== ms) continue;
        timers.delete(action);
        action();
      }
      await turns();
    },
  };
}

const block = sitting.child(sitting.genesis, { term: 1, index: 0 });
const votes = (sent: readonly Message[]) =>
  sent.flatMap((message) => (message.type === "vote" ? [message.vote.kind] : []));

test("a vote leaves only after it is durable", async () => {
  const seat = await member(1);
  await seat.receive(0, sitting.proposalOf(block));
  assert.equal(seat.writes(), 0, "nothing to vote on before it has been executed");
  await seat.grow(block.to);
  assert.equal(seat.writes(), 1);
  assert.deepEqual(votes(seat.sent), []);
  await seat.written();
  assert.deepEqual(votes(seat.sent), ["notarize"]);
});

test("a disk that fails once ends it, with nothing sent", async () => {
  const seat = await member(1);
  await seat.receive(0, sitting.proposalOf(block));
  await seat.grow(block.to);
  await seat.diskFails();
  assert.match((await seat.ended) ?? "", /cannot be made durable: EIO/);
  await seat.receive(0, sitting.proposalOf(block));
  assert.deepEqual(seat.sent, []);
});

test("votes of one write: the newest record makes all of them durable", async () => {
  const seat = await member(1);
  await seat.receive(0, sitting.proposalOf(block));
  await seat.grow(block.to);
  assert.equal(seat.writes(), 1);
  // Meanwhile others notarize and finalize: two more steps gather behind the one write.
  for (const validator of [0, 2]) {
    const vote = sitting.voteFor(validator, "notarize", block);
    await seat.receive(validator, sitting.voteMessage(vote));
  }
  for (const validator of [0, 2]) {
    const vote = sitting.voteFor(validator, "finalize", block);
    await seat.receive(validator, sitting.voteMessage(vote));
  }
  assert.deepEqual(votes(seat.sent), []);
  await seat.written();
  assert.deepEqual(seat.final, [], "its own vote, which the quorum needs, is not durable yet");
  assert.equal(seat.certifier.progress().final, null);
  assert.deepEqual(votes(seat.sent), ["notarize"]);
  assert.equal(seat.writes(), 1, "all that gathered is one write");
  await seat.written();
  assert.deepEqual(seat.final, [1]);
  assert.deepEqual(votes(seat.sent), ["notarize", "finalize"]);
  assert.equal(seat.certifier.progress().final?.block.height, 1);
});

test("what others have made final is told before it is stored here", async () => {
  const seat = await member(3);
  await seat.receive(0, sitting.proposalOf(block));
  await seat.grow(block.to);
  await seat.receive(0, { type: "certificate", certificate: sitting.certify("finalize", block) });
  assert.deepEqual(seat.final, [1]);
  assert.equal(seat.certifier.progress().final?.block.height, 1);
  assert.deepEqual(votes(seat.sent), [], "its own votes wait for the disk as ever");
});

test("a log that the leader's does not continue is not cut below what was voted for", async () => {
  const cuts: number[] = [];
  const moving = {
    ...{ onTerm: () => undefined, onLead: () => undefined, onGivenUp: () => undefined },
    onStale: (to: number) => void cuts.push(to),
  };
  const seat = await member(3, undefined, { moving });
  await seat.grow(block.to + 4);
  seat.certifier.contradicted();
  assert.deepEqual(cuts, [sitting.genesis.to], "nothing was voted for");
  await seat.receive(0, sitting.proposalOf(block));
  const certificate = sitting.certify("notarize", block);
  await seat.receive(2, { type: "certificate", certificate });
  seat.certifier.contradicted();
  assert.deepEqual(cuts, [sitting.genesis.to, block.to]);
});

test("a block of another root is not voted for, and its term is given up", async () => {
  const seat = await member(1, () => 5n);
  await seat.receive(0, sitting.proposalOf(block));
  await seat.grow(block.to);
  await seat.written();
  assert.deepEqual(votes(seat.sent), ["nullify"]);
});

test("records that only their proposer vouches for are wanted from nobody else", async () => {
  const seat = await member(3);
  await seat.receive(0, sitting.proposalOf(block));
  assert.equal(seat.wanted.length, 0);
  const certificate = sitting.certify("notarize", block);
  await seat.receive(2, { type: "certificate", certificate });
  assert.ok(seat.wanted.includes(block.to));
});

test("what has a fault is told, and moves nothing", async () => {
  const seat = await member(1);
  const vote = { ...sitting.voteFor(2, "notarize", block), signature: `0x${"0".repeat(130)}` };
  assert.match((await seat.receive(2, sitting.voteMessage(vote))) ?? "", /not signed/);
  assert.deepEqual(seat.sent, []);
});

test("silence for a term ends it with one vote", async () => {
  const seat = await member(1);
  await seat.fire(sitting.timing.termMs);
  assert.equal(seat.writes(), 1);
  await seat.written();
  assert.deepEqual(votes(seat.sent), ["nullify"]);
});

test("its own vote that it knows nothing of ends it", async () => {
  const seat = await member(1);
  const certificate = sitting.certify("notarize", block);
  assert.equal(await seat.receive(0, { type: "certificate", certificate }), undefined);
  assert.match((await seat.ended) ?? "", /lost its record of votes: it once cast `notarize`/);
});

test("such a vote is found in a vote's proof and in a nullification's tip too", async () => {
  const certificate = sitting.certify("notarize", block);
  const tip = { view: block.view, block: certificate.block, certificate };
  // It stands in the certificate alone, which is by the members 0 to 2.
  const [first, ...rest] = [0, 2, 3].map((other) =>
    sitting.voteBy(other, "nullify", { term: 1, ...tip }),
  );
  const messages: Message[] = [
    sitting.voteMessage(first!, certificate),
    { type: "certificate", certificate: nullificationOf([first!, ...rest], tip) },
  ];
  for (const message of messages) {
    const seat = await member(1);
    assert.equal(await seat.receive(0, message), undefined);
    const reason = await Promise.race([seat.ended, turns().then(() => "still voting")]);
    assert.match(reason ?? "", /lost its record of votes: it once cast `notarize`/);
  }
});

test("whoever begins again in a term that it leads gives it up if sequencers move", async () => {
  const before = await member(0);
  await before.fire(sitting.timing.heartbeatMs);
  const durable = before.saved.at(-1)?.durable;
  assert.equal(durable?.term, 1, "it has proposed");
  const moving = {
    ...{ onTerm: () => undefined, onLead: () => undefined },
    ...{ onGivenUp: () => undefined, onStale: () => undefined },
  };
  const isMoving = await member(0, undefined, { memory: { durable }, moving });
  await isMoving.written();
  assert.deepEqual(votes(isMoving.sent), ["nullify"]);
  const stays = await member(0, undefined, { memory: { durable } });
  await stays.written();
  assert.deepEqual(votes(stays.sent), [], "one sequencer writes on, whoever leads");
});
