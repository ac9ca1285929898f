import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createKeyChain,
  type KeyChainOptions,
  UncertainError,
} from "../../../sequencer/client/keyChain.ts";
import type { SentMessage } from "../../../sequencer/client/receipt.ts";
import { ConnectionError, ExchangeError } from "../../../sequencer/client/rpcErrors.ts";
import type { Receipt, Wire } from "../../../sequencer/exchangeService.ts";
import { publicKeyOf, verify } from "../../../sequencer/protocol/eddsa.ts";
import { nextHead } from "../../../sequencer/protocol/messages.ts";
import { createChance } from "../../simulation/random.ts";

const DEADLINE = 1_800_000_000_000;
const cancelAll = (seconds: number) =>
  ({ kind: "cancelAll", deadline: DEADLINE + 1000 * seconds }) as const;

const SECRET = 7n;
type Fate = "answered" | "lost before" | "lost after" | "refused";

/** A node that takes what extends its chain; `fate` is what becomes of each request. */
function node(
  fate: (count: number) => Fate,
  { remembers = true, ...options }: Partial<KeyChainOptions> & { remembers?: boolean } = {},
) {
  const taken: bigint[] = [];
  const known = new Map<bigint, number>();
  const key = publicKeyOf(SECRET);
  let head = 5n;
  let count = 0;
  const recalled = ({ head: after }: SentMessage) => {
    const logPosition = remembers ? known.get(after) : undefined;
    return logPosition === undefined ? undefined : { receipt: { logPosition } as Wire<Receipt> };
  };
  const take = (sent: SentMessage) => {
    const { word, signature } = sent;
    const before = recalled(sent);
    if (before !== undefined) return before;
    const next = nextHead(head, word);
    if (!verify(key, next, signature)) return new ExchangeError(30002, "bad_signature", {});
    head = next;
    known.set(head, taken.length);
    taken.push(word);
    return { receipt: { logPosition: taken.length - 1 } as Wire<Receipt> };
  };
  const chain = createKeyChain({
    ...{ secret: SECRET, account: 3, keyIndex: 0, checkReceipt: async () => undefined },
    fetchHead: async () => head,
    async submit(words) {
      const what = fate(++count);
      if (what === "lost before") throw new ConnectionError("lost", true);
      if (what === "refused") {
        const refusal = () => new ExchangeError(10009, "not_enough_funds", {});
        return words.map((word) => recalled(word) ?? refusal());
      }
      const answers = words.map(take);
      if (what === "lost after") throw new ConnectionError("lost", true);
      return answers;
    },
    pause: async () => undefined,
    ...options,
  });
  return { chain, taken, requests: () => count };
}

test("messages of one turn are one request, in order", async () => {
  const { chain, taken, requests } = node(() => "answered");
  const receipts = await Promise.all([0, 1, 2].map((at) => chain.send(cancelAll(at))));
  assert.deepEqual(
    receipts.map(({ logPosition }) => logPosition),
    [0, 1, 2],
  );
  assert.deepEqual([taken.length, requests()], [3, 1]);
});

test("a lost answer is asked for again with the same word", async () => {
  for (const fate of ["lost before", "lost after"] as const) {
    const { chain, taken } = node((count) => (count === 1 ? fate : "answered"));
    const sent = [0, 1].map((at) => chain.send(cancelAll(at)));
    const receipts = await Promise.all(sent);
    assert.deepEqual(
      receipts.map(({ logPosition }) => logPosition),
      [0, 1],
    );
    assert.equal(taken.length, 2, "each once");
  }
});

test("where the node has forgotten, what was sequenced is told as such", async () => {
  const { chain, taken } = node((count) => (count === 1 ? "lost after" : "answered"), {
    ...{ remembers: false, inFlightMax: 1 },
  });
  const first = chain.send(cancelAll(0));
  const second = chain.send(cancelAll(1));
  await assert.rejects(first, (error) => error instanceof UncertainError && error.isSequenced);
  await second;
  assert.equal(taken.length, 2, "each once");
});

test("a refusal after a loss is told only where the head shows that nothing was done", async () => {
  const fates: Fate[] = ["lost before", "refused"];
  const { chain, taken } = node((count) => fates[count - 1] ?? "answered");
  await assert.rejects(chain.send(cancelAll(0)), { reason: "not_enough_funds" });
  assert.equal(taken.length, 0);
  const forgetful: Fate[] = ["lost after", "refused"];
  const other = node((count) => forgetful[count - 1] ?? "answered", { remembers: false });
  await assert.rejects(
    other.chain.send(cancelAll(0)),
    (error) => error instanceof UncertainError && error.isSequenced,
  );
  assert.equal(other.taken.length, 1);
});

test("a word without an answer is given up at last", async () => {
  let time = 0;
  const { chain, requests } = node(() => "lost before", {
    ...{ resendMs: 1000, now: () => time },
    pause: async (ms) => {
      time += ms;
    },
  });
  await assert.rejects(
    chain.send(cancelAll(0)),
    (error) => error instanceof UncertainError && !error.isSequenced,
  );
  assert.ok(requests() > 3 && requests() < 20, `${requests()} requests`);
});

test("whatever is lost and refused, each message is done once, or never and told so", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const chance = createChance(seed);
    const fate = (): Fate => {
      if (chance.happens(60)) return "answered";
      return chance.one(["lost before", "lost after", "refused"] as const);
    };
    const remembers = chance.happens(50);
    const { chain, taken } = node(fate, { remembers, wordsMax: 1 + chance.pick(4) });
    const sent = Array.from({ length: 30 }, (_, at) => chain.send(cancelAll(at)));
    const results = await Promise.allSettled(sent);
    assert.equal(new Set(taken).size, taken.length, `seed ${seed}: twice`);
    const done = results.filter(({ status }) => status === "fulfilled").length;
    const known = results.filter(
      (result) =>
        result.status === "rejected" &&
        result.reason instanceof UncertainError &&
        result.reason.isSequenced,
    ).length;
    const open = results.filter(
      (result) =>
        result.status === "rejected" &&
        result.reason instanceof UncertainError &&
        !result.reason.isSequenced,
    ).length;
    assert.ok(done + known <= taken.length, `seed ${seed}: told as done and was not`);
    assert.ok(taken.length <= done + known + open, `seed ${seed}: done and told as refused`);
    if (remembers) assert.deepEqual([known, open], [0, 0], `seed ${seed}`);
  }
});
