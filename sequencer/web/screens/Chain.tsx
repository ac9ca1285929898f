/** Calls and puts by strike: prices, sizes, marks, volatilities and greeks as they change. */
import { memo, type ReactNode, useEffect, useRef } from "react";
import { digitsOf, expiryLabel, number, percent, remaining } from "../math/format.ts";
import { Choice } from "../parts/Choice.tsx";
import { useNear } from "../parts/near.ts";
import { Quote } from "../parts/Quote.tsx";
import { Empty, Loading } from "../parts/State.tsx";
import { blocksOf, type Ladder, type LadderRow, laddersOf, mainExpiry } from "../state/ladder.ts";
import { usePart, useStore } from "../state/store.ts";
import { type Ticker, useTicker } from "../state/tickers.ts";
import {
  catalogue,
  type Instrument,
  nodeNow,
  spot,
  tickers,
  watchTickers,
} from "../state/venue.ts";
import { addLeg, prepare, view } from "../state/view.ts";
import { ComboTable } from "./ComboTable.tsx";

export function Chain() {
  const { isLoaded, options, expiries } = useStore(catalogue);
  const { expiry, showsGreeks } = useStore(view);
  const shown = expiry ?? mainExpiry(options, expiries);
  const ladders = laddersOf(options, shown === 0 ? expiries : shown === undefined ? [] : [shown]);
  const names = ladders.flatMap(({ rows, forward }) => [
    ...(forward === undefined ? [] : [forward.instrument_name]),
    ...rows.flatMap(({ call, put }) => [call, put].flatMap((each) => each?.instrument_name ?? [])),
  ]);
  const key = names.join();
  const isLong = names.length > WHOLE_MAX;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the names, by what they are
  useEffect(() => watchTickers(names), [key]);
  if (!isLoaded) return <Loading what="the market" />;
  if (expiries.length === 0) {
    return <Empty title="Nothing is listed yet">Series appear here as the venue lists them.</Empty>;
  }
  return (
    <>
      <div className="toolbar">
        <Choice
          label="Expiry"
          className="tabs"
          value={String(shown)}
          options={[
            ...expiries.map((each) => [String(each), expiryLabel(each)] as const),
            ...(expiries.length > 1 ? [["0", "All"] as const] : []),
          ]}
          onChange={(next) => view.patch({ expiry: Number(next) })}
        />
        <label className="switch">
          <input
            type="checkbox"
            checked={showsGreeks}
            onChange={() => view.patch({ showsGreeks: !showsGreeks })}
          />
          All greeks
        </label>
      </div>
      <section className="scroll" aria-label="Option chain" tabIndex={-1}>
        {ladders.map((ladder) => (
          <div className="ladder" key={ladder.expiry} style={sizeOf(ladder)}>
            <LadderTable ladder={ladder} showsGreeks={showsGreeks} isLong={isLong} />
          </div>
        ))}
        <ComboTable expiry={shown === 0 ? undefined : shown} />
      </section>
    </>
  );
}

/** What a ladder takes that is not in sight: the scroll bar need not jump when it comes. */
function sizeOf({ rows }: Ladder): { containIntrinsicHeight: string } {
  return { containIntrinsicHeight: `auto ${HEAD_PX + ROW_PX * rows.length}px` };
}

const HEAD_PX = 74;
const ROW_PX = 25;
/** Instruments up to which every row is rendered: the browser's own search then finds them all. */
const WHOLE_MAX = 300;

const LadderTable = memo(function LadderTable({
  ladder,
  showsGreeks,
  isLong,
}: {
  readonly ladder: Ladder;
  readonly showsGreeks: boolean;
  readonly isLong: boolean;
}) {
  const { expiry, rows, forward } = ladder;
  const money = usePart(spot, (price) => nearestStrike(rows, price));
  const greeks = showsGreeks ? (["Gamma", "Vega", "Theta"] as const) : [];
  const outside = ["OI", ...greeks, "Delta", "IV", "Mark"];
  const calls = [...outside, ...PRICES];
  const puts = [...PRICES, ...outside.toReversed()];
  return (
    <table className="chain" aria-rowcount={isLong ? rows.length + HEAD_ROWS : undefined}>
      <caption>
        <span>{expiryLabel(expiry)}</span> <span>{remaining(expiry - nodeNow())}</span>{" "}
        {forward === undefined ? null : <ForwardPrice instrument={forward} />}
      </caption>
      <thead>
        <tr className="sides">
          <th colSpan={calls.length} scope="colgroup">
            Calls
          </th>
          <td />
          <th colSpan={puts.length} scope="colgroup">
            Puts
          </th>
        </tr>
        <tr>
          {calls.map((name) => (
            <ColumnHead key={name} name={name} />
          ))}
          <th scope="col">Strike</th>
          {puts.map((name) => (
            <ColumnHead key={name} name={name} />
          ))}
        </tr>
      </thead>
      {blocksOf(rows).map((block) => (
        <Block key={block.from} {...block} {...{ money, showsGreeks, isLong }} />
      ))}
    </table>
  );
});

