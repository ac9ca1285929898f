/** Requests about combinations, requests for quotes and blocks, as two traders make them. */
import assert from "node:assert/strict";
import { wireSignature } from "../../../sequencer/client/exchange.ts";
import type { PlaceMessage } from "../../../sequencer/protocol/messages.ts";
import { PLACE, type TestTrader } from "../roles/market.ts";
import { CALL_NAME, PUT_NAME, type RpcFixture } from "./rpcFixture.ts";

const LEGS = [
  { instrument_name: CALL_NAME, amount: 0.1, direction: "buy" },
  { instrument_name: PUT_NAME, amount: 0.1, direction: "sell" },
];

/** A word on the chain's head, which does not move by it. */
function left(trader: TestTrader, message: PlaceMessage) {
  const { word, signature } = trader.peek(message);
  const wire = `0x${word.toString(16)}`;
  const { account } = trader;
  return { account, key_index: 0, word: wire, signature: wireSignature(signature) };
}

/** Each method about packages once; the maker of the fixture asks, its taker quotes. */
export async function callRfqMethods(rpc: RpcFixture): Promise<void> {
  const { world, maker: asker, taker: quoter, signed } = rpc;
  const [socket, other] = [await rpc.socket(), await rpc.socket()];
  await socket.login(asker);
  await other.login(quoter);
  const result = async (of: typeof socket, method: string, params: object) => {
    const answer = of.call(method, params);
    for (let count = 0; count < 2 && method.includes("create"); count++) {
      await world.step(1000);
      await world.prove();
    }
    const { error, result: done } = await answer;
    assert.equal(error, undefined, `${method}: ${JSON.stringify(error)}`);
    return done as Record<string, never>;
  };
  await world.step(10_000);
  await world.prove();
  const combo = await result(socket, "private/create_combo", { trades: LEGS });
  await result(socket, "public/get_combos", { currency: "ETH" });
  await result(socket, "public/get_combo_ids", { currency: "ETH" });
  await result(socket, "public/get_combo_details", { combo_id: combo.id });
  // The book buys the put and sells the call: the reverse of what is asked for.
  const deadline = world.clock.now() + 60_000;
  const book = { ...PLACE, book: Number(combo.instrument_id), price: -10, lots: 10, deadline };
  const quote: PlaceMessage = { ...book, postOnly: true };
  const take: PlaceMessage = { ...book, isSell: true, timeInForce: "fok" };
  const terms = { direction: "sell", price: 1, amount: 0.1 };
  const asked = await result(socket, "private/create_block_rfq", { legs: LEGS });
  const of = { block_rfq_id: asked.block_rfq_id };
  await result(socket, "private/get_block_rfqs", of);
  const add = async () =>
    result(other, "private/add_block_rfq_quote", { ...of, ...terms, signed: left(quoter, quote) });
  const first = await add();
  const better = { ...terms, direction: undefined, price: 0.9, legs: asked.legs };
  await result(other, "private/edit_block_rfq_quote", {
    ...{ ...better, block_rfq_quote_id: first.block_rfq_quote_id },
    signed: left(quoter, { ...quote, price: -9 }),
  });
  await result(other, "private/get_block_rfq_quotes", of);
  const { block_rfq_quote_id } = first;
  await result(other, "private/cancel_block_rfq_quote", { block_rfq_quote_id });
  await add();
  await result(other, "private/cancel_all_block_rfq_quotes", of);
  await add();
  const wanted = { ...of, ...terms, direction: "buy" };
  const wrong = { ...wanted, direction: "sell", signed: left(asker, take) };
  const mismatch = await socket.call("private/accept_block_rfq", wrong);
  assert.equal(mismatch.error?.message, "word_mismatch");
  const legs = [{ instrument_name: CALL_NAME, ratio: 2, direction: "buy" }];
  const others = { ...wanted, legs, signed: left(asker, take) };
  const unlike = await socket.call("private/accept_block_rfq", others);
  assert.equal(unlike.error?.message, "word_mismatch");
  await result(socket, "private/accept_block_rfq", { ...wanted, signed: signed(asker, take) });
  quoter.next(quote);
  await result(socket, "public/get_block_rfq_trades", {});
  const again = await result(socket, "private/create_block_rfq", { legs: LEGS });
  await result(socket, "private/cancel_block_rfq", { block_rfq_id: again.block_rfq_id });
  const late = { ...of, ...terms, signed: left(quoter, quote) };
  const ended = await other.call("private/add_block_rfq_quote", late);
  assert.equal(ended.error?.message, "block_rfq_closed");
  await callBlockMethods(rpc, result, { socket, other, quote, take });
}

type Socket = Awaited<ReturnType<RpcFixture["socket"]>>;

async function callBlockMethods(
  { world, maker: asker, taker: quoter, signed }: RpcFixture,
  result: (of: Socket, method: string, params: object) => Promise<Record<string, never>>,
  given: { socket: Socket; other: Socket; quote: PlaceMessage; take: PlaceMessage },
): Promise<void> {
  const { socket, other, quote, take } = given;
  // Directions are the maker's: calls are sold at 6, puts bought at 5.
  const trades = LEGS.map((leg, index) => ({
    ...leg,
    direction: index === 0 ? "sell" : "buy",
    price: index === 0 ? 6 : 5,
  }));
  const block = { timestamp: world.clock.now(), nonce: "n-1", trades };
  const { signature } = await result(other, "private/verify_block_trade", {
    ...{ ...block, role: "maker", signed: left(quoter, quote) },
  });
  const consent = { ...block, role: "taker", counterparty_signature: signature };
  const stale = { ...consent, timestamp: block.timestamp - 400_000, signed: left(asker, take) };
  const late = await socket.call("private/execute_block_trade", stale);
  assert.equal(late.error?.message, "word_mismatch");
  const wrongRole = { ...block, role: "taker", signed: left(quoter, quote) };
  const role = await other.call("private/verify_block_trade", wrongRole);
  assert.equal(role.error?.message, "word_mismatch");
  const done = { ...consent, signed: signed(asker, take) };
  await result(socket, "private/execute_block_trade", done);
  quoter.next(quote);
}
