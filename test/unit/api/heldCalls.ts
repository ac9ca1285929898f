/** Requests about held words, as a trader with several keys makes them. */
import { wireSignature } from "../../../sequencer/client/exchange.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";
import { addKey, CANCEL_ALL, SELL, signOn, type TestKey } from "../roles/heldFixture.ts";
import { CALL_NAME, type RpcFixture } from "./rpcFixture.ts";

/** A word on the key's head, or on another, and the head after it. */
export function signedBy(key: TestKey, message: Message, head = key.head) {
  const { word, signature, after } = signOn(key, head, message);
  const { account, keyIndex: key_index } = key;
  const wire = `0x${word.toString(16)}`;
  return { signed: { account, key_index, word: wire, signature: wireSignature(signature) }, after };
}

/** Further keys of the maker. */
export async function addKeys({ world, maker }: RpcFixture): Promise<[TestKey, TestKey, TestKey]> {
  const keys = [1, 2, 3].map((keyIndex) => addKey(world, maker, keyIndex));
  for (let count = 0; count < 4; count++) await world.step(400);
  return keys as [TestKey, TestKey, TestKey];
}

/** One request of each method about what is held; a session of the maker makes them. */
export function heldCalls(
  { world, maker, signed }: RpcFixture,
  [first, second]: readonly [TestKey, TestKey, TestKey],
): Readonly<Record<string, object>> {
  const cancelAll = (key: TestKey) => signedBy(key, CANCEL_ALL).signed;
  const index_name = "eth_usdc";
  const time = world.clock.now();
  const price = { type: "index_price", is: "at_or_below", price: 100 };
  const at = { type: "time", timestamp: time + 50_000 };
  const mark = { type: "mark_price", instrument_name: CALL_NAME, is: "at_or_above", price: 900 };
  const quote = { ...SELL, price: 700 } as const;
  return {
    "private/mass_quote": {
      quotes: [
        {
          instrument_name: CALL_NAME,
          ask: { price: 70, amount: 0.05, post_only: false, signed: signed(maker, quote) },
        },
      ],
    },
    "straddle/hold": {
      words: [{ signed: signedBy(first, SELL).signed, conditions: [at, mark, price] }],
    },
    "straddle/get_held": {},
    "straddle/withdraw_held": { held_ids: ["held-0"] },
    "private/get_trigger_order_history": {},
    "private/enable_cancel_on_disconnect": { signed: cancelAll(second) },
    "private/get_cancel_on_disconnect": {},
    "private/disable_cancel_on_disconnect": {},
    "private/set_mmp_config": {
      ...{ index_name, interval: 1, frozen_time: 1, delta_limit: 3, signed: cancelAll(second) },
    },
    "private/get_mmp_config": { index_name },
    "private/reset_mmp": { index_name },
    "straddle/set_key_scope": {
      ...{ account: maker.account, key_index: 2, version: 1, scope: "cancelOnly" },
      ...{ timestamp: time, signature: `0x${maker.owner.toString(16).padStart(130, "0")}` },
    },
    "straddle/get_key_scope": { account: maker.account, key_index: 2 },
  };
}
