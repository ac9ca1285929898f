/** Blocks that two have agreed on elsewhere: each side is a signed word, and both go together. */
import { z } from "zod";
import type { PackageWord } from "../../packageTrading.ts";
import { receiptShape } from "./accountShapes.ts";
import { amountOf, priceOf, ticksOf } from "./amounts.ts";
import { openCombo } from "./comboMethods.ts";
import { RpcError } from "./errorTable.ts";
import * as fields from "./fieldSchemas.ts";
import { type CallContext, infoOf, type Method, method } from "./method.ts";
import * as schemas from "./rfqSchemas.ts";
import { blockTradeShape, netPrice, packageFrom } from "./rfqShapes.ts";
import { assertPlace, readWordOf, type SignedWord } from "./signedWord.ts";
import { refusal } from "./submissions.ts";

/** How far the time that both have agreed on may be from now, and words' deadlines after it. */
const BLOCK_MS = 300_000;
const BLOCK_CALLS = 4;

const terms = z.strictObject({ ...schemas.blockTerms, signed: fields.signedWord });
type Terms = z.output<typeof terms>;
type Role = Terms["role"];

export const BLOCK_METHODS: readonly Method[] = [
  method("private/verify_block_trade", {
    summary: "Checks one side of a block; the signature is for the other side to execute it with.",
    scope: "signed",
    calls: BLOCK_CALLS,
    params: terms,
    result: z.strictObject({ signature: z.string() }),
    call: async (params, context) => {
      const { message } = readWordOf("place", params.signed);
      const word = await sideOf(params, params.role, params.signed, context);
      const refused = await context.service.packages.checkBlock(word);
      if (refused !== null) throw refusal(refused);
      if ((message.timeInForce === "fok") !== (params.role === "taker")) {
        throw new RpcError("unsupported_arg_combination");
      }
      return { signature: signatureText(params) };
    },
  }),
  method("private/execute_block_trade", {
    summary: "Executes a block by both sides' words: all of it at its price, or nothing.",
    scope: "signed",
    calls: BLOCK_CALLS,
    params: terms.extend({ counterparty_signature: schemas.counterpartySignature }),
    result: z.strictObject({
      ...schemas.BLOCK_TRADE.shape,
      receipt: schemas.ACCEPTED.shape.receipt,
    }),
    call: async ({ counterparty_signature, ...params }, context) => {
      const other = readSignature(counterparty_signature, params);
      const own = await sideOf(params, params.role, params.signed, context);
      const others = await sideOf(params, other.role, other.signed, context);
      const [maker, taker] = params.role === "maker" ? [own, others] : [others, own];
      const done = await context.service.packages.block(maker, taker);
      if (!done.accepted) throw refusal(done);
      const { catalogue } = await context.market.view();
      context.submissions.remember(done.receipt);
      const receipt = receiptShape(done.receipt);
      return { ...blockTradeShape(done.trade, true, catalogue), receipt };
    },
  }),
];

/** The word, where it says what the terms say of its side. Throws {@link RpcError}. */
async function sideOf(
  { trades, timestamp }: Terms,
  role: Role,
  signed: SignedWord,
  context: CallContext,
): Promise<PackageWord> {
  const { message, submission } = readWordOf("place", signed);
  const { market, clock } = context;
  if (Math.abs(clock.now() - timestamp) > BLOCK_MS) {
    const text = `\`timestamp\` must be within ${BLOCK_MS} ms of now. Got \`${timestamp}\`.`;
    throw new RpcError("invalid_params", text, { param: "timestamp" });
  }
  if (message.deadline > timestamp + BLOCK_MS) {
    const text = `a word's deadline is at most ${BLOCK_MS} ms after \`timestamp\`.`;
    throw new RpcError("word_mismatch", text, { param: "timestamp", signed: message.deadline });
  }
  const view = await market.view();
  const wanted = packageFrom(trades, view.catalogue);
  const { instrument } = await openCombo(signed.account, wanted, context);
  const legs = trades.map((leg) => ({ ...leg, ticks: ticksOf(leg.price, infoOf(context)) }));
  const net = netPrice(legs, wanted, view.catalogue);
  const isTaker = role === "taker";
  const readable = {
    isSell: wanted.isSell !== isTaker,
    amount: amountOf(wanted.lots, view.catalogue.info),
    price: priceOf(net, view.catalogue.info),
    time_in_force: isTaker ? "fill_or_kill" : "good_til_cancelled",
    ...{ post_only: !isTaker, reduce_only: false },
  } as const;
  assertPlace(message, readable, instrument, infoOf(context));
  return submission;
}

/** Time, nonce, role and the signed word: whoever has it can execute the block, once. */
function signatureText({ timestamp, nonce, role, signed }: Terms): string {
  const { account, key_index, word, signature } = signed;
  const { r8x, r8y, s } = signature;
  return [timestamp, nonce, role, account, key_index, word, r8x, r8y, s].join(".").toLowerCase();
}

function readSignature(text: string, { timestamp, nonce, role }: Terms) {
  const [time, agreed, others, account, key, word, r8x, r8y, s] = text.split(".");
  const isOther = others !== role && (others === "maker" || others === "taker");
  if (Number(time) !== timestamp || agreed !== nonce.toLowerCase() || !isOther) {
    const reason = "it is of another `timestamp`, `nonce` or of the same `role`.";
    throw new RpcError("word_mismatch", reason, { param: "counterparty_signature" });
  }
  const signed = fields.signedWord.safeParse({
    ...{ account: Number(account), key_index: Number(key), word, signature: { r8x, r8y, s } },
  });
  if (signed.success) return { role: others, signed: signed.data } as const;
  throw new RpcError("invalid_arguments", undefined, { param: "counterparty_signature" });
}
