/** `straddle cancel`: one order by its id, or all of the account's. */
import type { Command } from "commander";
import { UsageError } from "./failure.ts";
import { exitCodeOf, receiptText } from "./receiptText.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

export function addCancelCommand(program: Command, run: Run): void {
  program
    .command("cancel")
    .description("cancel an order, or every order of the account")
    .argument("[order]", "order id: book-side-price-seq, as `straddle positions` shows it")
    .option("--all", "every order")
    .action(run(cancel));
}

async function cancel(
  session: Session,
  [order]: readonly string[],
  { all = false }: { readonly all?: boolean },
): Promise<number> {
  if ((order !== undefined) === all) {
    throw new UsageError("name one order id, or use --all.");
  }
  const market = await session.info();
  const trader = await session.trader();
  const receipt = order === undefined ? await trader.cancelAll() : await trader.cancel(order);
  session.output.result(receipt, () => receiptText(receipt, market));
  return exitCodeOf(receipt);
}
