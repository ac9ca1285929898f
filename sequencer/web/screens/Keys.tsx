/** The keys that the page knows, and what they do. */
import { flushSync } from "react-dom";
import { Dialog } from "../parts/Dialog.tsx";
import { laddersOf, mainExpiry, neighbour } from "../state/ladder.ts";
import { catalogue, tickers } from "../state/venue.ts";
import { addLeg, draft, type Part, prepare, type Screen, view } from "../state/view.ts";

const HELP: readonly (readonly [string, string])[] = [
  ["/", "search an instrument"],
  ["↑ ↓ ← →", "move in the chain"],
  ["[ ]", "expiry before, expiry after"],
  ["b s", "buy at the ask, sell at the bid"],
  ["+ −", "add a leg, bought or sold"],
  ["1 2 3 4", "chain, strategy, volatility, batches"],
  ["g", "all greeks"],
  ["Esc", "close what is open, leave a field"],
  ["?", "this list"],
];

export function Keys() {
  return (
    <Dialog title="Keys" onClose={() => view.patch({ dialog: undefined })}>
      <dl className="keylist">
        {HELP.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

const SCREENS: Readonly<Record<string, Screen>> = {
  ...{ "1": "chain", "2": "strategy", "3": "volatility", "4": "batches" },
};
const WAYS = {
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
} as const;

/** Whether the key is the field's, not the page's. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest("input, select, textarea, dialog") !== null
  );
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target instanceof HTMLElement) event.target.blur();
  if (isTyping(event.target)) return;
  if (act(event.key)) event.preventDefault();
}

/** Whether the key means something. */
function act(key: string): boolean {
  const { instrument, showsGreeks } = view.get();
  const screen = SCREENS[key];
  if (screen !== undefined) view.patch({ screen, part: "main" });
  else if (key === "/") view.patch({ isSearching: true });
  else if (key === "?") view.patch({ dialog: "keys" });
  else if (key === "g") view.patch({ showsGreeks: !showsGreeks });
  else if (key === "[" || key === "]") turn(key === "[" ? -1 : 1);
  else if (Object.hasOwn(WAYS, key)) return move(WAYS[key as keyof typeof WAYS]);
  else if (instrument === undefined) return false;
  else if (key === "b" || key === "s") order(instrument, key === "b" ? "buy" : "sell");
  else if (key === "+" || key === "=") addLeg(instrument, 1);
  else if (key === "-") addLeg(instrument, -1);
  else return false;
  return true;
}

function move(way: "up" | "down" | "left" | "right"): boolean {
  const { screen, instrument, expiry } = view.get();
  const { options, expiries, byName } = catalogue.get();
  const own = instrument === undefined ? undefined : byName.get(instrument);
  const shown = expiry || own?.expiration_timestamp || mainExpiry(options, expiries);
  if (screen !== "chain" || shown === undefined) return false;
  const [ladder] = laddersOf(options, [shown]);
  const next = ladder && neighbour(ladder, instrument, way);
  if (next === undefined) return true;
  prepare(next.instrument_name);
  requestAnimationFrame(() => {
    document.querySelector(".chain tr[aria-current]")?.scrollIntoView({ block: "nearest" });
  });
  return true;
}

function turn(step: number): void {
  const { expiries } = catalogue.get();
  const at = expiries.indexOf(view.get().expiry ?? expiries[0] ?? 0);
  const expiry = expiries[Math.max(0, Math.min(expiries.length - 1, at + step))];
  if (expiry !== undefined) view.patch({ expiry });
}

function order(instrument: string, side: "buy" | "sell"): void {
  const ticker = tickers.get(instrument);
  const price = side === "buy" ? ticker?.best_ask_price : ticker?.best_bid_price;
  const text = price == null ? draft.get().price : String(price);
  const part: Part = "ticket";
  // At once: the field must have the next key, and a key after that may leave it again.
  flushSync(() => {
    prepare(instrument, { side, unit: "price", price: text });
    view.patch({ part });
  });
  document.querySelector<HTMLInputElement>(".ticket input")?.select();
}

export function listenToKeys(): () => void {
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}
