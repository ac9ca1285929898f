/** Combinations that have a book of their own. */
import { useEffect } from "react";
import { digitsOf, number } from "../math/format.ts";
import { Quote } from "../parts/Quote.tsx";
import { usePart, useStore } from "../state/store.ts";
import { useTicker } from "../state/tickers.ts";
import { catalogue, type Instrument, tickers, watchTickers } from "../state/venue.ts";
import { prepare, view } from "../state/view.ts";
import { Prices } from "./Chain.tsx";

export function ComboTable({ expiry }: { readonly expiry: number | undefined }) {
  const { combos } = useStore(catalogue);
  const shown = combos.filter(
    (each) => expiry === undefined || each.expiration_timestamp === expiry,
  );
  const key = shown.map((each) => each.instrument_name).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the names, by what they are
  useEffect(() => watchTickers(shown.map((each) => each.instrument_name)), [key]);
  if (shown.length === 0) return null;
  return (
    <table className="chain combos">
      <caption>
        <span>Combinations</span> <span>one order, all legs or none</span>
      </caption>
      <thead>
        <tr>
          <th scope="col" className="name">
            Combination
          </th>
          <th scope="col" className="c-size">
            Size
          </th>
          <th scope="col">Bid</th>
          <th scope="col">Ask</th>
          <th scope="col" className="c-size">
            Size
          </th>
          <th scope="col">Mark</th>
          <th scope="col">Legs' bid</th>
          <th scope="col">Legs' ask</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((each) => (
          <ComboRow key={each.instrument_name} instrument={each} />
        ))}
      </tbody>
    </table>
  );
}

function ComboRow({ instrument }: { readonly instrument: Instrument }) {
  const name = instrument.instrument_name;
  const ticker = useTicker(tickers, name);
  const isSelected = usePart(view, (state) => state.instrument === name);
  const digits = digitsOf(instrument.tick_size);
  return (
    <tr aria-current={isSelected ? "true" : undefined}>
      <th scope="row" className="name">
        <button type="button" className="plain" onClick={() => prepare(name)}>
          {name}
        </button>
      </th>
      <Prices {...{ instrument, ticker, digits, isSelected }} />
      <td className="c-mark">
        <Quote value={ticker?.mark_price} digits={digits} />
      </td>
      <td className="dim">{number(ticker?.implied?.bid_price, digits)}</td>
      <td className="dim">{number(ticker?.implied?.ask_price, digits)}</td>
    </tr>
  );
}
