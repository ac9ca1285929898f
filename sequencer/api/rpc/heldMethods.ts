/** Words that are held, cancel on disconnect, protection of market makers, scopes of keys. */
import { z } from "zod";
import {
  HELD_PER_ACCOUNT_MAX,
  HELD_PER_REQUEST_MAX,
  type HeldInfo,
  type HeldRequest,
  waitsForDisconnect,
} from "../../protocol/heldWord.ts";
import type { KeyRight } from "../../protocol/keyScope.ts";
import { heldOrdersOf } from "./accountMethods.ts";
import { ORDER, RECEIPT } from "./accountSchemas.ts";
import { receiptShape } from "./accountShapes.ts";
import { RpcError } from "./errorTable.ts";
import * as fields from "./fieldSchemas.ts";
import { leaveWords } from "./heldOrders.ts";
import * as schemas from "./heldSchemas.ts";
import { conditionOf, heldShape, mmpShape } from "./heldShapes.ts";
import { assertCurrency, assertIndex } from "./marketMethods.ts";
import { indexName } from "./marketShapes.ts";
import { type CallContext, infoOf, type Method, method } from "./method.ts";
import { readWord, readWordOf, type SignedWord } from "./signedWord.ts";
import { refusal } from "./submissions.ts";

const { account, keyIndex, natural, signedWord, timestamp } = fields;
const nothing = z.strictObject({});
const scope = z.enum(["connection", "account"]).default("connection");

const SECONDS_MAX = 86_400;
const seconds = z.number().min(0).max(SECONDS_MAX);
const limit = z.number().positive().max(1e12);
const index_name = z.string().max(32).describe("such as `eth_usdc`");

/** Each word's signature is checked. */
const HOLD_CALLS = 5;

