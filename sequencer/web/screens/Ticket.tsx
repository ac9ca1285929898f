/** One order: what it costs, what it does to the account, and the venue's answer. */
import { type FormEvent, useEffect, useId, useState } from "react";
import { DecimalError, parsePrice, parseQuantity } from "../../market/decimal.ts";
import type { OrderPreview } from "../../market/orderPreview.ts";
import { timeInForceOf } from "../../market/timeInForce.ts";
import { digitsOf, number, percent } from "../math/format.ts";
import { changedFlags } from "../math/orderFlags.ts";
import { type OptionNow, priceAtVolatility, volatilityAtPrice } from "../math/orderText.ts";
import { Choice } from "../parts/Choice.tsx";
import { Empty } from "../parts/State.tsx";
import { session } from "../state/account.ts";
import { errorText } from "../state/errors.ts";
import { useStore } from "../state/store.ts";
import { type Ticker, useTicker } from "../state/tickers.ts";
import {
  catalogue,
  type Info,
  type Instrument,
  nodeNow,
  refreshPlatform,
  tickers,
} from "../state/venue.ts";
import { type Draft, draft, view } from "../state/view.ts";
import { useStop } from "./Banner.tsx";
import { PreviewTable } from "./PreviewTable.tsx";

export function Ticket() {
  const { instrument: name } = useStore(view);
  const { byName, info } = useStore(catalogue);
  const instrument = name === undefined ? undefined : byName.get(name);
  if (instrument === undefined || info === undefined) {
    return <Empty title="Order ticket">Choose a price in the chain to begin an order.</Empty>;
  }
  return <TicketForm key={instrument.instrument_id} instrument={instrument} info={info} />;
}

interface TicketProps {
  readonly instrument: Instrument;
  readonly info: Info;
}