const HEAD_ROWS = 2;

interface BlockProps {
  readonly rows: readonly LadderRow[];
  /** Rows of the ladder before these. */
  readonly from: number;
  readonly money: number | undefined;
  readonly showsGreeks: boolean;
  readonly isLong: boolean;
}

/** Some rows; of a long chain only those in sight, and the selected one, to which keys scroll. */
const Block = memo(function Block({ rows, from, money, showsGreeks, isLong }: BlockProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const isNear = useNear(body, isLong);
  const isSelected = usePart(view, ({ instrument }) =>
    instrument === undefined
      ? false
      : rows.some(
          ({ call, put }) =>
            call?.instrument_name === instrument || put?.instrument_name === instrument,
        ),
  );
  if (!isNear && !isSelected) {
    return (
      <tbody ref={body} aria-hidden="true">
        <tr style={{ height: ROW_PX * rows.length }}>
          <td colSpan={2 * sideColumns(showsGreeks) + 1} className="absent" />
        </tr>
      </tbody>
    );
  }
  return (
    <tbody ref={body}>
      {rows.map((row, at) => (
        <Row
          key={row.strike}
          {...row}
          index={isLong ? HEAD_ROWS + 1 + from + at : undefined}
          isMoney={row.strike === money}
          showsGreeks={showsGreeks}
        />
      ))}
    </tbody>
  );
});

function sideColumns(showsGreeks: boolean): number {
  return showsGreeks ? 11 : 8;
}

/** Two columns are called size: the bid's and the ask's. */
const PRICES = ["Size of bid", "Bid", "Ask", "Size of ask"] as const;

function ColumnHead({ name }: { readonly name: string }) {
  const [shown, ...rest] = name.split(" ");
  return (
    <th scope="col" className={columnClass(shown ?? name)}>
      {shown}
      {rest.length === 0 ? null : <span className="hidden"> {rest.join(" ")}</span>}
    </th>
  );
}

function columnClass(name: string): string {
  return `c-${name.toLowerCase()}`;
}

function nearestStrike(rows: Ladder["rows"], price: number | null): number | undefined {
  if (price === null) return undefined;
  let best: number | undefined;
  for (const { strike } of rows) {
    if (best === undefined || Math.abs(strike - price) < Math.abs(best - price)) best = strike;
  }
  return best;
}

function ForwardPrice({ instrument }: { readonly instrument: Instrument }) {
  const ticker = useTicker(tickers, instrument.instrument_name);
  const digits = digitsOf(instrument.tick_size);
  return (
    <button
      type="button"
      className="plain"
      title={instrument.instrument_name}
      onClick={() => prepare(instrument.instrument_name)}
    >
      Forward {number(ticker?.mark_price, digits)}
    </button>
  );
}

type RowProps = LadderRow & {
  /** Among all rows of its table, where some of them are not there. */
  readonly index: number | undefined;
  readonly isMoney: boolean;
  readonly showsGreeks: boolean;
};

const Row = memo(function Row({ strike, call, put, index, isMoney, showsGreeks }: RowProps) {
  const selected = usePart(view, ({ instrument }) =>
    instrument === undefined
      ? 0
      : instrument === call?.instrument_name
        ? 1
        : instrument === put?.instrument_name
          ? 2
          : 0,
  );
  const price = usePart(spot, (value) => (value === null ? 0 : value > strike ? 1 : 2));
  const digits = digitsOf((call ?? put)!.tick_size);
  return (
    <tr
      className={isMoney ? "atm" : undefined}
      aria-current={selected > 0 ? "true" : undefined}
      aria-rowindex={index}
    >
      <Side
        {...{ instrument: call, isCall: true, digits, showsGreeks }}
        isIn={price === 1}
        isSelected={selected === 1}
      />
      <th scope="row" className="strike">
        {number(strike, strike % 1 === 0 ? 0 : digits)}
      </th>
      <Side
        {...{ instrument: put, isCall: false, digits, showsGreeks }}
        isIn={price === 2}
        isSelected={selected === 2}
      />
    </tr>
  );
});