export const HELD_METHODS: readonly Method[] = [
  method("straddle/hold", {
    summary: "Leaves signed words of one key, each to go out when its conditions have come true.",
    scope: "signed",
    calls: HOLD_CALLS,
    params: z.strictObject({ words: z.array(schemas.heldWord).min(1).max(HELD_PER_REQUEST_MAX) }),
    result: z.strictObject({
      ...schemas.HELD_ANSWER.shape,
      receipt: RECEIPT.nullable().describe("of a word without conditions, which has gone out"),
    }),
    call: async ({ words }, context) => {
      const { catalogue } = await context.market.view();
      const read = words.map(({ signed }) => readWord(signed).submission);
      const { account: owner, keyIndex: index } = read[0]!;
      if (read.some((each) => each.account !== owner || each.keyIndex !== index)) {
        const text = "words that are left together are of one key.";
        throw new RpcError("unsupported_arg_combination", text);
      }
      const left = words.map(({ follows, conditions, label }, place) => ({
        ...{ word: read[place]!.word, signature: read[place]!.signature, label },
        follows: follows === undefined ? (place === 0 ? null : place - 1) : follows,
        conditions: conditions.map((each) => conditionOf(each, catalogue, context.connection?.id)),
      }));
      const { held, sent } = await leaveWords(
        { account: owner, keyIndex: index, words: left },
        context,
      );
      const result = await sent;
      if (result !== null && !result.accepted) throw refusal(result);
      const shapes = held.map((each) => heldShape(each, catalogue));
      return { held: shapes, receipt: result === null ? null : receiptShape(result.receipt) };
    },
  }),
  method("straddle/get_held", {
    summary: "Words that the account has left, and those that have ended, newest first.",
    scope: "private",
    calls: 2,
    params: nothing,
    result: z.strictObject({ held: z.array(schemas.HELD), ended: z.array(schemas.HELD) }),
    call: async (_, context) => {
      const { account: owner } = await context.session();
      const { catalogue } = await context.market.view();
      const { policy } = context.service;
      const [held, ended] = await Promise.all([policy.held(owner), policy.heldHistory(owner)]);
      const shapes = (list: typeof held) => list.map((each) => heldShape(each, catalogue));
      return { held: shapes(held), ended: shapes(ended) };
    },
  }),
  method("straddle/withdraw_held", {
    summary: "Takes held words back; answers those that will not act any more.",
    scope: "private",
    params: z.strictObject({ held_ids: z.array(fields.orderId).min(1).max(HELD_PER_ACCOUNT_MAX) }),
    result: z.strictObject({ held_ids: z.array(z.string()) }),
    call: async ({ held_ids }, context) => {
      const { account: owner } = await context.session("cancel");
      const ids = await context.service.policy.withdraw(owner, { ids: held_ids });
      return { held_ids: [...ids] };
    },
  }),
  method("private/get_trigger_order_history", {
    summary: "Held orders that were sent, refused, dropped or withdrawn, newest first.",
    params: z.strictObject({
      currency: fields.currency.default("any"),
      instrument_name: fields.instrumentName.optional(),
      count: fields.count.default(20),
    }),
    result: z.strictObject({ entries: z.array(ORDER) }),
    call: async ({ currency, instrument_name, count }, context) => {
      const { account: owner } = await context.session();
      assertCurrency(infoOf(context).underlying, currency);
      const ended = await context.service.policy.heldHistory(owner);
      const orders = await heldOrdersOf(ended, context);
      const name = instrument_name?.trim().toUpperCase();
      const wanted = orders.filter((each) => name === undefined || each.instrument_name === name);
      return { entries: wanted.slice(0, count) };
    },
  }),
  method("private/enable_cancel_on_disconnect", {
    summary: "Leaves a signed cancel-all that goes out when the connection ends without a logout.",
    needsWebSocket: true,
    calls: 2,
    params: z.strictObject({ scope, signed: signedWord }),
    result: schemas.CANCEL_ON_DISCONNECT,
    call: async ({ scope: of, signed }, context) => {
      await ownerOf(signed, context);
      const { id } = context.connection!;
      const disconnected = of === "connection" ? id : null;
      const condition = { type: "disconnected", connection: disconnected } as const;
      await replaceCancelAll(signed, condition, context, ({ conditions }) =>
        waitsForDisconnect(conditions, disconnected),
      );
      return { scope: of, enabled: true };
    },
  }),
  method("private/disable_cancel_on_disconnect", {
    summary: "Takes that word back.",
    needsWebSocket: true,
    params: z.strictObject({ scope }),
    result: schemas.CANCEL_ON_DISCONNECT,
    call: async ({ scope: of }, context) => {
      const { account: owner } = await context.session("cancel");
      const disconnected = of === "connection" ? context.connection!.id : null;
      await context.service.policy.withdraw(owner, { disconnected });
      return { scope: of, enabled: false };
    },
  }),
  method("private/get_cancel_on_disconnect", {
    summary: "Whether such a word is held.",
    needsWebSocket: true,
    params: z.strictObject({ scope }),
    result: schemas.CANCEL_ON_DISCONNECT,
    call: async ({ scope: of }, context) => {
      const { account: owner } = await context.session();
      const disconnected = of === "connection" ? context.connection!.id : null;
      const held = await context.service.policy.held(owner);
      const enabled = held.some(({ conditions }) => waitsForDisconnect(conditions, disconnected));
      return { scope: of, enabled };
    },
  }),
  ...protectionMethods(),
  ...scopeMethods(),
];

function protectionMethods(): readonly Method[] {
  return [
    method("private/set_mmp_config", {
      summary: "Limits of fills of resting orders within an interval, and the cancel-all for then.",
      calls: 2,
      params: z.strictObject({
        index_name,
        interval: seconds.describe("seconds; 0 takes the protection away"),
        frozen_time: seconds.default(0).describe("seconds; 0: until it is reset"),
        quantity_limit: limit.optional().describe("contracts"),
        delta_limit: limit.optional(),
        vega_limit: limit.optional(),
        signed: signedWord.optional().describe("a cancel-all; without it quotes are only refused"),
      }),
      result: z.array(schemas.MMP_CONFIG),
      call: async ({ signed, ...config }, context) => {
        const { account: owner } = await protectedBy(config.index_name, context, "cancel");
        const { policy } = context.service;
        await leaveProtection(owner, signed, context);
        if (config.interval === 0) {
          await policy.protect(owner, null);
          await policy.withdraw(owner, { kind: "protection" });
        } else {
          await policy.protect(owner, {
            intervalMs: Math.round(config.interval * 1000),
            frozenMs: Math.round(config.frozen_time * 1000),
            quantity: config.quantity_limit ?? null,
            delta: config.delta_limit ?? null,
            vega: config.vega_limit ?? null,
          });
        }
        return mmpConfigs(owner, config.index_name, context);
      },
    }),
    method("private/get_mmp_config", {
      summary: "The account's protection, and whether it is frozen.",
      params: z.strictObject({ index_name: index_name.optional() }),
      result: z.array(schemas.MMP_CONFIG),
      call: async ({ index_name: wanted }, context) => {
        const { catalogue } = await context.market.view();
        const name = wanted ?? indexName(catalogue);
        const { account: owner } = await protectedBy(name, context);
        return mmpConfigs(owner, name, context);
      },
    }),
    method("private/reset_mmp", {
      summary: "Ends a freeze; the word that was used up can be replaced by another.",
      calls: 2,
      params: z.strictObject({ index_name, signed: signedWord.optional() }),
      result: z.literal("ok"),
      call: async ({ index_name: wanted, signed }, context) => {
        const { account: owner } = await protectedBy(wanted, context, "place");
        await leaveProtection(owner, signed, context);
        await context.service.policy.resetProtection(owner);
        return "ok" as const;
      },
    }),
  ];
}

