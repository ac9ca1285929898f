/** Orders that wait: triggers, orders linked to others, and orders shown slice by slice. */

import type { Held } from "../../accountPolicy.ts";
import type { SubmitResult } from "../../exchangeService.ts";
import type { HeldCondition, HeldRequest } from "../../protocol/heldWord.ts";
import type { PlaceMessage } from "../../protocol/messages.ts";
import { amountOf, lotsOf, ticksOf } from "./amounts.ts";
import type { Instrument } from "./catalogue.ts";
import { RpcError } from "./errorTable.ts";
import { TRIGGER_TYPES, type TriggerType } from "./heldSchemas.ts";
import { heldOrderShape, heldShape, triggerCondition } from "./heldShapes.ts";
import { type CallContext, infoOf, instrumentNamed } from "./method.ts";
import {
  assertPlace,
  type ReadWord,
  readWordOf,
  type SignedWord,
  signatureOf,
} from "./signedWord.ts";
import { refusal } from "./submissions.ts";
import type { Place, Secondary } from "./tradingSchemas.ts";

type Words = HeldRequest["words"];
type Word = Words[number];

/** Whether an order is more than one word that goes out at once. */
export function isHeldOrder(params: Place): boolean {
  const { type, linked_order_type, display_amount } = params;
  return type !== "limit" || linked_order_type !== undefined || display_amount !== undefined;
}

export interface HeldOrder {
  readonly read: ReadWord<PlaceMessage>;
  readonly instrument: Instrument;
  readonly request: HeldRequest;
}

/** Throws {@link RpcError} where words and readable fields do not say the same. */
export function readHeldOrder(
  params: Place,
  isSell: boolean,
  instrument: Instrument,
  context: CallContext,
): HeldOrder {
  const isSliced = params.display_amount !== undefined;
  const read = readOne({ ...params, isSell }, instrument, context, isSliced);
  const { signed, label, linked_order_type: linked, display_amount, otoco_config = [] } = params;
  const trigger = conditionsOf({ ...params, isSell }, instrument, context);
  const words: Word[] = [
    { ...wordOf(signed), follows: null, conditions: trigger, label },
    ...(display_amount === undefined ? [] : slicesOf(params, read, context)),
  ];
  if (linked === undefined) {
    if (otoco_config.length > 0) throw unfit("`otoco_config` needs a `linked_order_type`.");
  } else {
    if (display_amount !== undefined) throw unfit("linked orders are shown whole.");
    if (otoco_config.length === 0) throw unfit("a linked order names others in `otoco_config`.");
    words.push(...linkedWords(params, linked, trigger, context));
  }
  assertOneKey([
    signed,
    ...otoco_config.map((each) => each.signed),
    ...(params.signed_slices ?? []),
  ]);
  const { account, keyIndex } = read.submission;
  return { read, instrument, request: { account, keyIndex, words } };
}

function linkedWords(
  params: Place,
  linked: NonNullable<Place["linked_order_type"]>,
  trigger: readonly HeldCondition[],
  context: CallContext,
): Words {
  const { otoco_config = [], trigger_fill_condition } = params;
  const isOther = linked === "one_cancels_other";
  if (isOther && trigger.length === 0) {
    throw unfit("of a pair both wait for a price: an order that rests has used its head.");
  }
  if (linked === "one_triggers_other" && otoco_config.length > 1) {
    throw unfit("`one_triggers_other` names one other; several exclude each other (OTOCO).");
  }
  const part = trigger_fill_condition === "first_hit" ? "any" : "all";
  const filled: HeldCondition = { type: "filled", orderId: null, part };
  return otoco_config.map((other) => {
    const name = other.instrument_name ?? params.instrument_name;
    const instrument = instrumentNamed(name, context);
    const isSell = other.direction === "sell";
    readOne({ ...other, isSell }, instrument, context);
    const own = conditionsOf({ ...other, isSell }, instrument, context);
    if (isOther && own.length === 0) throw unfit("both of a pair wait for a price.");
    const conditions = isOther ? own : [filled, ...own];
    return { ...wordOf(other.signed), follows: isOther ? null : 0, conditions, label: other.label };
  });
}

type Readable = Secondary & { readonly isSell: boolean };

