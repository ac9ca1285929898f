// What a session may do by its key's scope: every scope with every method, nothing beyond it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { wireSignature } from "../../../sequencer/client/exchange.ts";
import { allows, KEY_SCOPES, type KeyScope } from "../../../sequencer/protocol/keyScope.ts";
import { SELL } from "../roles/heldFixture.ts";
import { turns } from "../roles/market.ts";
import { CALL_NAME, type RpcAnswer, type RpcFixture, startRpc } from "./rpcFixture.ts";

type Fields = Readonly<Record<string, unknown>>;

function resultOf(answer: RpcAnswer): Fields {
  assert.equal(answer.error, undefined, JSON.stringify(answer.error));
  return answer.result as Fields;
}

const READABLE = { instrument_name: CALL_NAME, price: 51 };

/** An order that is far too large: whoever may place is refused for that. */
function peeked({ maker }: RpcFixture) {
  const { word, signature } = maker.peek({ ...SELL, lots: 2 ** 21 });
  const wire = { word: `0x${word.toString(16)}`, signature: wireSignature(signature) };
  return { account: maker.account, key_index: 0, ...wire };
}

/** The rights that each method asks of its session's key. */
const RIGHTS: Readonly<Record<string, "read" | "cancel" | "place">> = {
  "private/get_positions": "read",
  "private/get_account_summary": "read",
  "private/get_open_orders": "read",
  "private/get_user_trades_by_currency": "read",
  "private/get_transaction_log": "read",
  "private/get_trigger_order_history": "read",
  "private/get_cancel_on_disconnect": "read",
  "private/get_mmp_config": "read",
  "straddle/get_held": "read",
  "private/subscribe": "read",
  "straddle/withdraw_held": "cancel",
  "private/disable_cancel_on_disconnect": "cancel",
  "private/set_mmp_config": "cancel",
  "private/reset_mmp": "place",
};

const PARAMS: Readonly<Record<string, object>> = {
  "private/get_account_summary": { currency: "USDC" },
  "private/subscribe": { channels: ["user.orders.any.ETH.raw"] },
  "straddle/withdraw_held": { held_ids: ["held-0"] },
  "private/set_mmp_config": { index_name: "eth_usdc", interval: 0 },
  "private/reset_mmp": { index_name: "eth_usdc" },
};

test("scope by method: a session does nothing beyond its key's scope", async (context) => {
  const rpc = await startRpc(context, { credits: { perSecond: 1e6, burst: 1e8 } });
  const { world, maker } = rpc;
  let time = world.clock.now();
  for (const scope of Object.keys(KEY_SCOPES) as KeyScope[]) {
    const socket = await rpc.socket();
    await socket.login(maker);
    time += 1;
    const set = { account: maker.account, key_index: 0, version: 1, scope, timestamp: time };
    const signature = `0x${maker.owner.toString(16).padStart(130, "0")}`;
    resultOf(await rpc.post("straddle/set_key_scope", { ...set, signature }));
    for (const [method, right] of Object.entries(RIGHTS)) {
      const { error } = await socket.call(method, PARAMS[method] ?? {});
      const isForbidden = error?.code === 13021;
      assert.equal(isForbidden, !allows(scope, right), `${scope}: ${method}`);
      if (!isForbidden) assert.equal(error, undefined, `${scope}: ${method}`);
    }
    const order = await rpc.post("private/sell", {
      ...READABLE,
      amount: 2 ** 21 / 100,
      signed: peeked(rpc),
    });
    assert.equal(order.error?.code === 13021, !allows(scope, "place"), scope);
  }
});

test("a key that may read no more hears no more, within a second", async (context) => {
  const rpc = await startRpc(context, { credits: { perSecond: 1e6, burst: 1e8 } });
  const { world, maker } = rpc;
  const socket = await rpc.socket();
  await socket.login(maker);
  const channel = "user.orders.any.ETH.raw";
  resultOf(await socket.call("private/subscribe", { channels: [channel] }));
  await world.place(maker, { price: 480, lots: 1 });
  assert.equal(((await socket.notice(channel)) as Fields).order_state, "open");
  const set = { account: maker.account, key_index: 0, version: 1, scope: "tradeOnly" };
  const signature = `0x${maker.owner.toString(16).padStart(130, "0")}`;
  const began = performance.now();
  const timestamp = world.clock.now();
  resultOf(await rpc.post("straddle/set_key_scope", { ...set, timestamp, signature }));
  await turns();
  assert.ok(performance.now() - began < 1000);
  await world.place(maker, { price: 479, lots: 1 });
  await turns();
  resultOf(await socket.call("public/test", {}));
  assert.deepEqual(
    socket.heard.filter(({ params }) => params?.channel === channel),
    [],
  );
});
