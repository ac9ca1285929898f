/** What a command line asks of a bot: every flag with its bounds, in one table. */
import type { ArbitrageSettings } from "./arbitrageur.ts";
import type { LiquidatorSettings } from "./liquidator.ts";
import type { MakerSettings } from "./marketMaker.ts";
import type { TakerSettings } from "./randomTaker.ts";

export const BOT_KINDS = ["maker", "arbitrageur", "taker", "liquidator"] as const;
export type BotKind = (typeof BOT_KINDS)[number];

/** The command line is wrong; the text says what is allowed. */
export class FlagError extends Error {
  override name = "FlagError";
}

interface NumberFlag {
  /** Where the command line has none. */
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly isInteger?: boolean;
  readonly kinds: readonly BotKind[];
  readonly help: string;
}

const LOTS_MAX = 2 ** 20;
const TICKS_MAX = 2 ** 20;
const MAKER = ["maker"] as const;
const HEDGERS = ["maker", "liquidator"] as const;

/** What the venue takes of one account a second (`api/limits.ts`). */
const MESSAGES_PER_SECOND_MAX = 100;

/** A look costs 5,000 to 10,000 of the 100,000 credits that a connection is given each second. */
const INTERVAL_MS_MIN = 100;

export const NUMBER_FLAGS = {
  "interval-ms": {
    ...{ value: 1000, min: INTERVAL_MS_MIN, max: 3_600_000, isInteger: true, kinds: BOT_KINDS },
    help: "between two looks; a fill comes before",
  },
  "position-max": {
    ...{ value: 500, min: 1, max: LOTS_MAX, isInteger: true, kinds: BOT_KINDS },
    help: "lots of one series that are held at most, long or short",
  },
  "loss-max": {
    ...{ value: 5000, min: 0.01, max: 1e9, kinds: BOT_KINDS },
    help: "USDC of equity since the start: at that it cancels all and stops",
  },
  "messages-per-second": {
    ...{ value: 10, min: 0.1, max: MESSAGES_PER_SECOND_MAX, kinds: BOT_KINDS },
    help: "sent at most; the venue takes 100 of an account",
  },
  "backlog-max": {
    ...{ value: 0, min: 0, max: 1000, isInteger: true, kinds: BOT_KINDS },
    help: "sealed batches without a proof at which it waits; 0: it never does",
  },
  lots: {
    ...{ value: 20, min: 1, max: LOTS_MAX, isInteger: true, kinds: BOT_KINDS },
    help: "of one quote, leg, order or takeover at most",
  },
  "messages-max": {
    ...{ value: 40, min: 4, max: 50, isInteger: true, kinds: MAKER },
    help: "cancels and quotes of one turn at most",
  },
  "spread-vol": {
    ...{ value: 1, min: 0, max: 100, kinds: MAKER },
    help: "volatility points of half of the spread",
  },
  "hedge-ppm": {
    ...{ value: 400, min: 0, max: 100_000, kinds: MAKER },
    help: "of the forward for each delta, in the spread: what hedging will cost",
  },
  "ticks-min": {
    ...{ value: 2, min: 1, max: TICKS_MAX, kinds: MAKER },
    help: "half of the spread at least",
  },
  skew: {
    ...{ value: 0.8, min: 0, max: 1, kinds: MAKER },
    help: "half-spreads by which quotes lean against inventory at most",
  },
  "vega-max": {
    ...{ value: 2000, min: 0.01, max: 1e9, kinds: MAKER },
    help: "net vega (USDC for a point) at which they lean as far as they do",
  },
  tolerance: {
    ...{ value: 0.3, min: 0, max: 1, kinds: MAKER },
    help: "half-spreads that a quote may be off before it is replaced",
  },
  "expiry-seconds-min": {
    ...{ value: 300, min: 0, max: 1e8, isInteger: true, kinds: MAKER },
    help: "before its expiry a series is quoted no more",
  },
  "marks-age-ms-max": {
    ...{ value: 60_000, min: 1000, max: 1e9, isInteger: true, kinds: MAKER },
    help: "marks that are older are not quoted on: all quotes are taken back",
  },
  "protect-contracts": {
    ...{ value: 20, min: 0, max: 1e6, kinds: MAKER },
    help: "filled within 5 s: the venue cancels all and takes no quotes for 10 s; 0: never",
  },
  "delta-band": {
    ...{ value: 50, min: 0, max: LOTS_MAX, kinds: HEDGERS },
    help: "lots of net delta that are not hedged",
  },
  "hedge-lots": {
    ...{ value: 100, min: 1, max: LOTS_MAX, isInteger: true, kinds: HEDGERS },
    help: "of one hedge at most",
  },
  "hedge-cost-ppm": {
    ...{ value: 3000, min: 0, max: 1e6, kinds: HEDGERS },
    help: "beyond the forward's mark, fee included, that a hedge may cost",
  },
  "edge-min": {
    ...{ value: 3, min: 0, max: TICKS_MAX, kinds: ["arbitrageur", "liquidator"] },
    help: "ticks for each lot that must be left after fees (and after the way out)",
  },
  "unwind-ticks": {
    ...{ value: 50, min: 0, max: TICKS_MAX, isInteger: true, kinds: ["arbitrageur"] },
    help: "that getting out of a leg may cost when another one was missed",
  },
  "per-minute": {
    ...{ value: 6, min: 0.01, max: 6000, kinds: ["taker"] },
    help: "orders on average, at random times",
  },
  "slippage-ppm": {
    ...{ value: 100_000, min: 0, max: 1e6, kinds: ["taker"] },
    help: "of the mark that it pays beyond it at most, and never less than 10 ticks",
  },
  "patience-seconds": {
    ...{ value: 0, min: 0, max: 512, isInteger: true, kinds: ["liquidator"] },
    help: "since the lock before it takes over",
  },
  "exit-ticks": {
    ...{ value: 20, min: 0, max: TICKS_MAX, kinds: ["liquidator"] },
    help: "beyond the mark, fee included, that trading away may cost for a lot",
  },
} as const satisfies Record<string, NumberFlag>;

