/**
 * A bot's life: look, decide, act, wait; and whatever ends it, no order stays behind. What a node
 * refuses, and a connection that is lost, are told and tried again at the next turn.
 */
import { UncertainError } from "../client/keyChain.ts";
import { ConnectionError, ExchangeError } from "../client/rpcErrors.ts";
import { formatUsdc } from "../market/decimal.ts";
import { type Desk, messageOf } from "./desk.ts";
import type { Guard } from "./guard.ts";
import type { Own, Picture } from "./picture.ts";
import type { VenueView } from "./venueView.ts";

export interface Bot {
  /** One look and what follows from it. */
  turn(picture: Picture, own: Own): Promise<void>;
  /** Milliseconds until the next turn; absent: always the same. */
  wait?(): number;
}

export interface LoopOptions {
  readonly bot: Bot;
  readonly desk: Desk;
  readonly view: VenueView;
  readonly guard?: Guard | undefined;
  readonly signal: AbortSignal;
  readonly intervalMs: number;
  /** Sealed batches without a proof at which it waits; 0: it never does. */
  readonly backlogMax: number;
  /** 1e-6 USDC of equity, since the start: at that the bot stops. */
  readonly lossMax: number;
}

/** `stopped` by its signal, at its loss limit, or because the account is being liquidated. */
export type Ending = "stopped" | "loss" | "locked";

/** Until it looks again whether proofs have come. */
const CONGESTED_MS = 1000;
/** Tries to leave nothing behind, and the pause between two of them. */
const LEAVE_TRIES_MAX = 10;
const LEAVE_PAUSE_MS = 500;

/** Resolves when the bot has stopped and no order of the account is open. Throws for a bug. */
export async function runBot(options: LoopOptions): Promise<Ending> {
  const { desk, signal } = options;
  const news = await desk.trader.follow();
  const wake = createWake(signal);
  news.on("trade", ({ direction, amount, instrument_name, price, liquidity }) => {
    const verb = direction === "buy" ? "bought" : "sold";
    const how = liquidity === "M" ? "as maker" : "as taker";
    desk.say("fill", `${verb} ${amount} ${instrument_name} at ${price} ${how}`);
    // What it took itself it knows already.
    if (liquidity === "M") wake.now();
  });
  try {
    return await turns(options, wake);
  } finally {
    news.stop();
    await leave(options);
  }
}

async function turns(options: LoopOptions, wake: Wake): Promise<Ending> {
  const { bot, desk, view, guard, signal, intervalMs, backlogMax } = options;
  let start: number | undefined;
  let refused = "";
  while (!signal.aborted) {
    let isWaiting = false;
    try {
      await guard?.renew();
      const own = await desk.own();
      if (own.equity !== null) start ??= own.equity;
      const ending = endingOf(own, start, options.lossMax);
      if (ending !== undefined) {
        desk.say("stops", ending === "loss" ? "its loss limit is reached" : "it is liquidated");
        return ending;
      }
      isWaiting = await view.isCongested(backlogMax);
      if (!isWaiting) await bot.turn(await view.read(own.orders), own);
      refused = "";
    } catch (error) {
      if (signal.aborted) break;
      if (!isExpected(error)) throw error;
      // Once, however long it lasts.
      if (messageOf(error) !== refused) desk.say("refused", messageOf(error));
      refused = messageOf(error);
    }
    await wake.after(isWaiting ? CONGESTED_MS : (bot.wait?.() ?? intervalMs));
  }
  return "stopped";
}

/** Why the bot must stop by itself, or undefined. `start`: its equity at first. */
export function endingOf(
  { isLocked, equity }: Pick<Own, "isLocked" | "equity">,
  start: number | undefined,
  lossMax: number,
): Exclude<Ending, "stopped"> | undefined {
  if (isLocked) return "locked";
  if (equity === null || start === undefined) return undefined;
  return start - equity >= lossMax ? "loss" : undefined;
}

/** What a node may say to anybody at any time; everything else is a bug of the bot's. */
function isExpected(error: unknown): boolean {
  return (
    error instanceof ExchangeError ||
    error instanceof ConnectionError ||
    // It may have been sequenced: the next turn reads what there is.
    error instanceof UncertainError
  );
}

/** Voids every order of the account, and looks whether that is so. */
async function leave({ desk, guard }: LoopOptions): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      if ((await desk.own()).orders.length > 0) await desk.trader.cancelAll();
      const { orders, equity } = await desk.own();
      if (orders.length === 0) {
        await guard?.withdraw();
        const worth = equity === null ? "" : `; equity ${formatUsdc(equity)} USDC`;
        desk.say("left", `no open order${worth}`);
        return;
      }
    } catch (error) {
      if (!isExpected(error) || tries >= LEAVE_TRIES_MAX) throw error;
      desk.say("refused", messageOf(error));
    }
    if (tries >= LEAVE_TRIES_MAX) throw new Error("orders may still be open: cancel them by hand.");
    await new Promise((resolve) => setTimeout(resolve, LEAVE_PAUSE_MS));
  }
}

interface Wake {
  now(): void;
  /** Resolves after `ms`, at {@link Wake.now}, or when the signal aborts. */
  after(ms: number): Promise<void>;
}

function createWake(signal: AbortSignal): Wake {
  let resume: (() => void) | undefined;
  let isDue = false;
  const now = (): void => {
    isDue = true;
    resume?.();
  };
  signal.addEventListener("abort", now, { once: true });
  return {
    now,
    async after(ms) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      if (!isDue && !signal.aborted) {
        await new Promise<void>((resolve) => {
          resume = resolve;
          timer = setTimeout(resolve, ms);
        });
      }
      clearTimeout(timer);
      isDue = false;
    },
  };
}