function readOne(
  order: Omit<Readable, "direction" | "instrument_name">,
  instrument: Instrument,
  context: CallContext,
  isSliced = false,
): ReadWord<PlaceMessage> {
  const read = readWordOf("place", order.signed);
  const { timeInForce, lots } = read.message;
  const isMarket = order.type === "stop_market" || order.type === "take_market";
  if (order.type !== "limit" && isMarket === (timeInForce === "gtc")) {
    throw unfit(
      "`stop_market` and `take_market` are immediate within the signed price, limits rest.",
    );
  }
  const info = infoOf(context);
  if (order.price === undefined && !isMarket) {
    throw new RpcError("invalid_params", "`price` is missing.", { param: "price" });
  }
  // Of an order that is shown in slices the first is one of them.
  const amount = isSliced ? amountOf(lots, info) : order.amount;
  assertPlace(read.message, { ...order, amount }, instrument, info);
  return read;
}

function conditionsOf(
  order: Omit<Readable, "direction" | "instrument_name" | "signed">,
  { book }: Instrument,
  context: CallContext,
): readonly HeldCondition[] {
  const { type, isSell, trigger, trigger_price } = order;
  if (!isTrigger(type)) {
    if (trigger === undefined && trigger_price === undefined) return [];
    throw unfit("`trigger` and `trigger_price` are of stop and take orders.");
  }
  if (trigger === undefined || trigger_price === undefined) {
    throw unfit(`a \`${type}\` order needs \`trigger\` and \`trigger_price\`.`);
  }
  const triggerPrice = ticksOf(trigger_price, infoOf(context), "trigger_price");
  return [triggerCondition({ type, isSell, trigger, triggerPrice }, book ?? 0)];
}

function isTrigger(type: string): type is TriggerType {
  return (TRIGGER_TYPES as readonly string[]).includes(type);
}

/** The rest of an order that shows only a part: each slice once the one before is filled. */
function slicesOf(params: Place, { message }: ReadWord<PlaceMessage>, context: CallContext): Words {
  const { display_amount, signed_slices = [], amount, label } = params;
  const info = infoOf(context);
  const most = lotsOf(display_amount!, info, "display_amount");
  if (signed_slices.length === 0) throw unfit("`signed_slices` has the words after the first.");
  const slices = signed_slices.map((signed) => readWordOf("place", signed).message);
  const all = [message, ...slices];
  const total = all.reduce((sum, { lots }) => sum + lots, 0);
  if (total !== lotsOf(amount, info)) {
    throw new RpcError("word_mismatch", "the slices do not add up to `amount`.", {
      ...{ param: "amount", signed: total },
    });
  }
  for (const slice of all) {
    const isAlike = slice.book === message.book && slice.isSell === message.isSell;
    if (!isAlike || slice.price !== message.price || slice.timeInForce !== "gtc") {
      throw unfit("slices have the book, side and price of the first, and rest.");
    }
    if (slice.lots > most) throw unfit("a slice is larger than `display_amount`.");
  }
  const filled: HeldCondition = { type: "filled", orderId: null, part: "all" };
  return signed_slices.map((signed, index) => {
    return { ...wordOf(signed), follows: index, conditions: [filled], label };
  });
}

function assertOneKey(words: readonly SignedWord[]): void {
  const [first] = words;
  const isOne = words.every(
    ({ account, key_index }) => account === first?.account && key_index === first.key_index,
  );
  if (!isOne) throw unfit("words that are left together are of one key.");
}

function wordOf({ word, signature }: SignedWord): Pick<Word, "word" | "signature"> {
  return { word: BigInt(word), signature: signatureOf(signature) };
}

function unfit(text: string): RpcError {
  return new RpcError("unsupported_arg_combination", text);
}

/** Throws {@link RpcError} where they are refused. */
export async function leaveWords(
  request: HeldRequest,
  { service }: CallContext,
): Promise<Held<SubmitResult>> {
  const result = await service.policy.hold(request);
  if (!result.accepted) throw refusal(result);
  return result;
}

export async function heldAnswer({ held }: Held<SubmitResult>, { market }: CallContext) {
  const { catalogue } = await market.view();
  const [first] = held;
  return {
    order: heldOrderShape(first!, catalogue)!,
    trades: [],
    held: held.map((each) => heldShape(each, catalogue)),
  };
}