function TicketForm({ instrument, info }: TicketProps) {
  const order = useStore(draft);
  const account = useStore(session);
  const stop = useStop();
  const ticker = useTicker(tickers, instrument.instrument_name);
  const reasonId = useId();
  const [isSending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const option = optionOf(instrument, ticker);
  const price = priceOf(order, option, info);
  const parsed = parse(order.amount, price, info);
  const preview = usePreview(instrument, order, parsed);
  const verb = order.side === "buy" ? "Buy" : "Sell";
  const { best_bid_price: bid, best_ask_price: ask, mark_price: mark } = ticker ?? {};
  const proposed = (order.side === "buy" ? ask : bid) ?? mark;
  // An empty price is filled once; what the trader takes out of the field stays out.
  // biome-ignore lint/correctness/useExhaustiveDependencies: with the first price that there is
  useEffect(() => {
    if (proposed == null || order.price !== "" || order.unit !== "price") return;
    draft.patch({ price: proposed.toFixed(digitsOf(instrument.tick_size)) });
  }, [proposed == null]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another order, another answer
  useEffect(() => setRefusal(undefined), [order]);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (account.phase !== "ready") return view.patch({ dialog: "connect" });
    if ("fault" in parsed) return setRefusal(parsed.fault);
    setSending(true);
    setRefusal(undefined);
    try {
      const { placeOrder } = await import("../account/session.ts");
      await placeOrder(order.side, {
        ...{
          instrument_name: instrument.instrument_name,
          amount: order.amount,
          price: price ?? "",
        },
        ...{ time_in_force: order.timeInForce, post_only: order.isPostOnly },
        reduce_only: order.isReduceOnly,
      });
    } catch (error) {
      setRefusal(errorText(error));
      // What refused it may be the venue's own state, which no channel tells.
      refreshPlatform().catch(() => undefined);
    } finally {
      setSending(false);
    }
  };
  return (
    <form className={`ticket ${order.side}`} aria-label="Order ticket" onSubmit={submit}>
      <Choice
        label="Side"
        className="sides"
        value={order.side}
        options={[
          ["buy", "Buy"],
          ["sell", "Sell"],
        ]}
        onChange={(side) => draft.patch({ side })}
      />
      <Fields {...{ instrument, info, order, option, ticker, price }} />
      <Flags order={order} />
      <PreviewTable
        {...{ instrument, info, order, parsed, preview, hasAccount: account.phase === "ready" }}
      />
      {refusal === undefined ? null : (
        <p role="alert" className="refusal">
          {refusal}
        </p>
      )}
      {stop === undefined || account.phase !== "ready" ? null : (
        <p className="note warn" id={reasonId}>
          {stop.text}
        </p>
      )}
      <button
        type="submit"
        className="main"
        aria-describedby={stop === undefined ? undefined : reasonId}
        disabled={
          isSending || (account.phase === "ready" && stop !== undefined) || instrument.book === null
        }
      >
        {account.phase !== "ready"
          ? "Connect to trade"
          : isSending
            ? "Sending…"
            : (stop?.title ?? `${verb} ${order.amount || "0"} at ${price ?? "–"}`)}
      </button>
    </form>
  );
}

function optionOf(instrument: Instrument, ticker: Ticker | undefined): OptionNow | undefined {
  const { strike, option_type, expiration_timestamp: expiry } = instrument;
  const forward = ticker?.underlying_price ?? undefined;
  if (!strike || option_type === undefined || forward === undefined) return undefined;
  return { isCall: option_type === "call", strike, expiry, forward, time: nodeNow() };
}

function priceOf(order: Draft, option: OptionNow | undefined, info: Info): string | undefined {
  if (order.unit === "price") return order.price.trim() === "" ? undefined : order.price.trim();
  return option === undefined ? undefined : priceAtVolatility(order.iv, option, info);
}

export type Parsed = { readonly ticks: number; readonly lots: number } | { readonly fault: string };

function parse(amount: string, price: string | undefined, info: Info): Parsed {
  try {
    const lots = parseQuantity(amount, info, "amount");
    if (lots <= 0) return { fault: "The amount must be above 0." };
    if (price === undefined) return { fault: "The order needs a price." };
    return { lots, ticks: parsePrice(price, info) };
  } catch (error) {
    if (error instanceof DecimalError) return { fault: errorText(error) };
    throw error;
  }
}

export type Previewed = OrderPreview | { readonly fault: string } | undefined;

const PAUSE_MS = 300;
const AGAIN_MS = 5000;

/** What the venue would say to the order now; asked for when the typing ends, and then again. */
function usePreview(instrument: Instrument, order: Draft, parsed: Parsed): Previewed {
  const account = useStore(session);
  const [preview, setPreview] = useState<Previewed>();
  const trader = account.phase === "ready" ? account.trader : undefined;
  const { book } = instrument;
  const { side, timeInForce, isPostOnly: postOnly, isReduceOnly: reduceOnly } = order;
  const [lots, price] = "fault" in parsed ? [0, 0] : [parsed.lots, parsed.ticks];
  useEffect(() => {
    if (trader === undefined || book === null || lots === 0) {
      setPreview(undefined);
      return;
    }
    let isOver = false;
    const ask = async (): Promise<void> => {
      const isSell = side === "sell";
      const tif = timeInForceOf(timeInForce);
      const terms = { book, isSell, price, lots, timeInForce: tif, postOnly, reduceOnly };
      try {
        const answer = await trader.preview(terms);
        if (!isOver) setPreview(answer);
      } catch (error) {
        if (!isOver) setPreview({ fault: errorText(error) });
      }
    };
    const first = setTimeout(ask, PAUSE_MS);
    const again = setInterval(ask, AGAIN_MS);
    return () => {
      isOver = true;
      clearTimeout(first);
      clearInterval(again);
    };
  }, [trader, book, lots, price, side, timeInForce, postOnly, reduceOnly]);
  return preview;
}

interface FieldProps extends TicketProps {
  readonly order: Draft;
  readonly option: OptionNow | undefined;
  readonly ticker: Ticker | undefined;
  readonly price: string | undefined;
}

function Fields({ instrument, info, order, option, ticker, price }: FieldProps) {
  const [amountId, priceId] = [useId(), useId()];
  const digits = digitsOf(instrument.tick_size);
  const isIv = order.unit === "iv" && option !== undefined;
  const iv = option === undefined ? undefined : volatilityAtPrice(order.price, option, info);
  const quick: [string, number | null | undefined][] = [
    ["Bid", ticker?.best_bid_price],
    ["Mid", middle(ticker, instrument.tick_size)],
    ["Mark", ticker?.mark_price],
    ["Ask", ticker?.best_ask_price],
  ];
  return (
    <>
      <div className="field">
        <label htmlFor={amountId}>Amount</label>
        <input
          id={amountId}
          inputMode="decimal"
          autoComplete="off"
          value={order.amount}
          onChange={(event) => draft.patch({ amount: event.target.value })}
        />
        <span className="unit">{info.underlying}</span>
      </div>
      <div className="field">
        <label htmlFor={priceId}>{isIv ? "Volatility" : "Price"}</label>
        <input
          id={priceId}
          inputMode="decimal"
          autoComplete="off"
          value={isIv ? order.iv : order.price}
          onChange={(event) =>
            draft.patch(isIv ? { iv: event.target.value } : { price: event.target.value })
          }
        />
        {option === undefined ? (
          <span className="unit">USDC</span>
        ) : (
          <button
            type="button"
            className="unit"
            onClick={() =>
              draft.patch(
                isIv
                  ? { unit: "price", price: price ?? "" }
                  : { unit: "iv", iv: iv === undefined ? "" : iv.toFixed(1) },
              )
            }
          >
            {isIv ? "% IV" : "USDC"} ⇄
            <span className="hidden">
              {isIv ? ", enter a price instead" : ", enter a volatility instead"}
            </span>
          </button>
        )}
      </div>
      <div className="quick">
        {quick.map(([name, value]) => (
          <button
            type="button"
            key={name}
            disabled={value == null}
            onClick={() => draft.patch({ unit: "price", price: value?.toFixed(digits) ?? "" })}
          >
            <span>{name}</span> {number(value, digits)}
          </button>
        ))}
      </div>
      <p className="note">
        {isIv
          ? `Price ${price ?? "–"} USDC at ${order.iv || "–"}% of volatility`
          : option === undefined
            ? " "
            : `Volatility of this price: ${percent(iv)}`}
      </p>
    </>
  );
}

function middle(ticker: Ticker | undefined, tick: number): number | null {
  const [bid, ask] = [ticker?.best_bid_price, ticker?.best_ask_price];
  if (bid == null || ask == null) return null;
  return Math.round((bid + ask) / 2 / tick) * tick;
}

function Flags({ order }: { readonly order: Draft }) {
  const id = useId();
  return (
    <div className="flags">
      <label htmlFor={id} className="hidden">
        Time in force
      </label>
      <select
        id={id}
        value={order.timeInForce}
        onChange={(event) => {
          const timeInForce = event.target.value as Draft["timeInForce"];
          draft.patch(changedFlags(order, { timeInForce }));
        }}
      >
        <option value="good_til_cancelled">Good till cancelled</option>
        <option value="immediate_or_cancel">Immediate or cancel</option>
        <option value="fill_or_kill">Fill or kill</option>
      </select>
      <label className="switch">
        <input
          type="checkbox"
          checked={order.isPostOnly}
          onChange={() => draft.patch(changedFlags(order, { isPostOnly: !order.isPostOnly }))}
        />
        Post only
      </label>
      <label className="switch">
        <input
          type="checkbox"
          checked={order.isReduceOnly}
          onChange={() => draft.patch(changedFlags(order, { isReduceOnly: !order.isReduceOnly }))}
        />
        Reduce only
      </label>
    </div>
  );
}
