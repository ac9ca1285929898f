import assert from "node:assert/strict";
import { test } from "node:test";
import { createKeyChain, UncertainError } from "../../../sequencer/client/keyChain.ts";
import { ExchangeError } from "../../../sequencer/client/rpc.ts";
import type { Receipt, Submission, Wire } from "../../../sequencer/exchangeService.ts";
import { nextHead } from "../../../sequencer/protocol/messages.ts";

const DEADLINE = 1_800_000_000_000;
const cancelAll = (seconds: number) =>
  ({ kind: "cancelAll", deadline: DEADLINE + 1000 * seconds }) as const;

/** A node that takes every message; `answer` says what of that the client hears. */
function node(answer: (count: number) => "receipt" | "wrongHead" | "outcomeUnknown") {
  const taken: bigint[] = [];
  let head = 5n;
  let count = 0;
  const submit = async ({ word }: Submission): Promise<Wire<Receipt>> => {
    taken.push(word);
    head = nextHead(head, word);
    count += 1;
    const reason = answer(count);
    if (reason === "receipt") return {} as Wire<Receipt>;
    throw new ExchangeError(-32_000, "no", { reason });
  };
  const options = { secret: 7n, account: 3, keyIndex: 0, checkReceipt: async () => undefined };
  const chain = createKeyChain({ ...options, submit, fetchHead: async () => head, inFlightMax: 1 });
  return { chain, taken };
}

test("a refused copy of a message that was taken is not signed again", async () => {
  const { chain, taken } = node((count) => (count === 1 ? "wrongHead" : "receipt"));
  const first = chain.send(cancelAll(0));
  const second = chain.send(cancelAll(1));
  await assert.rejects(
    first,
    (error) => error instanceof UncertainError && error.isSequenced && error.sent.head !== 0n,
  );
  await second;
  assert.equal(taken.length, 2, "each once");
  assert.notEqual(taken[0], taken[1]);
});

test("a message whose outcome the node did not know is not signed again", async () => {
  const { chain, taken } = node((count) => (count === 1 ? "outcomeUnknown" : "receipt"));
  const first = chain.send(cancelAll(0));
  const second = chain.send(cancelAll(1));
  await assert.rejects(first, (error) => error instanceof UncertainError && error.isSequenced);
  await second;
  assert.equal(taken.length, 2, "each once");
});