function scopeMethods(): readonly Method[] {
  return [
    method("straddle/set_key_scope", {
      summary: "What a trading key may do here, signed by the account's owner (EIP-712).",
      scope: "signed",
      calls: HOLD_CALLS,
      params: z.strictObject({
        ...{ account, key_index: keyIndex, version: natural },
        scope: schemas.KEY_SCOPE.shape.scope,
        timestamp: timestamp.describe("a later one replaces it"),
        signature: z.string().regex(/^0x[0-9a-fA-F]{130}$/, "must be 65 bytes"),
      }),
      result: schemas.KEY_SCOPE,
      call: async ({ signature, ...params }, { service }) => {
        const { account: owner, key_index, version, scope: wanted, timestamp: time } = params;
        const setting = { account: owner, keyIndex: key_index, version, scope: wanted, time };
        const refused = await service.policy.setScope(setting, signature as `0x${string}`);
        if (refused !== null) throw refusal(refused);
        return { account: owner, key_index, version, scope: wanted };
      },
    }),
    method("straddle/get_key_scope", {
      summary: "What a trading key may do here.",
      params: z.strictObject({ account, key_index: keyIndex }),
      result: schemas.KEY_SCOPE,
      call: async ({ account: owner, key_index }, { service }) => {
        const key = await service.session(owner, key_index);
        if (key === null) throw new RpcError("not_found", "no such trading key.");
        const { version } = key;
        return {
          account: owner,
          key_index,
          version,
          scope: service.policy.scope(owner, key_index),
        };
      },
    }),
  ];
}

async function protectedBy(wanted: string, context: CallContext, right?: KeyRight) {
  const session = await context.session(right);
  const { catalogue } = await context.market.view();
  assertIndex(indexName(catalogue), wanted);
  return session;
}

async function mmpConfigs(owner: number, name: string, { service }: CallContext) {
  const info = await service.policy.protection(owner);
  return info === null ? [] : [mmpShape(info, name)];
}

/** Another word takes the place of the one that is held. */
async function leaveProtection(
  owner: number,
  signed: SignedWord | undefined,
  context: CallContext,
): Promise<void> {
  if (signed === undefined) return;
  if ((await ownerOf(signed, context)) !== owner) throw new RpcError("forbidden");
  await replaceCancelAll(signed, { type: "protection" }, context, ({ conditions }) =>
    conditions.some(({ type }) => type === "protection"),
  );
}

/** The word's account, which must be the session's. */
async function ownerOf(signed: SignedWord, context: CallContext): Promise<number> {
  const { account: owner } = await context.session("cancel");
  const { submission } = readWordOf("cancelAll", signed);
  if (submission.account === owner) return owner;
  throw new RpcError("word_mismatch", "the word is of another account than the session.", {
    ...{ param: "signed.account", signed: submission.account, said: owner },
  });
}

/** Words like it are withdrawn once it is held: one that is refused leaves them as they are. */
async function replaceCancelAll(
  signed: SignedWord,
  condition: HeldRequest["words"][number]["conditions"][number],
  context: CallContext,
  isLike: (held: HeldInfo) => boolean,
): Promise<void> {
  const { account: owner, keyIndex: index, word, signature } = readWord(signed).submission;
  const { policy } = context.service;
  const before = (await policy.held(owner)).filter(isLike).map(({ id }) => id);
  const words = [{ word, signature, follows: null, conditions: [condition], label: "" }];
  const { held } = await leaveWords({ account: owner, keyIndex: index, words }, context);
  const kept = new Set(held.map(({ id }) => id));
  await policy.withdraw(owner, { ids: before.filter((id) => !kept.has(id)) });
}