interface SideProps {
  readonly instrument: Instrument | undefined;
  readonly isCall: boolean;
  readonly digits: number;
  readonly showsGreeks: boolean;
  /** In the money. */
  readonly isIn: boolean;
  readonly isSelected: boolean;
}

function Side({ instrument, isCall, digits, showsGreeks, isIn, isSelected }: SideProps) {
  const ticker = useTicker(tickers, instrument?.instrument_name);
  if (instrument === undefined) {
    return <td colSpan={sideColumns(showsGreeks)} className="absent" />;
  }
  const state = `${isIn ? "in" : ""} ${isSelected ? "selected" : ""}`;
  const select = (): void => prepare(instrument.instrument_name);
  const cells = figures({ ticker, showsGreeks, digits }).map(([name, content]) => (
    // biome-ignore lint/a11y/useKeyWithClickEvents: arrow keys select, and prices are buttons
    <td key={name} className={`${columnClass(name)} ${state}`} onClick={select}>
      {content}
    </td>
  ));
  const prices = <Prices key="prices" {...{ instrument, ticker, digits, isSelected, state }} />;
  return <>{isCall ? [...cells, prices] : [prices, ...cells.reverse()]}</>;
}

interface FigureProps {
  readonly ticker: Ticker | undefined;
  readonly showsGreeks: boolean;
  readonly digits: number;
}

/** From the outside to the prices. */
function figures({ ticker, showsGreeks, digits }: FigureProps): [string, ReactNode][] {
  const greeks = ticker?.greeks;
  return [
    ["OI", number(ticker?.open_interest, 2)],
    ...(showsGreeks
      ? ([
          ["Gamma", number(greeks?.gamma, 5)],
          ["Vega", number(greeks?.vega, 2)],
          ["Theta", number(greeks?.theta, 2)],
        ] as [string, string][])
      : []),
    ["Delta", number(greeks?.delta, 2)],
    ["IV", percent(ticker?.mark_iv)],
    ["Mark", <Quote key="mark" value={ticker?.mark_price} digits={digits} />],
  ];
}

interface PricesProps {
  readonly instrument: Instrument;
  readonly ticker: Ticker | undefined;
  readonly digits: number;
  readonly isSelected: boolean;
  /** Classes of the cells. */
  readonly state?: string;
}

/** Size, bid, ask, size: a price makes an order that takes it, with the right button a leg. */
export function Prices({ instrument, ticker, digits, isSelected, state = "" }: PricesProps) {
  const name = instrument.instrument_name;
  const cell = (side: "buy" | "sell") => {
    const price = side === "buy" ? ticker?.best_ask_price : ticker?.best_bid_price;
    const at = side === "buy" ? "ask" : "bid";
    const text = price === null || price === undefined ? "" : price.toFixed(digits);
    return (
      <td className={`c-${at} ${state}`}>
        <button
          type="button"
          tabIndex={isSelected ? 0 : -1}
          aria-label={`${side === "buy" ? "Buy" : "Sell"} ${name} at the ${at} ${text || "none"}`}
          onClick={() => {
            prepare(name, { side, unit: "price", price: text });
            view.patch({ part: "ticket" });
          }}
          onContextMenu={(event) => {
            event.preventDefault();
            addLeg(name, side === "buy" ? 1 : -1);
          }}
        >
          <Quote value={price} digits={digits} />
        </button>
      </td>
    );
  };
  const size = (price: number | null | undefined, amount: number | undefined) => (
    <td className={`c-size ${state}`}>{price == null ? "" : number(amount, 2)}</td>
  );
  return (
    <>
      {size(ticker?.best_bid_price, ticker?.best_bid_amount)}
      {cell("sell")}
      {cell("buy")}
      {size(ticker?.best_ask_price, ticker?.best_ask_amount)}
    </>
  );
}
