/** The depth of one instrument's book, and its trades. */
import { type RefObject, useEffect, useRef, useState } from "react";
import type { ChannelMessages } from "../../client/generated/api.ts";
import {
  type BookView,
  type Level,
  type LocalBook,
  openLocalBook,
} from "../../client/localBook.ts";
import { clock, digitsOf, expiryLabel, number, percent, remaining } from "../math/format.ts";
import { Empty, Loading } from "../parts/State.tsx";
import { errorText } from "../state/errors.ts";
import { useStore } from "../state/store.ts";
import { useTicker } from "../state/tickers.ts";
import { catalogue, type Instrument, nodeNow, rpc, tickers, watchTickers } from "../state/venue.ts";
import { draft, view } from "../state/view.ts";

/** Heights in pixels: of a level, and of what else stands in the book. */
const LEVEL_PX = 20;
const REST_PX = 74;
const LEVELS_MIN = 4;
const LEVELS_MAX = 20;
const TRADES = 40;

export function Book() {
  const { instrument: name } = useStore(view);
  const { byName } = useStore(catalogue);
  const instrument = name === undefined ? undefined : byName.get(name);
  useEffect(() => (name === undefined ? undefined : watchTickers([name])), [name]);
  if (instrument === undefined) {
    return (
      <Empty title="No instrument chosen">
        Choose one in the chain, or search with <kbd>/</kbd>
      </Empty>
    );
  }
  return (
    <>
      <Headline instrument={instrument} />
      {instrument.book === null ? (
        <Empty title="No book is open">This series is listed, but cannot be traded yet.</Empty>
      ) : (
        <div className="split">
          <Depth key={`d${instrument.instrument_id}`} instrument={instrument} />
          <Trades key={`t${instrument.instrument_id}`} instrument={instrument} />
        </div>
      )}
    </>
  );
}

function Headline({ instrument }: { readonly instrument: Instrument }) {
  const ticker = useTicker(tickers, instrument.instrument_name);
  const digits = digitsOf(instrument.tick_size);
  const facts: [string, string][] = [
    ["Mark", number(ticker?.mark_price, digits)],
    ["IV", percent(ticker?.mark_iv)],
    ["Delta", number(ticker?.greeks?.delta, 3)],
    ["Open interest", number(ticker?.open_interest, 2)],
    ["Volume 24h", number(ticker?.stats.volume, 2)],
    ["Expires", remaining(instrument.expiration_timestamp - nodeNow())],
  ];
  return (
    <header className="headline">
      <h2>{instrument.instrument_name}</h2>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <span className="hidden">{expiryLabel(instrument.expiration_timestamp)}</span>
    </header>
  );
}

interface Watched {
  readonly book: BookView | undefined;
  readonly isLive: boolean;
  readonly fault: string | undefined;
}

function useBook(instrument: Instrument): Watched {
  const [state, setState] = useState<Watched>({ book: undefined, isLive: false, fault: undefined });
  useEffect(() => {
    let isOver = false;
    let local: LocalBook | undefined;
    openLocalBook(rpc, { instrument: instrument.instrument_name, sizes: instrument }).then(
      (book) => {
        if (isOver) return book.stop();
        local = book;
        const show = (): void =>
          setState({ book: book.current(), isLive: book.isLive, fault: undefined });
        for (const event of ["update", "stale"] as const) book.on(event, show);
        book.on("ended", () =>
          setState({ book: book.current(), isLive: false, fault: "The book has closed." }),
        );
        show();
      },
      (error: unknown) => {
        if (!isOver) setState({ book: undefined, isLive: false, fault: errorText(error) });
      },
    );
    return () => {
      isOver = true;
      local?.stop();
    };
  }, [instrument]);
  return state;
}

