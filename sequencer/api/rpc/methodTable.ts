/** Every method of the interface. What validates, answers and is documented comes from here. */
import { z } from "zod";
import { ACCOUNT_METHODS } from "./accountMethods.ts";
import { BLOCK_METHODS } from "./blockMethods.ts";
import { COMBO_METHODS } from "./comboMethods.ts";
import { HELD_METHODS } from "./heldMethods.ts";
import { LEDGER_METHODS } from "./ledgerMethods.ts";
import { MARKET_METHODS } from "./marketMethods.ts";
import { type Method, method } from "./method.ts";
import { openRpcDocument } from "./openRpc.ts";
import { OWN_METHODS } from "./ownMethods.ts";
import { RFQ_METHODS } from "./rfqMethods.ts";
import { SESSION_METHODS } from "./sessionMethods.ts";
import { TRADING_METHODS } from "./tradingMethods.ts";

const listed: readonly Method[] = [
  ...[...SESSION_METHODS, ...MARKET_METHODS, ...TRADING_METHODS],
  ...[...ACCOUNT_METHODS, ...OWN_METHODS, ...HELD_METHODS],
  ...[...COMBO_METHODS, ...RFQ_METHODS, ...BLOCK_METHODS],
  ...LEDGER_METHODS,
];

/** Made once, when somebody asks for it first. */
let document: ReturnType<typeof openRpcDocument> | undefined;
export function openRpc(): ReturnType<typeof openRpcDocument> {
  document ??= openRpcDocument([...METHODS.values()]);
  return document;
}

const DISCOVER = method("rpc.discover", {
  summary: "This interface as an OpenRPC document; also at `/openrpc.json`.",
  calls: 20,
  params: z.strictObject({}),
  result: z.record(z.string(), z.unknown()),
  call: () => openRpc() as unknown as Record<string, unknown>,
});

/** A Map, so that no name of `Object.prototype` is a method. */
export const METHODS: ReadonlyMap<string, Method> = new Map(
  [...listed, DISCOVER].map((item) => [item.name, item]),
);
