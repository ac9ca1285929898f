/** Asks makers for quotes of the legs together, and takes one: all legs, or none. */
import { useEffect, useId, useState } from "react";
import type { BlockRfq } from "../../client/packages.ts";
import { clock, digitsOf, number, remaining } from "../math/format.ts";
import { session } from "../state/account.ts";
import { errorText } from "../state/errors.ts";
import { request, type Takeable, takeable } from "../state/quotes.ts";
import { useStore } from "../state/store.ts";
import { catalogue, nodeNow } from "../state/venue.ts";
import { type BuiltLeg, view } from "../state/view.ts";
import { useStop } from "./Banner.tsx";

const STATES = {
  filled: "Taken: the legs are in your positions.",
  cancelled: "Withdrawn.",
  expired: "Expired without a quote that you took.",
} as const;

export function QuoteRequest({ legs }: { readonly legs: readonly BuiltLeg[] }) {
  const { phase } = useStore(session);
  const rfq = useStore(request);
  const stop = useStop();
  const [amount, setAmount] = useState("1");
  const { isBusy, fault, run } = useAct();
  const id = useId();
  const isOpen = rfq?.state === "open";
  const ask = (): void => {
    if (phase !== "ready") view.patch({ dialog: "connect" });
    else run(async () => (await import("../account/quotes.ts")).requestQuotes(legs, amount));
  };
  return (
    <section className="trade quotes" aria-label="Request for quotes">
      <div className="field">
        <label htmlFor={id}>Amount</label>
        <input
          id={id}
          inputMode="decimal"
          value={amount}
          onChange={(event) => setAmount(event.target.value)}
        />
        <button type="button" disabled={isBusy || isOpen || stop !== undefined} onClick={ask}>
          {phase === "ready" ? "Request quotes" : "Connect to request quotes"}
        </button>
      </div>
      {rfq === undefined ? null : <Request rfq={rfq} isBusy={isBusy} run={run} />}
      {fault === undefined ? null : (
        <p role="alert" className="refusal">
          {fault}
        </p>
      )}
    </section>
  );
}

/** One thing at a time, and what it was refused for. */
function useAct() {
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();
  const act = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setFault(undefined);
    try {
      await work();
    } catch (error) {
      setFault(errorText(error));
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, fault, run: (work: () => Promise<void>): void => void act(work) };
}

interface RequestProps {
  readonly rfq: BlockRfq;
  readonly isBusy: boolean;
  readonly run: (work: () => Promise<void>) => void;
}

function Request({ rfq, isBusy, run }: RequestProps) {
  const { info, byName } = useStore(catalogue);
  const now = useNow(rfq.state === "open");
  const digits = digitsOf(byName.get(rfq.legs[0]?.instrument_name ?? "")?.tick_size ?? 0.1);
  const title = `${rfq.amount} ${info?.underlying ?? ""} of ${rfq.legs
    .map(({ direction, ratio, instrument_name }) => {
      return `${direction === "sell" ? "−" : "+"}${ratio} ${instrument_name}`;
    })
    .join(", ")}`;
  if (rfq.state !== "open") {
    return (
      <p className="note" role="status">
        {title}: {STATES[rfq.state]}
      </p>
    );
  }
  const rows = takeable(rfq);
  const take = ({ side, offer }: Takeable): void =>
    run(async () => (await import("../account/quotes.ts")).acceptQuote(rfq, side, offer.price));
  return (
    <>
      <p className="note" role="status">
        {title}:{" "}
        {rows.length > 0
          ? "take one, all of it or nothing."
          : now < rfq.quotes_timestamp
            ? `asked; quotes are shown from ${clock(rfq.quotes_timestamp)} on.`
            : "asked; no quotes yet."}{" "}
        Open for {remainingSeconds(rfq.expiration_timestamp - now)}.
      </p>
      {rows.length === 0 ? null : (
        <table className="list" aria-label="Quotes">
          <tbody>
            {rows.map((row) => (
              <tr key={`${row.side}/${row.offer.price}/${row.offer.makers.join()}`}>
                <td>{number(row.offer.amount, 2)}</td>
                <td>
                  <button
                    type="button"
                    className={row.side}
                    disabled={isBusy || !row.isEnough}
                    onClick={() => take(row)}
                  >
                    {row.side === "buy" ? "Buy" : "Sell"} {rfq.amount} at{" "}
                    {number(row.offer.price, digits)}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <button
        type="button"
        disabled={isBusy}
        onClick={() => run(async () => (await import("../account/quotes.ts")).cancelRequest(rfq))}
      >
        Withdraw the request
      </button>
    </>
  );
}

function remainingSeconds(ms: number): string {
  return ms < 60_000 ? `${Math.max(0, Math.ceil(ms / 1000))} s` : remaining(ms);
}

function useNow(isGoing: boolean): number {
  const [now, setNow] = useState(nodeNow);
  useEffect(() => {
    if (!isGoing) return undefined;
    const timer = setInterval(() => setNow(nodeNow()), 1000);
    return () => clearInterval(timer);
  }, [isGoing]);
  return now;
}
