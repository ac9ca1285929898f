/** The node that serves this page: its market, its state, and the connection to it. */
import { createExchange } from "../../client/exchange.ts";
import type { ChannelMessages, Methods } from "../../client/generated/api.ts";
import { createRpcConnection, type RpcConnection } from "../../client/rpcConnection.ts";
import { createStore } from "./store.ts";
import { createTickerBoard } from "./tickers.ts";

export type Instrument = Methods["public/get_instruments"]["result"][number];
export type Info = Methods["straddle/get_info"]["result"];
export type Platform = Methods["public/status"]["result"];

export type LinkState =
  | { readonly phase: "connecting" }
  | { readonly phase: "open" }
  | { readonly phase: "lost"; readonly reason: string; readonly since: number };

export interface Catalogue {
  readonly isLoaded: boolean;
  readonly info: Info | undefined;
  readonly options: readonly Instrument[];
  readonly combos: readonly Instrument[];
  readonly byName: ReadonlyMap<string, Instrument>;
  /** Unix ms, ascending. */
  readonly expiries: readonly number[];
}

const EMPTY: Catalogue = {
  ...{ isLoaded: false, info: undefined, options: [], combos: [], byName: new Map() },
  expiries: [],
};

/** Channels that one connection takes; a further one is opened beyond that. */
const CHANNELS_EACH = 900;
const CATALOGUE_MS = 20_000;
const PLATFORM_MS = 5000;
const FIRST_TRY_MS = 1000;

export const exchange = createExchange({ url: location.origin });
export const rpc: RpcConnection = exchange.rpc;
export const link = createStore<LinkState>({ phase: "connecting" });
export const platform = createStore<Platform | undefined>(undefined);
export const catalogue = createStore<Catalogue>(EMPTY);
export const tickers = createTickerBoard();
/** Price of the underlying in USDC. */
export const spot = createStore<number | null>(null);

let clockOffset = 0;
/** The node's clock: the visitor's may be wrong, and messages have deadlines. */
export const nodeNow = (): number => Math.round(Date.now() + clockOffset);

const pool: { readonly connection: RpcConnection; readonly names: Set<string> }[] = [
  { connection: rpc, names: new Set() },
];

/** Follows tickers until the returned function is called. */
export function watchTickers(names: readonly string[]): () => void {
  const leaves: (() => void)[] = [];
  let isOver = false;
  for (const name of names) {
    const place = placeFor(name);
    place.names.add(name);
    void place.connection
      .subscribe(`ticker.${name}.raw`, (ticker) => tickers.put(ticker))
      .then((leave) => {
        if (isOver) leave();
        else leaves.push(leave);
      })
      // It has expired meanwhile, or the catalogue is older than the market.
      .catch(() => undefined);
  }
  return () => {
    isOver = true;
    for (const leave of leaves) leave();
    for (const { names: held } of pool) for (const name of names) held.delete(name);
  };
}

function placeFor(name: string) {
  const free = pool.find(({ names }) => names.has(name) || names.size < CHANNELS_EACH);
  if (free !== undefined) return free;
  const place = {
    connection: createRpcConnection({ url: location.origin }),
    names: new Set<string>(),
  };
  pool.push(place);
  return place;
}

type Listing = "public/get_instruments" | "straddle/get_tickers";

/** Over HTTP: the answer for a large market is longer than a WebSocket may leave unread. */
async function readAll<M extends Listing>(method: M): Promise<Methods[M]["result"]> {
  const answer = await fetch(`/api/v2/${method}?currency=any&kind=any`);
  const { result } = (await answer.json()) as { result?: Methods[M]["result"] };
  if (result === undefined) throw new Error(`the node has refused \`${method}\``);
  return result;
}

export async function loadCatalogue(): Promise<void> {
  const [info, instruments] = await Promise.all([
    exchange.info() as Promise<Info>,
    readAll("public/get_instruments"),
  ]);
  const live = instruments.filter(({ is_active }) => is_active);
  const known = catalogue.get();
  const ids = (list: readonly Instrument[]) => list.map((each) => each.instrument_id).join();
  if (known.isLoaded && ids([...known.byName.values()]) === ids(live)) return;
  const options = live.filter(({ kind }) => kind === "option");
  const expiries = [...new Set(options.map((each) => each.expiration_timestamp))];
  catalogue.set({
    ...{ isLoaded: true, info, options },
    combos: live.filter(({ kind }) => kind === "option_combo"),
    byName: new Map(live.map((each) => [each.instrument_name, each])),
    expiries: expiries.sort((a, b) => a - b),
  });
}

async function loadAll(): Promise<void> {
  const sent = Date.now();
  const [now, state, list] = await Promise.all([
    rpc.call("public/get_time"),
    rpc.call("public/status"),
    readAll("straddle/get_tickers"),
    loadCatalogue(),
  ]);
  clockOffset = now - (sent + Date.now()) / 2;
  platform.set(state);
  for (const ticker of list) tickers.put(ticker);
  const index = list.find(({ index_price }) => index_price !== null)?.index_price ?? null;
  if (index !== null) spot.set(index);
}

async function follow(): Promise<void> {
  const { info } = catalogue.get();
  const index = `${info?.underlying.toLowerCase()}_usdc`;
  await Promise.all([
    rpc.subscribe("platform_state", () => void refreshPlatform()),
    rpc.subscribe(`deribit_price_index.${index}`, ({ price }: ChannelMessages["priceIndex"]) => {
      if (price !== null) spot.set(price);
    }),
  ]);
}

/** Asks whether the venue trades: a node that has halted answers this, and little else. */
export async function refreshPlatform(): Promise<void> {
  platform.set(await rpc.call("public/status"));
}

/** Connects, and stays connected. */
export function openVenue(): void {
  rpc.on("open", () => link.set({ phase: "open" }));
  rpc.on("closed", ({ reason }) => link.set({ phase: "lost", reason, since: Date.now() }));
  rpc.on("reconnected", () => void loadAll().catch(() => undefined));
  const begin = (): void => {
    loadAll()
      .then(follow)
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        if (!rpc.isOpen) link.set({ phase: "lost", reason, since: Date.now() });
        else refreshPlatform().catch(() => undefined);
        setTimeout(begin, FIRST_TRY_MS);
      });
  };
  begin();
  // Listings follow the market; halts and backlogs are told by no channel.
  const whileOpen = (read: () => Promise<void>, everyMs: number): void => {
    setInterval(() => {
      if (rpc.isOpen) read().catch(() => undefined);
    }, everyMs);
  };
  whileOpen(loadCatalogue, CATALOGUE_MS);
  whileOpen(refreshPlatform, PLATFORM_MS);
}
