/** The whole way of one trader's money: deposit, order, fill, proof, layer one, and back out. */
import { formatUsdc } from "../../sequencer/market/decimal.ts";
import type { Report } from "./report.ts";
import { type TradedOrder, waitFor } from "./traders.ts";

/** 1e-6 USDC that leave again. */
const WITHDRAWAL = 1_000_000_000;
const STAGE_MS_MAX = 300_000;
const CLAIM_MS_MAX = 60_000;

/** Resolves when layer one has paid. Throws, naming the stage that failed or took too long. */
export async function finishRoundTrip(
  { taker, receipt }: TradedOrder,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { trader, owner, name } = taker;
  const withdrawal = await trader.withdraw(WITHDRAWAL);
  if (withdrawal.outcome !== "executed") {
    throw new Error(`the withdrawal of ${name} was ${withdrawal.outcome}`);
  }
  const amount = `${formatUsdc(WITHDRAWAL)} USDC`;
  report.order(name, `withdraws ${amount}`, withdrawal);
  const before = await owner.tokenBalance();
  for (const { logPosition } of [receipt, withdrawal]) {
    await abortable(
      trader.reached({ logPosition, stage: "anchored", timeoutMs: STAGE_MS_MAX }),
      signal,
    );
  }
  await waitFor("the withdrawal on layer one", CLAIM_MS_MAX, signal, async () =>
    (await owner.pending()) >= WITHDRAWAL ? true : undefined,
  );
  const { transaction } = await owner.claim();
  const paid = (await owner.tokenBalance()) - before;
  if (paid !== WITHDRAWAL) {
    throw new Error(`layer one paid ${formatUsdc(paid)} USDC instead of ${amount}`);
  }
  report.say("paid", `${amount} to ${name} on layer one in ${transaction}`);
}

async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([promise, aborted]);
}
