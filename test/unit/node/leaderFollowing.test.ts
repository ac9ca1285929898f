// What follows when a validator does not take a record: whose term ends, what the log is taken from
// then, and when it is the validator that must end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLeaderFollowing } from "../../../sequencer/node/leaderFollowing.ts";
import { RefusalError } from "../../../sequencer/roles/refusal.ts";
import type { Validator } from "../../../sequencer/roles/validator.ts";

const POSITION = 7;
const recordOf = (epoch: number) => new RefusalError(POSITION, "it breaks a rule", { epoch });
const proof = new RefusalError(POSITION, "the proof of batch `1` does not hold");

/** Resolves when the signal aborts. */
const ended = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });

/**
 * A node whose validators do, one after another, what `lives` say: each ends with a refusal, or
 * with nothing. After them one runs until it is stopped.
 */
async function follow(lives: readonly ((term: Term) => RefusalError | undefined)[]) {
  const term: Term = { now: 1 };
  const resigned: number[] = [];
  let opened = 0;
  const stopping = new AbortController();
  const open = async (): Promise<Validator> => {
    const life = lives[opened];
    opened += 1;
    return {
      place: () => ({ to: POSITION, logHash: "", root: 1n, epoch: 1 }),
      progress: () => ({ position: POSITION, attested: 0 }),
      onExecuted: () => undefined,
      run: async (signal) => {
        if (life === undefined) return ended(signal);
        const refusal = life(term);
        if (refusal === undefined) return undefined;
        return following.mayRefuse(refusal) ? refusal.message : undefined;
      },
    };
  };
  const following = createLeaderFollowing({
    open,
    store: {
      log: { head: () => ({ position: POSITION }) },
      truncate: async () => undefined,
    } as never,
    member: { executed: () => undefined },
    moving: {
      onCutOff: () => undefined,
      isFinal: () => false,
      term: () => term.now,
      refused: (of: number = term.now) => void resigned.push(of),
      cut: () => undefined,
    } as never,
  });
  const running = following.run(await open(), stopping.signal);
  const stop = (): Promise<string | undefined> => {
    stopping.abort();
    return running;
  };
  await sleep(60);
  return { term, resigned, opened: () => opened, running, stop };
}

interface Term {
  now: number;
}

test("a refused record ends its leader's term, and others are asked at once", async () => {
  const { resigned, opened, stop } = await follow([() => recordOf(1)]);
  assert.deepEqual([resigned, opened()], [[1], 2]);
  assert.equal(await stop(), undefined);
});

test("so it does where it is not of the term, but shown in it", async () => {
  for (const epoch of [0, 5, Number.NaN]) {
    const { resigned, opened, stop } = await follow([() => recordOf(epoch)]);
    assert.deepEqual([resigned, opened()], [[1], 2], `epoch ${epoch}`);
    await stop();
  }
});

test("a leader that came after it is not to blame, and nobody waits for it", async () => {
  const moved = (term: Term): RefusalError => {
    term.now = 2;
    return recordOf(1);
  };
  const { resigned, opened, stop } = await follow([moved]);
  assert.deepEqual([resigned, opened()], [[], 2]);
  await stop();
  // It is one that has shown it too.
  const again = await follow([moved, () => recordOf(1)]);
  assert.deepEqual([again.resigned, again.opened()], [[2], 3]);
  await again.stop();
});

test("a record that a quorum vouches for ends the validator that refuses it", async () => {
  const { running, resigned } = await follow([() => recordOf(1), () => recordOf(1)]);
  assert.equal(await running, "it breaks a rule");
  assert.deepEqual(resigned, [1]);
  // In the next term its leader was believed again.
  const moved = await follow([
    () => recordOf(1),
    (term) => {
      term.now = 2;
      return recordOf(2);
    },
  ]);
  assert.deepEqual([moved.resigned, moved.opened()], [[1, 2], 3]);
  await moved.stop();
});

test("what is no record is waited for until another leads, and no longer", async () => {
  const { term, resigned, opened, stop } = await follow([() => proof]);
  assert.deepEqual([resigned, opened()], [[1], 1]);
  term.now = 2;
  await sleep(60);
  assert.equal(opened(), 2);
  await stop();
  const moved = await follow([
    (now) => {
      now.now = 2;
      return proof;
    },
  ]);
  assert.deepEqual([moved.resigned, moved.opened()], [[], 2]);
  await moved.stop();
});

test("who asks again to cut the log off, while that is done, has it cut off once", async () => {
  let end = 9;
  let opened = 0;
  let cutOff: (to: number) => void = () => undefined;
  const cut: number[] = [];
  const open = async (): Promise<Validator> => {
    opened += 1;
    // As a member that leads does, which looks again and again.
    if (opened === 2) cutOff(5);
    return {
      place: () => ({ to: end, logHash: "", root: 1n, epoch: 1 }),
      progress: () => ({ position: end, attested: 0 }),
      onExecuted: () => undefined,
      run: ended,
    };
  };
  const { run } = createLeaderFollowing({
    open,
    store: {
      log: { head: () => ({ position: end }) },
      truncate: async (to: number) => {
        cutOff(to);
        cut.push(to);
        end = to;
      },
    } as never,
    member: { executed: () => undefined },
    moving: {
      onCutOff: (listener: (to: number) => void) => {
        cutOff = listener;
      },
      ...{ cutting: () => undefined, cut: () => undefined, term: () => 1 },
    } as never,
  });
  const stopping = new AbortController();
  const running = run(await open(), stopping.signal);
  cutOff(5);
  await sleep(60);
  assert.deepEqual([cut, opened], [[5], 2]);
  // Lower than that is another matter.
  cutOff(3);
  await sleep(60);
  assert.deepEqual([cut, opened], [[5, 3], 3]);
  stopping.abort();
  await running;
});
