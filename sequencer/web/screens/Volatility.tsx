/** Implied volatilities of the marks: the smile of each expiry, and the surface of all. */
import { lazy, Suspense, useEffect, useState } from "react";
import { expiryLabel, number, percent } from "../math/format.ts";
import { Empty, Loading } from "../parts/State.tsx";
import { useStore } from "../state/store.ts";
import { catalogue, type Instrument, rpc, spot } from "../state/venue.ts";

const LineChart = lazy(async () => ({
  default: (await import("../charts/LineChart.tsx")).LineChart,
}));

const COLOURS = ["--line1", "--line2", "--line3", "--line4", "--line5", "--line6"] as const;

export function Volatility() {
  const { info, options, expiries } = useStore(catalogue);
  const price = useStore(spot);
  const [ivs, setIvs] = useState<ReadonlyMap<string, number>>();
  const underlying = info?.underlying.toLowerCase();
  useEffect(() => {
    if (underlying === undefined) return undefined;
    let leave: (() => void) | undefined;
    let isOver = false;
    const put = (marks: readonly { instrument_name: string; iv: number | null }[]): void => {
      setIvs((known) => {
        const told = marks.flatMap(({ instrument_name, iv }) =>
          iv === null ? [] : [[instrument_name, iv] as const],
        );
        return new Map([...(known ?? []), ...told]);
      });
    };
    rpc.call("straddle/get_mark_prices").then(put, () => put([]));
    rpc.subscribe(`markprice.options.${underlying}_usdc`, put).then(
      (end) => {
        if (isOver) end();
        else leave = end;
      },
      () => undefined,
    );
    return () => {
      isOver = true;
      leave?.();
    };
  }, [underlying]);
  if (ivs === undefined) return <Loading what="volatilities" />;
  const smiles = smilesOf({ options, expiries, ivs, price });
  if (smiles.strikes.length === 0) {
    return <Empty title="No volatilities yet">They are read from the marks of the oracles.</Empty>;
  }
  return (
    <section className="scroll volatility" aria-label="Volatility" tabIndex={-1}>
      <h2>Smile</h2>
      <Suspense fallback={<Loading what="the chart" />}>
        <LineChart
          label="Implied volatility by strike, a line for each expiry"
          x={smiles.strikes}
          lines={smiles.lines.map(({ expiry, values }, at) => ({
            ...{ label: expiryLabel(expiry), colour: COLOURS[at % COLOURS.length]! },
            ...{ values, hasPoints: true },
          }))}
          marks={price === null ? [] : [{ at: price, colour: "--text" }]}
          xText={(value) => number(value, 0)}
          yText={(value) => percent(value, 0)}
        />
      </Suspense>
      <h2>Surface</h2>
      <Surface {...smiles} />
    </section>
  );
}

interface Smiles {
  /** Ascending; values of a line are in their order. */
  readonly strikes: readonly number[];
  readonly lines: readonly {
    readonly expiry: number;
    readonly values: readonly (number | null)[];
  }[];
}

/** Of each strike the option that is out of the money, whose price tells the volatility best. */
function smilesOf({
  options,
  expiries,
  ivs,
  price,
}: {
  readonly options: readonly Instrument[];
  readonly expiries: readonly number[];
  readonly ivs: ReadonlyMap<string, number>;
  readonly price: number | null;
}): Smiles {
  const all = options.filter(({ strike = 0 }) => strike > 0);
  const strikes = [...new Set(all.map(({ strike = 0 }) => strike))].sort((a, b) => a - b);
  const nameOf = new Map(
    all.map(({ expiration_timestamp: expiry, strike, option_type, instrument_name }) => [
      `${expiry}/${strike}/${option_type}`,
      instrument_name,
    ]),
  );
  const find = (expiry: number, strike: number): number | null => {
    const types = price !== null && strike < price ? ["put", "call"] : ["call", "put"];
    const [best, other] = types.map((type) =>
      ivs.get(nameOf.get(`${expiry}/${strike}/${type}`) ?? ""),
    );
    return best ?? other ?? null;
  };
  const lines = expiries
    .map((expiry) => ({ expiry, values: strikes.map((strike) => find(expiry, strike)) }))
    .filter(({ values }) => values.some((value) => value !== null));
  return { strikes, lines };
}

function Surface({ strikes, lines }: Smiles) {
  const values = lines.flatMap((line) => line.values.filter((value) => value !== null));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return (
    <div className="wide">
      <table className="matrix surface">
        <caption>Volatility of the marks by expiry (down) and strike (across)</caption>
        <thead>
          <tr>
            <th scope="col">Expiry \ Strike</th>
            {strikes.map((strike) => (
              <th key={strike} scope="col">
                {number(strike, 0)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ expiry, values: row }) => (
            <tr key={expiry}>
              <th scope="row">{expiryLabel(expiry)}</th>
              {row.map((value, at) => {
                const share = value === null ? 0 : 8 + (37 * (value - low)) / (high - low || 1);
                const heat = `var(--heat) ${Math.round(share)}%`;
                const background = `color-mix(in srgb, ${heat}, transparent)`;
                return (
                  <td key={strikes[at]} style={value === null ? undefined : { background }}>
                    {percent(value)}
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
