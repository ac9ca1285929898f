import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaceMessage, TradeMessage } from "../../../sequencer/protocol/messages.ts";
import { createMarket, type Market, NOW, placeOf } from "./market.ts";
import { type Sent, sendToEnd } from "./orders.ts";

const RICH = 1_000_000_000;
/** Just enough for one lot short at 100 with mark 100 and changes of 20. */
const ONE_SHORT = 25_000;
const CANCEL_ALL: TradeMessage = { kind: "cancelAll", deadline: NOW };

/**
 * Accounts 1 to 3 are rich, 4 can bear one lot short and 5 nothing; a side is 3 deep, F is 4.
 * An order is `account side lots @price flags` (one lot at 100 by default), `void` a cancel-all;
 * `post` is post-only, `ro` reduce-only.
 * Cases end in `!` where a FOK aborts; the book is `seq@price x lots`, bids and asks.
 */
const TABLE = `
row | resting before | order | cases | book after | removed | outcome
1 | | 1 buy | noCross | 1@100x1 / | | rested
1 | 1 sell @101 | 2 buy | noCross | 2@100x1 / 1@101x1 | | rested
1 | 1 sell @101 | 2 buy ioc | noCross | / 1@101x1 | | killed
1 | 1 sell @101 | 2 buy fok | noCross! | / 1@101x1 | | fokNotFillable
1 | 1 sell @101 | 2 buy post | noCross | 2@100x1 / 1@101x1 | | rested
1 | 1 buy @3, 1 buy @2, 1 buy @1 | 2 buy @1 | noCross | 1@3x1 2@2x1 3@1x1 / | | sideFull
1 | 1 buy @3, 1 buy @2, 1 buy @1 | 2 buy @2 | noCross | 1@3x1 2@2x1 4@2x1 / | 3 evicted | rested
1 | 1 sell @3, 1 sell @2, 1 sell @1 | 2 sell @0 | noCross | / 4@0x1 3@1x1 2@2x1 | 1 evicted | rested
2 | 1 sell, 1 void, 3 sell | 2 buy | makerVoid fill | / | 1 void | filled
2 | 1 sell, 1 void | 2 buy post | makerVoid noCross | 3@100x1 / | 1 void | rested
2 | 2 sell, 2 void | 2 buy | makerVoid noCross | 3@100x1 / | 1 void | rested
2 | 1 void, 1 sell | 2 buy | fill | / | | filled
3 | 1 sell | 2 buy post | postOnly | / 1@100x1 | | postOnlyWouldCross
3 | 2 sell | 2 buy post | postOnly | / 1@100x1 | | postOnlyWouldCross
4 | 2 sell, 1 sell | 2 buy | selfTrade fill | / | 1 selfTrade | filled
4 | 2 sell, 1 sell | 2 buy fok | selfTrade fill | / | 1 selfTrade | filled
4 | 2 sell | 2 buy fok | selfTrade noCross! | / 1@100x1 | 1 selfTrade | fokNotFillable
5 | 1 sell | 2 buy ioc ro | nothingToReduce | / 1@100x1 | | killed
5 | 1 sell | 2 buy fok ro | nothingToReduce! | / 1@100x1 | | fokNotFillable
5 | 1 sell, 2 buy, 1 sell | 2 buy ioc ro | nothingToReduce | / 3@100x1 | | killed
5 | 1 buy, 2 sell, 3 sell 3 | 2 buy 3 ioc ro | fill nothingToReduce | / 3@100x2 | | killed
5 | 1 sell 2, 2 buy 2, 3 buy 3 | 2 sell 2 ioc ro | fill | 3@100x1 / | | filled
5 | 1 buy, 2 sell, 3 sell 2 | 2 buy 2 fok ro | fill nothingToReduce! | / 3@100x2 | | fokNotFillable
5 | 1 buy 2, 2 sell 2, 3 sell 3 | 2 buy 2 fok ro | fill | / 3@100x1 | | filled
6 | 5 sell, 1 sell | 2 buy | makerMargin fill | / | 1 makerMargin | filled
6 | 4 sell 2, 1 sell | 2 buy 1 | fill | / 1@100x1 2@100x1 | | filled
6 | 4 sell 2 | 2 buy 2 | makerMargin noCross | 2@100x2 / | 1 makerMargin | rested
6 | 5 sell | 4 buy 1 @200 | makerMargin noCross | 2@200x1 / | 1 makerMargin | rested
7 | 1 buy | 5 sell | takerMargin | 1@100x1 / | | takerMargin
7 | 1 buy | 4 sell | fill | / | | filled
7 | 1 buy, 2 buy | 4 sell 2 | fill takerMargin | 2@100x1 / | | takerMargin
7 | 1 buy, 2 buy | 4 sell 2 fok | fill takerMargin! | 1@100x1 2@100x1 / | | takerMargin
8 | 1 sell @90 | 2 buy | fill | / | | filled
8 | 1 sell 5 | 2 buy 2 | fill | / 1@100x3 | | filled
8 | 1 sell 2 | 2 buy 5 | fill noCross | 2@100x3 / | | rested
8 | 1 sell 2 | 2 buy 5 ioc | fill noCross | / | | killed
8 | 1 sell, 3 sell @99, 1 sell @99 | 2 buy 2 | fill fill | / 1@100x1 | | filled
8 | 1 buy @-5, 3 buy @0, 1 buy @0 | 2 sell 2 @-5 | fill fill | 1@-5x1 / | | filled
8 | 1 sell, 3 sell | 2 buy 2 fok | fill fill | / | | filled
8 | 1 sell, 3 sell | 2 buy 3 fok | fill fill noCross! | / 1@100x1 2@100x1 | | fokNotFillable
`;

