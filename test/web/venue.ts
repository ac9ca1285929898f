/** A node with the terminal, in memory: the real sequencer, a maker, and time that goes on. */
import { readdirSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { mnemonicToAccount } from "viem/accounts";
import { ownPorts } from "../../scripts/ownPorts.ts";
import { buildTerminal } from "../../scripts/terminal.ts";
import { type ApiServer, startApi } from "../../sequencer/api/server.ts";
import { ExchangeError } from "../../sequencer/client/rpcErrors.ts";
import { createTrader, type Trader } from "../../sequencer/client/trader.ts";
import { deriveTradingKey } from "../../sequencer/client/tradingKey.ts";
import { blackPrice } from "../../sequencer/pricing/black76.ts";
import type { SequencerConfig, SequencerPorts } from "../../sequencer/roles/sequencerConfig.ts";
import { signing } from "../unit/client/liveSequencer.ts";
import {
  createTrader as createIdentity,
  createWorld,
  EXPIRY,
  infoOf,
  type TestTrader,
  type World,
} from "../unit/roles/market.ts";
import { silent } from "../unit/roles/ports.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PHRASE = "test test test test test test test test test test test junk";
const ROLLUP = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
const DAY_SECONDS = 86_400;
/** Ticks of 0.1 USDC. */
const SPOT = 21_000;
const STRIKES = [19_000, 20_000, 21_000, 22_000];
const WEEK_STRIKES = [19_000, 21_000, 23_000];
const CASH = 900_000_000_000;
const STEP_MS = 100;
const TRIES_MAX = 600;
/** Prices in ticks; a month of half of the price a year. */
const VOLATILITY = 0.6;

export interface WebVenue {
  readonly world: World;
  readonly url: string;
  /** Ends the node's server, and begins one at the same port. */
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** Nobody proves what is sealed meanwhile. */
  isProverAway: boolean;
  readonly maker: Trader;
  /** Of the development account 0, which the page connects with; and its trading key's secret. */
  readonly account: number;
  readonly secret: bigint;
}

interface PlannedSeries {
  readonly slot: number;
  readonly isCall: boolean;
  readonly strike: number;
  readonly expiry: number;
}

function plannedSeries(): PlannedSeries[] {
  const terms = [
    { isCall: true, strike: 0, expiry: EXPIRY },
    ...STRIKES.flatMap((strike) => [
      { isCall: true, strike, expiry: EXPIRY },
      { isCall: false, strike, expiry: EXPIRY },
    ]),
    ...WEEK_STRIKES.flatMap((strike) => [
      { isCall: true, strike, expiry: EXPIRY + 6 * DAY_SECONDS },
      { isCall: false, strike, expiry: EXPIRY + 6 * DAY_SECONDS },
    ]),
  ];
  return terms.map((each, slot) => ({ slot, ...each }));
}

/** The spread of the calls at 2000 and 2100, and the straddle at 2100. */
function plan(): SequencerConfig["plan"] {
  const series = plannedSeries();
  const slotOf = (strike: number, isCall: boolean): number =>
    series.find((each) => each.strike === strike && each.isCall === isCall)!.slot;
  const plain = series.map(({ slot }) => ({ book: slot, legs: [[slot, 1]] as [number, number][] }));
  const spread: [number, number][] = [
    [slotOf(20_000, true), 1],
    [slotOf(21_000, true), -1],
  ];
  const straddle: [number, number][] = [
    [slotOf(21_000, true), 1],
    [slotOf(21_000, false), 1],
  ];
  const combos = [spread, straddle].map((legs, at) => ({ book: series.length + at, legs }));
  return { series, books: [...plain, ...combos] };
}

function marksAt(seconds: number): number[] {
  return plannedSeries().map(({ isCall, strike, expiry }) => {
    const years = Math.max(0, expiry - seconds) / (365 * DAY_SECONDS);
    const smile = VOLATILITY + 0.4 * ((strike - SPOT) / SPOT) ** 2 * 10;
    const inputs = { isCall, forward: SPOT, strike, yearsToExpiry: years, volatility: smile };
    return Math.max(1, Math.round(blackPrice(inputs)));
  });
}

export interface WebVenueOptions {
  readonly change?: Partial<SequencerConfig>;
  /** In the place of those in memory. */
  readonly real?: Partial<SequencerPorts>;
  /** Where the page may reach layer one. */
  readonly layerOneUrl?: string;
}

/** Resolves when all books have quotes. */
export async function startVenue(
  context: Pick<TestContext, "after">,
  { change = {}, real = {}, layerOneUrl }: WebVenueOptions = {},
): Promise<WebVenue> {
  const folder = await buildTerminal();
  const info = { ...infoOf(), rollup: ROLLUP } as const;
  const config = { plan: plan(), info, certificationWaitMs: 500, ...change };
  const world = await createWorld(config, undefined, real);
  const marks = marksAt(world.clock.now() / 1000);
  world.snapshotOptions = { marks, moves: marks.map((mark) => Math.min(100, mark)) };
  const wallet = mnemonicToAccount(PHRASE);
  const scope = { chainId: info.chainId, rollup: ROLLUP, keyIndex: 0 } as const;
  const { secret } = await deriveTradingKey(wallet, scope);
  const visitor: TestTrader = { ...createIdentity(4), secret, owner: BigInt(wallet.address) };
  const makerIdentity = createIdentity(3);
  for (const identity of [makerIdentity, visitor]) world.open(identity, CASH);
  // A ledger batch has room for a few listings.
  const isListed = async (): Promise<boolean> =>
    (await world.sequencer.service.books()).length === plan().books.length &&
    (await world.sequencer.service.account({ id: visitor.account })) !== null;
  for (let count = 0; count < 200 && !(await isListed()); count++) {
    await world.step(400);
    await world.prove();
  }
  // Orders wait for a snapshot that prices what was listed last.
  for (let count = 0; count < 20; count++) {
    await world.step(400);
    await world.prove();
  }
  const site = { folder, vkeys: verificationKeys(), ...(layerOneUrl && { layerOneUrl }) };
  const [port = 0] = await ownPorts(1);
  const serve = (): Promise<ApiServer> =>
    startApi({
      ...{ service: signing(world.sequencer.service), clock: world.clock, logger: silent },
      ...{ port, site },
    });
  let server = await serve();
  const { url } = server;
  const state = { isProverAway: false };
  const turn = async (): Promise<void> => {
    await world.step(STEP_MS);
    if (!state.isProverAway) await world.prove();
  };
  // A node that has halted takes no step more.
  const pump = setInterval(() => void turn().catch(() => undefined), STEP_MS);
  const maker = await createTrader({
    ...{ node: url, account: 3, keyIndex: 0, key: { secret: makerIdentity.secret } },
    now: () => world.clock.now(),
  });
  context.after(async () => {
    clearInterval(pump);
    maker.close();
    await server.stop();
  });
  await quote(maker, marks);
  return Object.assign(state, {
    ...{ world, url, maker, account: visitor.account, secret },
    stopServer: () => server.stop(),
    startServer: async () => {
      server = await serve();
    },
  });
}

/** Both sides of every book, two levels each. */
async function quote(maker: Trader, marks: readonly number[]): Promise<void> {
  const { books } = plan();
  await Promise.all(
    books.flatMap(({ book, legs }) => {
      const mark = legs.reduce((sum, [slot, weight]) => sum + weight * marks[slot]!, 0);
      const width = Math.max(1, Math.round(mark / 50));
      return [1, 2, 3].flatMap((level) => {
        const lots = 300 * level;
        const bid = Math.max(1, mark - level * width);
        const rest = { book, lots, postOnly: true } as const;
        return [
          patiently(() => maker.place({ ...rest, isSell: false, price: bid })),
          patiently(() => maker.place({ ...rest, isSell: true, price: mark + level * width })),
        ];
      });
    }),
  );
}

/** So many at once may be more than the venue takes before some of them are proven. */
async function patiently<T>(place: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await place();
    } catch (error) {
      const isFull = error instanceof ExchangeError && error.reason === "retry";
      if (!isFull || tries >= TRIES_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
  }
}

/** Of the development keys, where circuits have been built. */
function verificationKeys(): Record<string, string> {
  const keys = path.join(root, "build", "keys");
  const found: Record<string, string> = {};
  for (const circuit of ["trade", "ledger"]) {
    const name = readdirSync(keys).find(
      (file) => file.startsWith(`insecure-dev-${circuit}-tiny-`) && file.endsWith(".vkey.json"),
    );
    if (name !== undefined) found[circuit] = path.join(keys, name);
  }
  return found;
}
