/** What the visitor looks at, and what is being made up: the order, the combination. */
import { type OrderFlags, PLAIN_FLAGS } from "../math/orderFlags.ts";
import { createStore } from "./store.ts";

export type Screen = "chain" | "strategy" | "volatility" | "batches";
export type Drawer = "positions" | "orders" | "fills" | "path" | "risk";
/** On a phone one part at a time is seen. */
export type Part = "main" | "book" | "ticket" | "account";
export type Theme = "system" | "dark" | "light";

export interface View {
  readonly screen: Screen;
  readonly drawer: Drawer;
  readonly part: Part;
  readonly instrument: string | undefined;
  /** Unix ms; 0: all. */
  readonly expiry: number | undefined;
  readonly showsGreeks: boolean;
  readonly isSearching: boolean;
  readonly dialog: "connect" | "funds" | "keys" | undefined;
  readonly theme: Theme;
}

const THEME_KEY = "straddle.theme";

function savedTheme(): Theme {
  const text = localStorage.getItem(THEME_KEY);
  return text === "dark" || text === "light" ? text : "system";
}

export const view = createStore<View>({
  ...{ screen: "chain", drawer: "positions", part: "main", instrument: undefined },
  ...{ expiry: undefined, showsGreeks: false, isSearching: false, dialog: undefined },
  theme: savedTheme(),
});

export function applyTheme(): void {
  const { theme } = view.get();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function setTheme(theme: Theme): void {
  localStorage.setItem(THEME_KEY, theme);
  view.patch({ theme });
  applyTheme();
}

export interface Draft extends OrderFlags {
  readonly side: "buy" | "sell";
  readonly amount: string;
  /** What was typed in is the price, or the volatility in percent. */
  readonly unit: "price" | "iv";
  readonly price: string;
  readonly iv: string;
}

export const draft = createStore<Draft>({
  ...{ side: "buy", amount: "1", unit: "price", price: "", iv: "" },
  ...PLAIN_FLAGS,
});

/** A leg of the combination that is being built; `weight` below 0 is sold. */
export interface BuiltLeg {
  readonly instrument: string;
  readonly weight: number;
}

export const legs = createStore<readonly BuiltLeg[]>([]);
export const LEGS_MAX = 8;
const WEIGHT_MAX = 7;

/** One more, or one less; a leg of weight 0 is none. */
export function addLeg(instrument: string, change: number): void {
  const known = legs.get();
  const before = known.find((leg) => leg.instrument === instrument)?.weight ?? 0;
  const weight = Math.max(-WEIGHT_MAX, Math.min(WEIGHT_MAX, before + change));
  const others = known.filter((leg) => leg.instrument !== instrument);
  if (weight === 0) legs.set(others);
  else if (before !== 0) {
    legs.set(known.map((leg) => (leg.instrument === instrument ? { instrument, weight } : leg)));
  } else if (others.length < LEGS_MAX) legs.set([...others, { instrument, weight }]);
}

/** Opens the ticket with an order for the instrument. */
export function prepare(instrument: string, change: Partial<Draft> = {}): void {
  const isOther = view.get().instrument !== instrument;
  view.patch({ instrument });
  draft.patch({
    ...(isOther ? { price: "", iv: "" } : {}),
    // What was set to close a position is not of the next order.
    ...(isOther && draft.get().isReduceOnly ? PLAIN_FLAGS : {}),
    ...change,
  });
}
