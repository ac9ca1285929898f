/** A bot of each kind, from its settings, on a trader that is connected. */
import type { Trader } from "../client/trader.ts";
import { createArbitrageur } from "./arbitrageur.ts";
import { type Bot, type Ending, runBot } from "./botLoop.ts";
import {
  arbitrageSettings,
  type BotKind,
  liquidatorSettings,
  makerSettings,
  type Numbers,
  takerSettings,
} from "./botSettings.ts";
import { createDesk, type Desk, type Say } from "./desk.ts";
import { createGuard } from "./guard.ts";
import { createLiquidator } from "./liquidator.ts";
import { createMarketMaker, type MakerSettings } from "./marketMaker.ts";
import type { Chance } from "./randomFlow.ts";
import { createRandomTaker } from "./randomTaker.ts";
import { openVenueView, type VenueView } from "./venueView.ts";

export interface BotOptions {
  readonly kind: BotKind;
  readonly numbers: Numbers;
  readonly quotes?: MakerSettings["quotes"];
  /** Its connection is the bot's own: a session is of one account. */
  readonly trader: Trader;
  /** For words that are held; a maker without it has none. */
  readonly guardKey?: { readonly index: number; readonly secret: bigint } | undefined;
  readonly say: Say;
  readonly signal: AbortSignal;
  /** Shared with other bots; absent: one of its own. */
  readonly view?: VenueView;
  readonly chance?: Chance;
  /** Unix ms: the venue's clock. */
  readonly now?: () => number;
}

/** Seconds within which fills count for protection, and for which it lasts. */
const PROTECTION = { intervalSeconds: 5, frozenSeconds: 10 } as const;

/** Resolves when the bot has ended and no order of its account is open. */
export async function startBot(options: BotOptions): Promise<Ending> {
  const { kind, numbers, trader, say, signal, guardKey, now = Date.now } = options;
  const perSecond = numbers["messages-per-second"];
  const desk = await createDesk({ trader, say, perSecond, now });
  const view = options.view ?? (await openVenueView({ exchange: trader.exchange, now }));
  const guard =
    kind !== "maker" || guardKey === undefined
      ? undefined
      : createGuard({
          ...{ trader, key: guardKey, say, now, ...PROTECTION },
          protectQuantity: numbers["protect-contracts"],
        });
  const bot = await botOf(options, desk);
  const lossMax = numbers["loss-max"] * 1e6;
  const [intervalMs, backlogMax] = [numbers["interval-ms"], numbers["backlog-max"]];
  try {
    return await runBot({ bot, desk, view, guard, signal, intervalMs, backlogMax, lossMax });
  } finally {
    if (options.view === undefined) view.stop();
  }
}

async function botOf(
  { kind, numbers, trader, quotes = "all", chance = Math.random }: BotOptions,
  desk: Desk,
): Promise<Bot> {
  switch (kind) {
    case "maker": {
      const info = await trader.exchange.info();
      return createMarketMaker(desk, makerSettings(numbers, quotes, info));
    }
    case "arbitrageur":
      return createArbitrageur(desk, arbitrageSettings(numbers));
    case "taker":
      return createRandomTaker(desk, takerSettings(numbers), chance);
    case "liquidator":
      return createLiquidator(desk, liquidatorSettings(numbers));
  }
}
