/** Held words in the wire's words, and their conditions back. */
import type { z } from "zod";
import { TIME_IN_FORCE_NAMES } from "../../market/timeInForce.ts";
import {
  DROPS,
  type HeldCondition,
  type HeldInfo,
  type ProtectionInfo,
} from "../../protocol/heldWord.ts";
import type { PlaceMessage } from "../../protocol/messages.ts";
import { DOOR_REJECTS } from "../../protocol/rejection.ts";
import type { OrderShape } from "./accountShapes.ts";
import { amountOf, priceOf, ticksOf } from "./amounts.ts";
import type { Catalogue } from "./catalogue.ts";
import { RpcError } from "./errorTable.ts";
import type * as schemas from "./heldSchemas.ts";
import { bookNameAt } from "./pastNames.ts";

export type HeldShape = z.output<typeof schemas.HELD>;

const STATES = {
  held: "untriggered",
  triggered: "triggered",
  sent: "triggered",
  refused: "rejected",
  dropped: "cancelled",
  withdrawn: "cancelled",
} as const satisfies Record<HeldInfo["state"], OrderShape["order_state"]>;

export function heldShape(held: HeldInfo, catalogue: Catalogue): HeldShape {
  const { conditions, met, reason } = held;
  return {
    held_id: held.id,
    group: held.group,
    account: held.account,
    key_index: held.keyIndex,
    kind: held.message.kind,
    conditions: conditions.map((condition, index) => ({
      ...conditionShape(condition, held, catalogue),
      met: index < met,
    })),
    state: held.state,
    reason,
    reason_text: reason === null ? null : reasonText(reason),
    follows: held.follows,
    label: held.label,
    deadline: held.message.deadline,
    creation_timestamp: held.leftAt,
    last_update_timestamp: held.updatedAt,
    order: heldOrderShape(held, catalogue) ?? null,
  };
}

function reasonText(reason: NonNullable<HeldInfo["reason"]>): string {
  return reason in DROPS
    ? DROPS[reason as keyof typeof DROPS]
    : DOOR_REJECTS[reason as keyof typeof DOOR_REJECTS][1];
}

/** One that has ended may be of a book that was opened again since. */
function nameOf(book: number, { state, updatedAt }: HeldInfo, catalogue: Catalogue): string {
  const name =
    state === "held" || state === "triggered"
      ? catalogue.byBook.get(book)?.name
      : bookNameAt(book, updatedAt, catalogue);
  return name ?? "";
}

function conditionShape(condition: HeldCondition, held: HeldInfo, catalogue: Catalogue) {
  const { info } = catalogue;
  switch (condition.type) {
    case "index":
    case "mark": {
      const is = condition.is === "atOrAbove" ? "at_or_above" : "at_or_below";
      const price = priceOf(condition.price, info);
      if (condition.type === "index") return { type: "index_price", is, price } as const;
      const instrument_name = nameOf(condition.book, held, catalogue);
      return { type: "mark_price", instrument_name, is, price } as const;
    }
    case "time":
      return { type: "time", timestamp: condition.at };
    case "disconnected":
      return { type: "disconnected", scope: scopeOf(condition) };
    case "filled":
      return { type: "filled", order_id: condition.orderId, part: condition.part };
    case "protection":
      return { type: "mmp_trigger" };
  }
}

export function scopeOf({ connection }: { readonly connection: string | null }) {
  return connection === null ? ("account" as const) : ("connection" as const);
}

