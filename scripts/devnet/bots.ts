/**
 * The bots of sequencer/bots on a devnet, each on an account and a connection of its own. They make
 * a market that is alive by itself, at rates that the prover can follow: every order is proven, on
 * the cores that everything else runs on.
 */
import {
  BOT_KINDS,
  type BotKind,
  type FlagName,
  numbersOf,
} from "../../sequencer/bots/botSettings.ts";
import { startBot } from "../../sequencer/bots/startBot.ts";
import { openVenueView } from "../../sequencer/bots/venueView.ts";
import { createExchange, type Exchange } from "../../sequencer/client/exchange.ts";
import { createTrader } from "../../sequencer/client/trader.ts";
import { deriveTradingKey } from "../../sequencer/client/tradingKey.ts";
import { CHAIN_ID, type Network } from "./network.ts";
import type { Report } from "./report.ts";
import { type DevnetTrader, keyExpiry, openTrader, type Traders, waitFor } from "./traders.ts";

/** All of them by default; none with `--once` and `--replay`. Throws where that is not possible. */
export function botKindsFor(options: {
  readonly bots?: string | undefined;
  readonly once: boolean;
  readonly replay?: string | undefined;
}): BotKind[] {
  const { bots, once, replay } = options;
  const hasNone = once || replay !== undefined;
  const kinds = botKindsOf(bots ?? (hasNone ? "none" : BOT_KINDS.join(",")));
  if (!hasNone || kinds.length === 0) return kinds;
  throw new Error("--bots goes neither with --once nor with --replay.");
}

function botKindsOf(text: string): BotKind[] {
  if (text === "none") return [];
  const names = text.split(",").map((name) => name.trim());
  return names.map((name) => {
    const kind = BOT_KINDS.find((each) => each === name);
    if (kind !== undefined) return kind;
    const allowed = `none, or some of ${BOT_KINDS.join(", ")} with commas between them`;
    throw new Error(`--bots must be ${allowed}. Got \`${text}\`.`);
  });
}

type Flags = Partial<Record<FlagName, string>>;

/** Takers wait for proofs later than makers do, who would else leave them no room. */
const TAKING: Flags = { "backlog-max": "5" };
const QUOTING: Flags = {
  ...{ "interval-ms": "3000", "messages-max": "8", "messages-per-second": "3" },
  "backlog-max": "3",
};

export interface Planned {
  readonly kind: BotKind;
  readonly name: string;
  readonly quotes?: "all" | "forwards";
  readonly flags: Flags;
}

/**
 * One maker quotes every series, another one the forwards only: the first can hedge with it.
 * At most 3 messages a second of each, and 4 takers' orders a minute.
 */
export const PLANNED: readonly Planned[] = [
  {
    ...{ kind: "maker", name: "maker-1" },
    flags: {
      ...{ "spread-vol": "3", tolerance: "0.8", "position-max": "200", "vega-max": "200" },
      ...{ "delta-band": "30", "hedge-lots": "40", ...QUOTING },
    },
  },
  {
    ...{ kind: "maker", name: "maker-2", quotes: "forwards" },
    flags: {
      ...{ lots: "40", "position-max": "400", "delta-band": "400", tolerance: "0.8" },
      ...QUOTING,
    },
  },
  {
    ...{ kind: "taker", name: "taker-1" },
    flags: { ...TAKING, lots: "10", "position-max": "100", "per-minute": "4" },
  },
  {
    ...{ kind: "arbitrageur", name: "taker-2" },
    flags: {
      ...{ ...TAKING, lots: "10", "position-max": "100", "interval-ms": "5000", "edge-min": "5" },
    },
  },
  {
    ...{ kind: "liquidator", name: "liquidator" },
    flags: { ...TAKING, "interval-ms": "5000", "position-max": "500" },
  },
];

export interface BotsOptions {
  readonly network: Network;
  readonly exchange: Exchange;
  readonly traders: Traders;
  readonly kinds: readonly BotKind[];
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Places of the development accounts: those of the traders, and one more. */
const LIQUIDATOR_INDEX = 4;
const KEY_MS_MAX = 120_000;
/** For words that the venue holds. */
const GUARD_INDEX = 1;

/** Resolves when all have ended, which they do with the signal; rejects where one fails. */
export async function runBots(options: BotsOptions): Promise<void> {
  const { network, exchange, traders, kinds, report, signal } = options;
  const wanted = PLANNED.filter(({ kind }) => kinds.includes(kind));
  const known = [...traders.makers, ...traders.takers];
  // One view of the market for all of them.
  const view = await openVenueView({ exchange, now: Date.now });
  try {
    await Promise.all(
      wanted.map(async (planned) => {
        const { name } = planned;
        const index = LIQUIDATOR_INDEX;
        const found = known.find((trader) => trader.name === name);
        const trader = found ?? (await openTrader({ network, exchange, name, index, signal }));
        await runOne({ ...options, planned, trader, view });
      }),
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    report.say("stopping", String(error));
  } finally {
    view.stop();
  }
}

async function runOne(
  options: BotsOptions & {
    readonly planned: Planned;
    readonly trader: DevnetTrader;
    readonly view: Awaited<ReturnType<typeof openVenueView>>;
  },
): Promise<void> {
  const { network, exchange, planned, report, signal, view } = options;
  const { kind, name, quotes = "all", flags } = planned;
  const { wallet, trader } = options.trader;
  const keyOf = (keyIndex: number) =>
    deriveTradingKey(wallet, {
      ...{ chainId: CHAIN_ID, rollup: network.deployment.rollup, keyIndex },
    });
  const guard = kind === "maker" ? await keyOf(GUARD_INDEX) : undefined;
  if (guard !== undefined) {
    const key = { index: GUARD_INDEX, key: guard.publicKey, expiry: keyExpiry() };
    await options.trader.owner.registerKey(key);
    await waitFor(`the second key of ${name}`, KEY_MS_MAX, signal, async () =>
      exchange.key(trader.account, GUARD_INDEX).catch(() => undefined),
    );
  }
  const { secret } = await keyOf(0);
  const own = createExchange({ url: network.apiUrl });
  try {
    const { account } = trader;
    const node = await createTrader({ node: own, account, keyIndex: 0, key: { secret } });
    const ending = await startBot({
      ...{ kind, quotes, trader: node, view, signal },
      numbers: numbersOf(kind, flags),
      say: (what, line) => report.say(name, `${what} ${line}`),
      ...(guard && { guardKey: { index: GUARD_INDEX, secret: guard.secret } }),
    });
    if (ending !== "stopped") report.say(name, `has ended: ${ending}`);
  } finally {
    own.close();
  }
}
