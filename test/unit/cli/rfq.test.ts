// `straddle rfq` against an API whose requests and quotes are told by a fake service.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExchangeService } from "../../../sequencer/exchangeService.ts";
import type { QuoteInfo, RfqInfo } from "../../../sequencer/protocol/blockRfq.ts";
import { messageFromWord } from "../../../sequencer/protocol/messages.ts";
import { ACCOUNT } from "../api/fakeService.ts";
import { startCommandLine } from "./commandLine.ts";

const DEV = "--dev-account 0";

const RFQ: RfqInfo = {
  ...{ id: 71, account: ACCOUNT, book: 1, isReversed: false, lots: 50, label: "" },
  ...{ legs: [{ slot: 0, ratio: 1 }], makers: null, isDisclosed: false, state: "open" },
  ...{ createdAt: 1, quotesFrom: 2, expiresAt: 4_000_000_000_000, trade: null },
};

const REQUESTS = { requests: async () => [RFQ] };

const QUOTE: QuoteInfo = {
  ...{ id: 72, rfq: 71, account: 3, keyIndex: 0, isSell: true, price: 105, lots: 50 },
  ...{ isWhole: true, label: "", createdAt: 1, updatedAt: 1, expiresAt: 4_000_000_000_000 },
  ...{ state: "open", reason: null, filledLots: 0, orderId: null, restingLots: 0 },
  isReplaced: false,
};

test("requests are shown with their quotes, own quotes by themselves", async (context) => {
  const { run, service } = await startCommandLine(context);
  const own = { ...QUOTE, id: 73, account: ACCOUNT };
  const quotes = async () => [QUOTE, own];
  Object.assign(service, { packages: { ...service.packages, ...REQUESTS, quotes } });
  const shown = await run(`${DEV} rfq list`);
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /request +71[\s\S]*open, yours as taker[\s\S]*buy 1 ETH-/);
  assert.match(shown.out, /sells[\s│]+10\.5[\s│]+0\.5[\s│]+ANONYMOUS[\s│]+yes/);
  const listed = await run(`${DEV} --json rfq list --quotes`);
  const [told] = JSON.parse(listed.out) as { block_rfq_quote_id: number; price: number }[];
  assert.deepEqual([told?.block_rfq_quote_id, told?.price], [73, 10.5]);
  const none = await run(`${DEV} rfq list --state filled`);
  assert.match(none.out, /no requests/);
});

test("what is accepted or quoted is signed for the book of the legs", async (context) => {
  const { run, service } = await startCommandLine(context);
  const asked: unknown[] = [];
  const cancelRequest: typeof service.packages.cancelRequest = async (account, id) => {
    asked.push([account, id]);
    return { accepted: true, rfq: { ...RFQ, state: "cancelled" } };
  };
  Object.assign(service, { packages: { ...service.packages, ...REQUESTS, cancelRequest } });
  const refused = await run(`${DEV} rfq accept 71 buy 0.5 10.5`);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /block_rfq_closed|such request/);
  // A price below 0 is no option.
  assert.equal((await run(`${DEV} rfq accept 71 sell 0.5 -10.5`)).code, 1);
  const cancelled = await run(`${DEV} rfq cancel 71`);
  assert.equal(cancelled.code, 0, cancelled.err);
  assert.deepEqual(asked, [[ACCOUNT, 71]]);
  assert.match(cancelled.out, /cancelled, yours as taker/);
});

test("a quote is good as long as is said, or 300 s, not past its request", async (context) => {
  const { run, service } = await startCommandLine(context);
  const deadlines: number[] = [];
  const quote: ExchangeService["packages"]["quote"] = async ({ signed }) => {
    const message = messageFromWord(signed.word);
    assert.ok(message?.kind === "place" && message.book === RFQ.book && message.isSell);
    deadlines.push(message.deadline);
    return { accepted: true, quote: QUOTE };
  };
  let rfq = RFQ;
  const requests = async () => [rfq];
  Object.assign(service, { packages: { ...service.packages, requests, quote } });
  /** When the quote ends, and when the command was begun and had ended (unix ms). */
  const quoted = async (options: string) => {
    const from = Date.now();
    const { code, err } = await run(`${DEV} rfq quote 71 sell 0.5 10.5${options}`);
    assert.equal(code, 0, err);
    const [deadline = 0, ...more] = deadlines.splice(0);
    assert.equal(more.length, 0);
    return { deadline, from, to: Date.now() };
  };
  for (const [options, ms] of [
    ["", 300_000],
    [" --seconds 60", 60_000],
  ] as const) {
    const { deadline, from, to } = await quoted(options);
    assert.ok(deadline >= from + ms && deadline <= to + ms, `${options}: ${deadline - from}`);
  }
  const expiresAt = Date.now() + 200_000;
  rfq = { ...RFQ, expiresAt };
  const { deadline, from, to } = await quoted("");
  // Three seconds before the request, and what passed until it was signed.
  const spare = expiresAt - deadline;
  assert.ok(spare <= 3000 && spare >= 3000 - (to - from), `${spare}`);
});

test("a command line that says nothing sensible is refused", async (context) => {
  const { run } = await startCommandLine(context);
  for (const [line, text] of [
    ["rfq accept 71 take 0.5 10", /`side` must be buy or sell/],
    ["rfq accept x buy 0.5 10", /an id is a number/],
    ["rfq accept 71 buy 0.5 10", /no request `71`/],
    ["rfq create ETH-20261225-3000-C", /a leg is INSTRUMENT:QUANTITY/],
    ["rfq quote 71 buy 0.5 10 --seconds 301", /from 1 to 300/],
    ["rfq list --state late", /Allowed choices/],
  ] as const) {
    const { code, err } = await run(`${DEV} ${line}`);
    assert.equal(code, 2, line);
    assert.match(err, text, line);
  }
  const help = await run("rfq --help");
  assert.equal(help.code, 0);
  for (const name of ["create", "list", "watch", "quote", "accept", "cancel", "combo"]) {
    assert.match(help.out, new RegExp(`\\n  ${name} `));
  }
});
