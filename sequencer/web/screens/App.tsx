/** The page: bar, screens, the chosen instrument with its ticket, the account below. */
import { lazy, Suspense, useEffect } from "react";
import { Loading } from "../parts/State.tsx";
import { dismiss, notices } from "../state/account.ts";
import { mainExpiry } from "../state/ladder.ts";
import { usePart, useStore } from "../state/store.ts";
import { catalogue, spot } from "../state/venue.ts";
import { type Part, view } from "../state/view.ts";
import { Banner } from "./Banner.tsx";
import { Book } from "./Book.tsx";
import { Chain } from "./Chain.tsx";
import { Connect } from "./Connect.tsx";
import { Drawer } from "./Drawer.tsx";
import { Funds } from "./Funds.tsx";
import { Keys, listenToKeys } from "./Keys.tsx";
import { Search } from "./Search.tsx";
import { Ticket } from "./Ticket.tsx";
import { TopBar } from "./TopBar.tsx";

const Strategy = lazy(async () => ({ default: (await import("./Strategy.tsx")).Strategy }));
const Volatility = lazy(async () => ({ default: (await import("./Volatility.tsx")).Volatility }));
const Batches = lazy(async () => ({ default: (await import("./Batches.tsx")).Batches }));

const PARTS: readonly (readonly [Part, string])[] = [
  ["main", "Market"],
  ["book", "Book"],
  ["ticket", "Trade"],
  ["account", "Account"],
];

export function App() {
  const { screen, part, dialog } = useStore(view);
  useEffect(listenToKeys, []);
  useFirstInstrument();
  return (
    <div className="page" data-part={part}>
      <TopBar />
      <Banner />
      <main className="panel market">
        <Suspense fallback={<Loading what="the screen" />}>
          {screen === "chain" ? <Chain /> : null}
          {screen === "strategy" ? <Strategy /> : null}
          {screen === "volatility" ? <Volatility /> : null}
          {screen === "batches" ? <Batches /> : null}
        </Suspense>
      </main>
      <div className="side">
        <section className="panel book" aria-label="Instrument">
          <Book />
        </section>
        <section className="panel order" aria-label="Order">
          <Ticket />
        </section>
      </div>
      <section className="panel drawer" aria-label="Your account">
        <Drawer />
      </section>
      <nav className="parts" aria-label="Parts of the page">
        {PARTS.map(([key, text]) => (
          <button
            type="button"
            key={key}
            aria-pressed={part === key}
            onClick={() => view.patch({ part: key })}
          >
            {text}
          </button>
        ))}
      </nav>
      <Notices />
      <Search />
      {dialog === "connect" ? <Connect /> : null}
      {dialog === "funds" ? <Funds /> : null}
      {dialog === "keys" ? <Keys /> : null}
    </div>
  );
}

/** The call at the money of the main expiry, so that nothing is empty at the start. */
function useFirstInstrument(): void {
  const { options, expiries } = useStore(catalogue);
  const isKnown = usePart(spot, (price) => price !== null);
  useEffect(() => {
    const { instrument } = view.get();
    if (!isKnown || instrument !== undefined) return;
    const expiry = view.get().expiry ?? mainExpiry(options, expiries);
    const price = spot.get() ?? 0;
    const distance = (strike = 0): number => Math.abs(strike - price);
    const [first] = options
      .filter((each) => each.expiration_timestamp === expiry && each.option_type === "call")
      .sort((a, b) => distance(a.strike) - distance(b.strike));
    if (first !== undefined) view.patch({ instrument: first.instrument_name, expiry });
  }, [options, expiries, isKnown]);
}

/** Fills, refusals and the like: seen in a corner, and read out. */
function Notices() {
  const list = useStore(notices);
  return (
    <div className="notices" role="status" aria-live="polite" aria-label="Notices">
      {list.map(({ id, tone, text }) => (
        <div key={id} className={tone}>
          <span>{text}</span>
          <button type="button" className="plain" aria-label="Dismiss" onClick={() => dismiss(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