/** `2 buy 3 @99 ioc ro` or `1 void`. */
function parse(text: string): Sent {
  const [account, side, ...words] = text.split(" ");
  if (side === "void") return [Number(account), CANCEL_ALL];
  const fields: Partial<PlaceMessage> = { isSell: side === "sell" };
  for (const word of words) Object.assign(fields, parseWord(word));
  return [Number(account), placeOf(fields)];
}

function parseWord(word: string): Partial<PlaceMessage> {
  if (word === "ioc" || word === "fok") return { timeInForce: word };
  if (word === "post") return { postOnly: true };
  if (word === "ro") return { reduceOnly: true };
  return word.startsWith("@") ? { price: Number(word.slice(1)) } : { lots: Number(word) };
}

function bookText({ state }: Market): string {
  const { bids, asks } = state.book(0)!;
  const text = (side: typeof bids) =>
    side.map(({ seq, price, lots }) => `${seq}@${price}x${lots}`).join(" ");
  return `${text(bids)} / ${text(asks)}`.trim();
}

for (const line of TABLE.trim().split("\n").slice(1)) {
  const [row, before = "", order = "", cases, book, removed, outcome] = line.split(/ ?\| ?/);
  test(`row ${row}: ${before || "nothing"}, then ${order}: ${outcome}`, () => {
    const market = createMarket([RICH, RICH, RICH, ONE_SHORT, 0]);
    for (const text of before.split(", ").filter(Boolean)) sendToEnd(market, parse(text));
    const steps = sendToEnd(market, parse(order));
    const said = steps.map((step) => `${step.orderCase}${step.aborted ? "!" : ""}`);
    assert.equal(said.join(" "), cases);
    assert.equal(bookText(market), book);
    const gone = steps.flatMap((step) => step.removed);
    assert.equal(gone.map(({ seq, reason }) => `${seq} ${reason}`).join(" "), removed);
    assert.equal(steps.at(-1)!.outcome, outcome);
    for (const step of steps.slice(0, -1)) assert.equal(step.outcome, undefined);
  });
}