export type FlagName = keyof typeof NUMBER_FLAGS;
export type Numbers = Readonly<Record<FlagName, number>>;

/** Values by flag: what is given, else the default. Throws {@link FlagError}. */
export function numbersOf(
  kind: BotKind,
  given: Readonly<Partial<Record<FlagName, string>>>,
): Numbers {
  const entries = Object.entries(NUMBER_FLAGS).map(([name, flag]) => {
    const text = given[name as FlagName];
    if (text === undefined) return [name, flag.value] as const;
    if (!(flag.kinds as readonly BotKind[]).includes(kind)) {
      throw new FlagError(`--${name} is not for \`${kind}\`, but for: ${flag.kinds.join(", ")}.`);
    }
    return [name, numberOf(name, text, flag)] as const;
  });
  return Object.fromEntries(entries) as Record<FlagName, number>;
}

function numberOf(name: string, text: string, { min, max, isInteger = false }: NumberFlag): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!isInteger || Number.isInteger(value))) return value;
  const what = isInteger ? "an integer" : "a number";
  throw new FlagError(`--${name} must be ${what} from ${min} to ${max}. Got \`${text}\`.`);
}

const QUOTED = ["all", "options", "forwards"] as const;

/** Throws {@link FlagError}. */
export function quotedOf(text: string): (typeof QUOTED)[number] {
  const found = QUOTED.find((each) => each === text);
  if (found !== undefined) return found;
  throw new FlagError(`--quotes must be one of ${QUOTED.join(", ")}. Got \`${text}\`.`);
}

function hedgeSettings(numbers: Numbers) {
  return {
    band: numbers["delta-band"],
    lots: numbers["hedge-lots"],
    positionMax: numbers["position-max"],
    costPpmMax: numbers["hedge-cost-ppm"],
  };
}

/** `tickSize` and lots of the venue turn USDC for a point into ticks times lots for 1. */
export function makerSettings(
  numbers: Numbers,
  quotes: MakerSettings["quotes"],
  { tickSize, lotsPerContract }: { readonly tickSize: number; readonly lotsPerContract: number },
): MakerSettings {
  const usdcPerTickLot = tickSize / 1e6 / lotsPerContract;
  return {
    ...{ lots: numbers.lots, positionMax: numbers["position-max"], quotes },
    spreadVol: numbers["spread-vol"] / 100,
    hedgePpm: numbers["hedge-ppm"],
    ticksMin: numbers["ticks-min"],
    vegaMax: (100 * numbers["vega-max"]) / usdcPerTickLot,
    skew: numbers.skew,
    expirySecondsMin: numbers["expiry-seconds-min"],
    marksAgeMsMax: numbers["marks-age-ms-max"],
    tolerance: numbers.tolerance,
    messagesMax: numbers["messages-max"],
    hedge: hedgeSettings(numbers),
  };
}

export function arbitrageSettings(numbers: Numbers): ArbitrageSettings {
  const [edgeMin, unwindTicks] = [numbers["edge-min"], numbers["unwind-ticks"]];
  return { edgeMin, unwindTicks, lots: numbers.lots, positionMax: numbers["position-max"] };
}

const SLIPPAGE_TICKS = 10;

export function takerSettings(numbers: Numbers): TakerSettings {
  return {
    ...{ lots: numbers.lots, positionMax: numbers["position-max"] },
    slippagePpm: numbers["slippage-ppm"],
    slippageTicks: SLIPPAGE_TICKS,
    perMinute: numbers["per-minute"],
  };
}

export function liquidatorSettings(numbers: Numbers): LiquidatorSettings {
  return {
    ...{ lots: numbers.lots, positionMax: numbers["position-max"] },
    edgeMin: numbers["edge-min"],
    patienceSeconds: numbers["patience-seconds"],
    exitTicksMax: numbers["exit-ticks"],
    hedge: hedgeSettings(numbers),
  };
}
