/** Legs put together: what they cost, and what they pay, now, at expiry and by price. */
import { lazy, Suspense, useEffect, useState } from "react";
import { digitsOf, number, signed } from "../math/format.ts";
import { breakEvens, greeksOf, profitBounds, profitCurve, profitMatrix } from "../math/strategy.ts";
import { Choice } from "../parts/Choice.tsx";
import { Empty, Loading } from "../parts/State.tsx";
import { useStore } from "../state/store.ts";
import { type Built, buildStrategy, type Fill } from "../state/strategy.ts";
import { catalogue, nodeNow, spot, tickers, watchTickers } from "../state/venue.ts";
import { addLeg, type BuiltLeg, legs as legStore, prepare, view } from "../state/view.ts";
import { LegPicker } from "./LegPicker.tsx";
import { QuoteRequest } from "./QuoteRequest.tsx";

const LineChart = lazy(async () => ({
  default: (await import("../charts/LineChart.tsx")).LineChart,
}));

const RANGE = 0.3;

/** Tickers change often; a picture of them need not. */
function useBeat(ms: number): number {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setBeat((count) => count + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return beat;
}

export function Strategy() {
  const legs = useStore(legStore);
  const all = useStore(catalogue);
  const base = useStore(spot);
  const [fill, setFill] = useState<Fill>("market");
  useBeat(1000);
  const key = legs.map(({ instrument }) => instrument).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the names, by what they are
  useEffect(() => watchTickers(legs.map(({ instrument }) => instrument)), [key]);
  if (!all.isLoaded) return <Loading what="the market" />;
  const built = buildStrategy({ legs, catalogue: all, base, fill, tickerOf: tickers.get });
  return (
    <section className="scroll strategy" aria-label="Strategy builder" tabIndex={-1}>
      <div className="legs">
        <LegTable legs={legs} fill={fill} onFill={setFill} built={built} />
        <LegPicker />
        {built === undefined ? null : <Market built={built} />}
        {legs.length < 2 ? null : <QuoteRequest legs={legs} />}
      </div>
      {legs.length === 0 ? (
        <Empty title="No legs yet">
          Add them here, or in the chain: keys <kbd>+</kbd> and <kbd>−</kbd>, or the right mouse
          button on a price.
        </Empty>
      ) : built === undefined || base === null ? (
        <Empty title="Not priced yet">The marks of these legs are not known.</Empty>
      ) : (
        <Payoff built={built} base={base} />
      )}
    </section>
  );
}

interface LegTableProps {
  readonly legs: readonly BuiltLeg[];
  readonly fill: Fill;
  readonly onFill: (fill: Fill) => void;
  readonly built: Built | undefined;
}

function LegTable({ legs, fill, onFill, built }: LegTableProps) {
  const { byName } = useStore(catalogue);
  return (
    <>
      <div className="toolbar">
        <h2>Legs</h2>
        <Choice
          label="Price of the legs"
          value={fill}
          options={[
            ["market", "Bid/ask"],
            ["mid", "Mid"],
            ["mark", "Mark"],
          ]}
          onChange={onFill}
        />
        <button
          type="button"
          className="plain"
          disabled={legs.length === 0}
          onClick={() => legStore.set([])}
        >
          Clear
        </button>
      </div>
      <table className="list">
        <thead>
          <tr>
            <th scope="col" className="name">
              Instrument
            </th>
            <th scope="col">Ratio</th>
            <th scope="col">Price</th>
            <th scope="col">IV</th>
            <th scope="col">
              <span className="hidden">Change</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {legs.map(({ instrument, weight }, at) => {
            const digits = digitsOf(byName.get(instrument)?.tick_size ?? 0.1);
            const leg = built?.legs[at];
            return (
              <tr key={instrument}>
                <th scope="row" className="name">
                  {instrument}
                </th>
                <td className={weight > 0 ? "good" : "bad"}>{signed(weight, 0)}</td>
                <td>{number(built?.prices[at], digits)}</td>
                <td>{number(leg?.volatility === undefined ? null : 100 * leg.volatility, 1)}</td>
                <td className="steps">
                  <button
                    type="button"
                    aria-label={`One more of ${instrument}`}
                    onClick={() => addLeg(instrument, 1)}
                  >
                    +
                  </button>
                  <button
                    type="button"
                    aria-label={`One less of ${instrument}`}
                    onClick={() => addLeg(instrument, -1)}
                  >
                    −
                  </button>
                  <button
                    type="button"
                    aria-label={`Remove ${instrument}`}
                    onClick={() => addLeg(instrument, -weight)}
                  >
                    ✕
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

/** Where the combination can be traded as one. */
function Market({ built }: { readonly built: Built }) {
  const { combo, price } = built;
  const digits = digitsOf(combo?.tick_size ?? 0.1);
  if (built.legs.length < 2) return <p className="note">Two legs make a combination.</p>;
  if (combo === undefined) {
    return (
      <p className="note warn" role="status">
        There is no book of <strong>{built.name}</strong>. Ask for quotes of all legs together, or
        trade them one by one, each by its own order.
      </p>
    );
  }
  const side = built.isReversed ? "sell" : "buy";
  const text = (Math.round(price / combo.tick_size) * combo.tick_size).toFixed(digits);
  return (
    <div className="trade">
      <p className="note" role="status">
        <strong>{combo.instrument_name}</strong> has a book of its own: one order, all legs or none.
      </p>
      <button
        type="button"
        className="main"
        onClick={() => {
          prepare(combo.instrument_name, {
            side,
            unit: "price",
            price: text,
            amount: String(built.size),
          });
          view.patch({ part: "ticket" });
        }}
      >
        {side === "buy" ? "Buy" : "Sell"} {built.size} at {text}
      </button>
    </div>
  );
}

function Payoff({ built, base }: { readonly built: Built; readonly base: number }) {
  const { legs, cost } = built;
  const options = {
    ...{ base, time: nodeNow(), cost },
    ...{ from: base * (1 - RANGE), to: base * (1 + RANGE) },
  };
  const curve = profitCurve(legs, options);
  const bounds = profitBounds(legs, options);
  const greeks = greeksOf(legs, { price: base, base, time: options.time });
  const evens = breakEvens(curve);
  const facts: [string, string][] = [
    [cost >= 0 ? "Net debit" : "Net credit", number(Math.abs(cost), 2)],
    ["Most to gain", signed(bounds.gain, 2)],
    ["Most to lose", signed(bounds.loss, 2)],
    ["Break-even", evens.length === 0 ? "none" : evens.map((price) => number(price, 1)).join(", ")],
    ["Delta", number(greeks.delta, 3)],
    ["Gamma", number(greeks.gamma, 5)],
    ["Vega", number(greeks.vega, 2)],
    ["Theta", number(greeks.theta, 2)],
  ];
  return (
    <div className="payoff">
      <dl className="tiles">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Suspense fallback={<Loading what="the chart" />}>
        <LineChart
          label="Profit by price of the underlying, now and at expiry"
          x={curve.prices}
          lines={[
            { label: "At expiry", colour: "--accent", values: curve.later },
            { label: "Now", colour: "--second", isDashed: true, values: curve.now },
          ]}
          marks={[{ at: base, colour: "--text" }, ...evens.map((at) => ({ at, colour: "--warn" }))]}
          xText={(value) => number(value, 0)}
          yText={(value) => number(value, Math.abs(value) >= 100 ? 0 : 1)}
          hasZero
        />
      </Suspense>
      <MatrixTable built={built} base={base} />
    </div>
  );
}

function MatrixTable({ built, base }: { readonly built: Built; readonly base: number }) {
  const { moves, shifts, profits } = profitMatrix(built.legs, {
    ...{ base, time: nodeNow(), cost: built.cost },
  });
  const most = Math.max(...profits.flat().map(Math.abs), 1e-9);
  return (
    <div className="wide">
      <table className="matrix">
        <caption>Profit now, by move of the price (across) and of volatilities (down)</caption>
        <thead>
          <tr>
            <th scope="col">Vol \ Price</th>
            {moves.map((move) => (
              <th key={move} scope="col">
                {move === 0 ? "0%" : `${signed(100 * move, 0)}%`}
                <small>{number(base * (1 + move), 0)}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shifts.map((shift, row) => (
            <tr key={shift}>
              <th scope="row">{shift === 0 ? "0%" : `${signed(100 * shift, 0)}%`}</th>
              {profits[row]!.map((profit, column) => {
                const tone = profit >= 0 ? "var(--gain)" : "var(--loss)";
                const share = Math.round((55 * Math.abs(profit)) / most);
                const background = `color-mix(in srgb, ${tone} ${share}%, transparent)`;
                return (
                  <td key={moves[column]} style={{ background }}>
                    {signed(profit, Math.abs(profit) >= 1000 ? 0 : 1)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
