/** Many quotes in one request: each side a word of its own, and an answer of its own. */
import type { z } from "zod";
import type { PlaceMessage } from "../../protocol/messages.ts";
import { orderShape } from "./accountShapes.ts";
import type { Instrument } from "./catalogue.ts";
import { RpcError, rpcErrorObject } from "./errorTable.ts";
import type * as schemas from "./heldSchemas.ts";
import { CALL_CREDITS, type CallContext, infoOf, instrumentNamed } from "./method.ts";
import { assertCancel, assertPlace, type ReadWord, readWordOf } from "./signedWord.ts";
import type { Accepted } from "./submissions.ts";
import type { MASS_QUOTE, QuoteSide } from "./tradingSchemas.ts";

type MassQuoted = z.output<typeof schemas.MASS_QUOTED>;
type Answer = MassQuoted["quotes"][number];

interface Quote {
  readonly instrument: Instrument;
  readonly side: "bid" | "ask";
  readonly label: string;
  readonly place: ReadWord<PlaceMessage>;
  readonly cancel: ReadWord<Parameters<typeof assertCancel>[0]> | undefined;
}

/**
 * All are read before the first is sent, and all are sent before anything is awaited: in the order
 * of the request, bid before ask, a cancel before what replaces it. The chain has no gaps, so a
 * quote goes out also where its cancel finds nothing.
 */
export async function massQuote(
  { quotes }: z.output<typeof MASS_QUOTE>,
  context: CallContext,
): Promise<MassQuoted> {
  const read = quotes.flatMap(({ instrument_name, label, bid, ask }) => {
    const instrument = instrumentNamed(instrument_name, context);
    const sides = [
      ["bid", bid],
      ["ask", ask],
    ] as const;
    return sides.flatMap(([side, quote]) =>
      quote === undefined ? [] : [readQuote({ instrument, side, label }, quote, context)],
    );
  });
  if (read.length === 0) throw new RpcError("invalid_params", "there is neither bid nor ask.");
  const words = read.reduce((sum, { cancel }) => sum + (cancel === undefined ? 1 : 2), 0);
  // Each costs what it would alone: what is dear is to check its signature.
  context.bucket.charge(CALL_CREDITS * (words - 1));
  const answers = read.map((quote) => sendQuote(quote, context));
  return { quotes: await Promise.all(answers) };
}

function readQuote(
  place: Pick<Quote, "instrument" | "side" | "label">,
  { signed, cancel, ...quote }: QuoteSide,
  context: CallContext,
): Quote {
  const read = readWordOf("place", signed);
  const readable = {
    ...{ ...quote, isSell: place.side === "ask", reduce_only: false },
    time_in_force: "good_til_cancelled",
  } as const;
  assertPlace(read.message, readable, place.instrument, infoOf(context));
  const before = cancel && readWordOf("cancel", cancel.signed);
  if (before !== undefined) assertCancel(before.message, cancel?.order_id ?? "");
  return { ...place, place: read, cancel: before };
}

function sendQuote(quote: Quote, context: CallContext): Promise<Answer> {
  const { instrument, side, label, place, cancel } = quote;
  const { submissions, orders } = context;
  const cancelled = cancel && settled(submissions.submit(cancel.submission));
  const said = { instrument: instrument.name, label };
  const placed = settled(
    submissions.submit(place.submission, (receipt) => {
      orders.place(place.message, receipt, said);
    }),
  );
  return answerOf({ instrument_name: instrument.name, side, label }, cancelled, placed, (done) => {
    return orderShape(orders.place(place.message, done.receipt, said), { info: infoOf(context) });
  });
}

type Settled = { readonly done: Accepted } | { readonly failed: unknown };

function settled(answer: Promise<Accepted>): Promise<Settled> {
  return answer.then(
    (done) => ({ done }),
    (failed: unknown) => ({ failed }),
  );
}

async function answerOf(
  quote: Pick<Answer, "instrument_name" | "side" | "label">,
  cancelled: Promise<Settled> | undefined,
  placed: Promise<Settled>,
  shapeOf: (done: Accepted) => NonNullable<Answer["order"]>,
): Promise<Answer> {
  const [before, after] = [await cancelled, await placed];
  const isCancelled = before && "done" in before && before.done.receipt.outcome === "cancelled";
  return {
    ...quote,
    cancelled: isCancelled ?? null,
    cancel_error: before !== undefined && "failed" in before ? errorOf(before.failed) : null,
    order: "done" in after ? shapeOf(after.done) : null,
    error: "failed" in after ? errorOf(after.failed) : null,
  };
}

function errorOf(error: unknown): NonNullable<Answer["error"]> {
  if (!(error instanceof RpcError)) throw error;
  return rpcErrorObject(error);
}