/** Of a held order; undefined for a held cancel. */
export function heldOrderShape(held: HeldInfo, catalogue: Catalogue): OrderShape | undefined {
  const { message, state, reason, orderId } = held;
  if (message.kind !== "place") return undefined;
  const { info } = catalogue;
  const amount = amountOf(message.lots, info);
  const trigger = held.conditions.find(isPrice);
  const { postOnly } = message;
  return {
    order_id: held.id,
    instrument_name: nameOf(message.book, held, catalogue),
    direction: message.isSell ? "sell" : "buy",
    price: priceOf(message.price, info),
    ...{ amount, contracts: amount, filled_amount: 0, average_price: null },
    order_state: STATES[state],
    ...((state === "dropped" || state === "refused") &&
      reason !== null && { cancel_reason: reason }),
    order_type: trigger === undefined ? "limit" : triggerTypeOf(message, trigger),
    ...(trigger !== undefined && {
      trigger: trigger.type === "index" ? "index_price" : "mark_price",
      trigger_price: priceOf(trigger.price, info),
      triggered: state !== "held",
    }),
    ...(orderId !== null && { placed_order_id: orderId }),
    time_in_force: TIME_IN_FORCE_NAMES[message.timeInForce],
    post_only: postOnly,
    ...(postOnly && { reject_post_only: true }),
    reduce_only: message.reduceOnly,
    label: held.label,
    commission: 0,
    creation_timestamp: held.leftAt,
    last_update_timestamp: held.updatedAt,
    ...{ api: true, replaced: false, seq: 0 },
  };
}

type PriceCondition = Extract<HeldCondition, { type: "index" | "mark" }>;

function isPrice(condition: HeldCondition): condition is PriceCondition {
  return condition.type === "index" || condition.type === "mark";
}

function triggerTypeOf({ isSell, timeInForce }: PlaceMessage, { is }: PriceCondition) {
  const isStop = isSell === (is === "atOrBelow");
  const isLimit = timeInForce === "gtc";
  if (isStop) return isLimit ? "stop_limit" : "stop_market";
  return isLimit ? "take_limit" : "take_market";
}

/** A stop waits for the worse price, a profit to be taken for the better one. */
export function triggerCondition(
  order: {
    readonly type: schemas.TriggerType;
    readonly isSell: boolean;
    readonly trigger: "index_price" | "mark_price";
    readonly triggerPrice: number;
  },
  book: number,
): HeldCondition {
  const { type, isSell, trigger, triggerPrice: price } = order;
  const isStop = type === "stop_limit" || type === "stop_market";
  const is = isStop === isSell ? "atOrBelow" : "atOrAbove";
  return trigger === "index_price"
    ? { type: "index", is, price }
    : { type: "mark", book, is, price };
}

/** `connection`: undefined over HTTP. */
export function conditionOf(
  condition: schemas.WireCondition,
  catalogue: Catalogue,
  connection: string | undefined,
): HeldCondition {
  switch (condition.type) {
    case "index_price":
    case "mark_price": {
      const is = condition.is === "at_or_above" ? "atOrAbove" : "atOrBelow";
      const price = ticksOf(condition.price, catalogue.info);
      if (condition.type === "index_price") return { type: "index", is, price };
      const name = condition.instrument_name.trim().toUpperCase();
      const book = catalogue.byName.get(name)?.book ?? undefined;
      if (book === undefined) throw new RpcError("invalid_or_unsupported_instrument");
      return { type: "mark", book, is, price };
    }
    case "time":
      return { type: "time", at: condition.timestamp };
    case "disconnected":
      if (connection === undefined) throw new RpcError("must_be_websocket_request");
      return {
        type: "disconnected",
        connection: condition.scope === "connection" ? connection : null,
      };
    case "filled":
      return { type: "filled", orderId: condition.order_id, part: condition.part };
    case "mmp_trigger":
      return { type: "protection" };
  }
}

export function mmpShape(
  { limits, isFrozen, frozenUntil, hasWord }: ProtectionInfo,
  index: string,
): z.output<typeof schemas.MMP_CONFIG> {
  return {
    index_name: index,
    interval: limits.intervalMs / 1000,
    frozen_time: limits.frozenMs / 1000,
    quantity_limit: limits.quantity,
    delta_limit: limits.delta,
    vega_limit: limits.vega,
    is_frozen: isFrozen,
    frozen_until: frozenUntil,
    has_word: hasWord,
  };
}
