/** `straddle auctions` and `straddle takeover`: positions of accounts that are being liquidated. */
import type { Command } from "commander";
import {
  formatPrice,
  formatQuantity,
  formatUsdc,
  parseQuantity,
  parseUsdc,
} from "../market/decimal.ts";
import { findInstrument } from "../market/instrument.ts";
import type { LiquidationInfo } from "../market/liquidation.ts";
import { UsageError } from "./failure.ts";
import { facts, table } from "./output.ts";
import { exitCodeOf, receiptText } from "./receiptText.ts";
import { accountNumber, lockFacts, slotNames } from "./risk.ts";
import type { Run } from "./run.ts";
import type { Market, Session } from "./session.ts";

export function addAuctionCommands(program: Command, run: Run): void {
  program
    .command("auctions")
    .description("accounts in liquidation, and what of them may be taken over for how much")
    .action(run(auctions));
  program
    .command("takeover")
    .description("take a position over from a locked account, at the mark and for a discount")
    .argument("<account>", "the locked account's number")
    .argument("<instrument>", "name such as ETH-20261225-3000-C")
    .argument("<quantity>", "contracts, such as 0.5")
    .argument("<usdc>", "what the locked account is to pay for it, such as 12.5")
    .action(run(takeover));
}

async function auctions({ exchange, info, output }: Session): Promise<void> {
  const [market, { series }, locked] = await Promise.all([
    info(),
    exchange.chain(),
    exchange.liquidations(),
  ]);
  output.result(locked, () => {
    if (locked.length === 0) return "no account is being liquidated";
    const names = slotNames(series, market);
    return locked.map((account) => auctionText(account, names, market)).join("\n\n");
  });
}

function auctionText(locked: LiquidationInfo, names: readonly string[], market: Market): string {
  const { account, lockedSince, lockedFor, equity, maintenance, offers } = locked;
  const head = facts([
    ["account", account],
    ...lockFacts(lockedSince),
    ["for", `${lockedFor} s`],
    ["equity", equity === null ? null : formatUsdc(equity)],
    ["maintenance headroom", maintenance === null ? null : formatUsdc(maintenance)],
  ]);
  if (offers.length === 0) return head;
  const whole = (amount: number) => formatUsdc(Math.floor(amount * market.lotsPerContract));
  const rows = offers.map((offer) => [
    names[offer.slot],
    formatQuantity(offer.position, market),
    formatQuantity(offer.lotsMax, market),
    formatPrice(offer.mark, market),
    whole(offer.amountPerLot),
    whole(offer.amountPerLotMax),
  ]);
  const columns = ["position", "held", "offered", "mark", "pays a contract now", "at most"];
  return `${head}\n${table(columns, rows)}`;
}

async function takeover(
  session: Session,
  [accountText = "", instrument = "", quantityText = "", usdcText = ""]: readonly string[],
): Promise<number> {
  const market = await session.info();
  const from = accountNumber(accountText);
  const lots = parseQuantity(quantityText, market);
  if (lots < 1) throw new UsageError(`\`quantity\` must be above 0. Got \`${quantityText}\`.`);
  const amount = parseUsdc(usdcText);
  if (amount < 0) throw new UsageError(`\`usdc\` must be at least 0. Got \`${usdcText}\`.`);
  const { series } = await session.exchange.chain();
  const { slot } = findInstrument(instrument, market, series);
  const trader = await session.trader();
  const receipt = await trader.takeOver({ from, slot, lots, amount });
  session.output.result(receipt, () => receiptText(receipt, market));
  return exitCodeOf(receipt);
}