function Depth({ instrument }: { readonly instrument: Instrument }) {
  const { book, isLive, fault } = useBook(instrument);
  const box = useRef<HTMLElement>(null);
  const count = useLevels(box);
  const ticker = useTicker(tickers, instrument.instrument_name);
  const digits = digitsOf(instrument.tick_size);
  if (book === undefined) {
    return (
      <section ref={box} className="depth" aria-label="Order book">
        {fault === undefined ? <Loading what="the book" /> : <Empty title="No book">{fault}</Empty>}
      </section>
    );
  }
  const asks = book.asks.slice(0, count);
  const bids = book.bids.slice(0, count);
  const most = Math.max(...[...asks, ...bids].map(({ amount }) => amount), 1e-9);
  const [bid, ask] = [bids[0]?.price, asks[0]?.price];
  const spread = bid === undefined || ask === undefined ? undefined : ask - bid;
  const rows = (levels: readonly Level[], side: "bid" | "ask") => {
    const places = Array.from({ length: count - levels.length }, (_, at) => `blank ${at}`);
    const blanks = places.map((place) => (
      <tr key={place} className="blank">
        <td colSpan={3}>&nbsp;</td>
      </tr>
    ));
    let sum = 0;
    const filled = levels.map((level) => {
      sum += level.amount;
      return <LevelRow key={level.price} {...{ level, side, sum, most, digits }} />;
    });
    return side === "ask" ? [...blanks, ...filled.reverse()] : [...filled, ...blanks];
  };
  return (
    <section ref={box} className={isLive ? "depth" : "depth stale"} aria-label="Order book">
      <table>
        <thead>
          <tr>
            <th scope="col">Price</th>
            <th scope="col">Amount</th>
            <th scope="col">Total</th>
          </tr>
        </thead>
        <tbody>{rows(asks, "ask")}</tbody>
        <tbody className="between">
          <tr>
            <td colSpan={3}>
              {isLive ? (
                <>
                  Spread {number(spread, digits)} · Mark {number(ticker?.mark_price, digits)}
                </>
              ) : (
                (fault ?? "Not live: what is shown may be old")
              )}
            </td>
          </tr>
        </tbody>
        <tbody>{rows(bids, "bid")}</tbody>
      </table>
      {ticker?.implied === undefined ? null : (
        <p className="note">
          By the legs' books: bid {number(ticker.implied.bid_price, digits)}, ask{" "}
          {number(ticker.implied.ask_price, digits)}
        </p>
      )}
    </section>
  );
}

/** As many levels of each side as there is room for. */
function useLevels(box: RefObject<HTMLElement | null>): number {
  const [count, setCount] = useState(LEVELS_MIN);
  useEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const watch = new ResizeObserver(() => {
      const room = Math.floor((current.clientHeight - REST_PX) / (2 * LEVEL_PX));
      setCount(Math.max(LEVELS_MIN, Math.min(LEVELS_MAX, room)));
    });
    watch.observe(current);
    return () => watch.disconnect();
  }, [box]);
  return count;
}

function LevelRow({
  level,
  side,
  sum,
  most,
  digits,
}: {
  readonly level: Level;
  readonly side: "bid" | "ask";
  readonly sum: number;
  readonly most: number;
  readonly digits: number;
}) {
  const text = level.price.toFixed(digits);
  return (
    <tr className={side}>
      <td>
        <button
          type="button"
          aria-label={`Use the price ${text}`}
          onClick={() => draft.patch({ unit: "price", price: text })}
        >
          {number(level.price, digits)}
        </button>
        <i className="bar" style={{ width: `${Math.min(100, (100 * level.amount) / most)}%` }} />
      </td>
      <td>{number(level.amount, 2)}</td>
      <td>{number(sum, 2)}</td>
    </tr>
  );
}

type Trade = ChannelMessages["trades"][number];

function Trades({ instrument }: { readonly instrument: Instrument }) {
  const [trades, setTrades] = useState<readonly Trade[]>();
  const name = instrument.instrument_name;
  useEffect(() => {
    let isOver = false;
    let leave: (() => void) | undefined;
    const add = (more: readonly Trade[]): void => {
      setTrades((known = []) => {
        const ids = new Set(known.map(({ trade_id }) => trade_id));
        const news = more.filter(({ trade_id }) => !ids.has(trade_id));
        return [...news, ...known].sort((a, b) => b.trade_seq - a.trade_seq).slice(0, TRADES);
      });
    };
    const read = (): void => {
      rpc
        .call("public/get_last_trades_by_instrument", { instrument_name: name, count: TRADES })
        .then((answer) => isOver || add(answer.trades))
        .catch(() => isOver || add([]));
    };
    rpc
      .subscribe(`trades.${name}.100ms`, add)
      .then((end) => {
        if (isOver) end();
        else leave = end;
        read();
      })
      .catch(() => isOver || add([]));
    const off = rpc.on("reconnected", read);
    return () => {
      isOver = true;
      off();
      leave?.();
    };
  }, [name]);
  const digits = digitsOf(instrument.tick_size);
  if (trades === undefined) return <Loading what="trades" />;
  return (
    <section className="trades" aria-label="Trades">
      <table>
        <thead>
          <tr>
            <th scope="col">Price</th>
            <th scope="col">Amount</th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {trades.map((trade) => (
            <tr key={trade.trade_id} className={trade.direction === "buy" ? "bid" : "ask"}>
              <td>
                <span className="hidden">{trade.direction}</span>
                {number(trade.price, digits)}
              </td>
              <td>{number(trade.amount, 2)}</td>
              <td>{clock(trade.timestamp)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {trades.length === 0 ? <p className="note">No trades yet</p> : null}
    </section>
  );
}
