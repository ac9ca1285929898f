/**
 * The sequenced state in the protocol's own units and names: for who verifies it, and for the
 * deployment's own roles. All of it is public, for all of it goes to layer one.
 */
import { z } from "zod";
import type { ExchangeService, StagedProof } from "../../exchangeService.ts";
import { BusyError } from "../../protocol/busy.ts";
import {
  BOOK_BITS,
  LOTS_BITS,
  PRICE_OFFSET,
  TIME_IN_FORCE,
  type TimeInForce,
} from "../../protocol/constants.ts";
import { RpcError } from "./errorTable.ts";
import { account, keyIndex, natural } from "./fieldSchemas.ts";
import * as schemas from "./ledgerSchemas.ts";
import { found, type Method, method } from "./method.ts";
import { wire } from "./wireValue.ts";

const nothing = z.strictObject({});
/** Weighing an account takes the node some milliseconds. */
const RISK_CALLS = 20;
/** A few hashes. */
const PROOF_CALLS = 4;

const ORDER = z.strictObject({
  account,
  keyIndex: keyIndex.default(0),
  book: natural.max(2 ** BOOK_BITS - 1),
  isSell: z.boolean(),
  price: z.int().min(-PRICE_OFFSET).max(PRICE_OFFSET),
  lots: natural.max(2 ** LOTS_BITS - 1),
  timeInForce: z.enum(Object.keys(TIME_IN_FORCE) as [TimeInForce]).default("gtc"),
  postOnly: z.boolean().default(false),
  reduceOnly: z.boolean().default(false),
});

/** Throws RpcError `retry` where too many wait for theirs. */
async function proofOf(service: ExchangeService, account: number): Promise<StagedProof | null> {
  try {
    return await service.ledgerProof(account);
  } catch (error) {
    throw error instanceof BusyError ? new RpcError("retry", error.message) : error;
  }
}

export const LEDGER_METHODS: readonly Method[] = [
  method("straddle/get_series", {
    summary: "The series table with marks, in the protocol's units.",
    calls: 2,
    params: nothing,
    result: schemas.SERIES_TABLE,
    call: async (_, { service }) => plain(await service.chain()),
  }),
  method("straddle/get_books", {
    summary: "All books that were ever opened, with their weights, in the protocol's units.",
    calls: 2,
    params: nothing,
    result: schemas.BOOKS,
    call: async (_, { service }) => plain(await service.books()),
  }),
  method("straddle/get_holdings", {
    summary: "An account's cash, positions and keys, in the protocol's units.",
    params: schemas.WHO,
    result: schemas.HOLDINGS,
    call: async ({ account: id, owner }, { service }) => {
      const who = owner === undefined ? { id: id ?? 0 } : { owner: BigInt(owner) };
      return plain(found(await service.account(who), `account \`${owner ?? id}\``));
    },
  }),
  method("straddle/get_ledger_proof", {
    summary: "What an account had at the newest seal, with the path to that batch's state root.",
    calls: PROOF_CALLS,
    params: z.strictObject({ account }),
    result: schemas.LEDGER_PROOF,
    call: async ({ account: id }, { service }) => {
      const proof = wire(found(await proofOf(service, id), `ledger proof: \`${id}\``));
      const { number: batch_number, seriesRoot: series_root, privateRoot: private_root } = proof;
      const { root, stage, transaction, owner, cash, fees } = proof;
      return {
        ...{ batch_number, root, stage, transaction },
        ...{ account: id, owner, cash, positions: [...proof.positions] },
        siblings: proof.siblings.map((level) => [...level]),
        ...{ series_root, fees, private_root },
      };
    },
  }),
  method("straddle/get_risk", {
    summary: "An account's risk, and the signed snapshot that it can be computed again from.",
    calls: RISK_CALLS,
    params: z.strictObject({ account }),
    result: schemas.RISK,
    call: async ({ account: id }, { service }) =>
      plain(found(await service.risk(id), `account with a snapshot: \`${id}\``)),
  }),
  method("straddle/preview_order", {
    summary: "What the door would say to an order now, and the risk after its worst fill.",
    calls: RISK_CALLS,
    params: ORDER,
    result: schemas.PREVIEW,
    call: async (order, { service }) => {
      const what = `account, book or snapshot: \`${order.account}/${order.book}\``;
      return plain(found(await service.preview(order), what));
    },
  }),
  method("straddle/get_auctions", {
    summary: "Accounts in liquidation, longest first, in the protocol's units.",
    calls: 10,
    params: nothing,
    result: z.array(schemas.AUCTION),
    call: async (_, { service }) => plain(await service.liquidations()),
  }),
];

/** JSON-safe. The schemas describe the same fields, in plain arrays and looser types. */
function plain<T>(value: T): never {
  return wire(value) as never;
}
