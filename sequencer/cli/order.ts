/** `straddle buy` and `straddle sell`: one limit order. */
import { type Command, Option } from "commander";
import { STAGES, type Stage } from "../exchangeService.ts";
import { parsePrice, parseQuantity } from "../market/decimal.ts";
import type { TimeInForce } from "../protocol/constants.ts";
import { EXIT_CODES, UsageError } from "./failure.ts";
import { previewText } from "./previewText.ts";
import { exitCodeOf, receiptText } from "./receiptText.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

interface OrderOptions {
  readonly tif: TimeInForce;
  readonly postOnly?: boolean;
  readonly reduceOnly?: boolean;
  readonly wait?: Stage;
  readonly dryRun?: boolean;
}

export function addOrderCommands(program: Command, run: Run): void {
  for (const side of ["buy", "sell"] as const) {
    program
      .command(side)
      .description(`${side} at a limit price`)
      .argument("<instrument>", "ETH-20261225-3000-C, ETH-STRD-20261225-3000, or a number")
      .argument("<quantity>", "contracts, such as 0.5")
      .argument("<price>", "USDC for one contract; combinations may have negative ones")
      .addOption(
        new Option("--tif <when>", "time in force").choices(["gtc", "ioc", "fok"]).default("gtc"),
      )
      .option("--post-only", "never take: refused where it would trade at once")
      .option("--reduce-only", "only bring the position nearer to 0 (with ioc or fok)")
      .option("--dry-run", "send nothing: show margin, fee and verdict")
      .addOption(new Option("--wait <stage>", "wait for a stage").choices([...STAGES]))
      .action(run((session, args, options: OrderOptions) => order(session, side, args, options)));
  }
}

async function order(
  session: Session,
  side: "buy" | "sell",
  [instrument = "", quantityText = "", priceText = ""]: readonly string[],
  options: OrderOptions,
): Promise<number> {
  const { tif, postOnly = false, reduceOnly = false } = options;
  assertFlags(tif, postOnly, reduceOnly);
  const market = await session.info();
  const lots = parseQuantity(quantityText, market);
  if (lots < 1) throw new UsageError(`\`quantity\` must be above 0. Got \`${quantityText}\`.`);
  const price = parsePrice(priceText, market);
  const book = await session.bookOf(instrument);
  const trader = await session.trader();
  const isSell = side === "sell";
  const flags = { timeInForce: tif, postOnly, reduceOnly };
  const ticket = { book, isSell, price, lots, ...flags };
  if (options.dryRun === true) {
    const preview = await trader.preview(ticket);
    session.output.result(preview, () => previewText(preview, market));
    return preview.verdict === null ? 0 : EXIT_CODES.noEffect;
  }
  const receipt = await trader.place(ticket);
  if (options.wait !== undefined) {
    await trader.reached({
      logPosition: receipt.logPosition,
      stage: options.wait,
      onStage: ({ stage }) => session.output.progress(`${stage} ...`),
    });
  }
  session.output.result(receipt, () => receiptText(receipt, market));
  return exitCodeOf(receipt);
}

function assertFlags(tif: TimeInForce, postOnly: boolean, reduceOnly: boolean): void {
  if (postOnly && tif !== "gtc") {
    throw new UsageError(`\`--post-only\` goes with --tif gtc only. Got \`${tif}\`.`);
  }
  if (reduceOnly && tif === "gtc") {
    throw new UsageError("`--reduce-only` goes with --tif ioc or fok only. Got `gtc`.");
  }
}
