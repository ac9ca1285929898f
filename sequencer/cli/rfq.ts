/** `straddle rfq`: packages of legs by request for quotes, and books for combinations. */
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type BlockRfq,
  type BlockRfqQuote,
  type LegsTerms,
  type PackageTrader,
  type TradedLeg,
  tradePackages,
} from "../client/packages.ts";
import { UsageError } from "./failure.ts";
import { facts, table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";
import { show } from "./watch.ts";

const LEGS = "INSTRUMENT:QUANTITY, a negative quantity to sell: ETH-20261225-3000-C:-0.5";
const SECONDS_MAX = 300;
/** A quote must end before its request: what passes until it is signed, and clocks that differ. */
const SIGNING_MS = 3000;

export function addRfqCommands(program: Command, run: Run): void {
  const group = program
    .command("rfq")
    .description("packages of legs: ask for quotes, quote, accept; books for combinations")
    .addHelpText(
      "after",
      "\nA quote is a signed order left for a request: the next message of its key ends it, so\n" +
        "quote with another key (--key-index) than you trade with. What is accepted is executed\n" +
        "with the taker's order in one turn, all of it or nothing. What is left of a quote rests.",
    );
  group
    .command("create")
    .description("ask makers for quotes")
    .argument("<legs...>", LEGS)
    .option("--label <text>", "your own name for it", "")
    .option("--makers <accounts>", "only these may see it, such as 3,5")
    .option("--disclosed", "both sides are told who the other is")
    .action(run(create));
  group
    .command("list")
    .description("requests of yours with their quotes, and those that you may quote")
    .addOption(new Option("--state <state>").choices(["open", "filled", "cancelled", "expired"]))
    .option("--quotes", "your own quotes instead")
    .action(run(list));
  group
    .command("watch")
    .description("the same, whenever it changes, until interrupted")
    .action(run((session) => watch(session)));
  terms(group.command("quote").description("leave a signed quote"))
    .option("--all-or-none", "only for the whole amount of the request")
    .option("--seconds <n>", "how long it is good", seconds, SECONDS_MAX)
    .action(run(quote));
  terms(
    group.command("accept").description("take quotes within the price, all of it or nothing"),
  ).action(run(accept));
  group
    .command("cancel")
    .description("end your request, or with --quote take your quote back")
    .argument("<id>", "of the request, or of the quote")
    .option("--quote", "it is a quote's")
    .action(run(cancel));
  group
    .command("combo")
    .description("the book of a combination; opened where there is none")
    .argument("<legs...>", LEGS)
    .action(run(combo));
}

function terms(command: Command): Command {
  return command
    .argument("<request>", "its id, as `straddle rfq list` shows it")
    .argument("<side>", "buy or sell: yours, of the legs as the request has them")
    .argument("<quantity>", "contracts")
    .argument("<price>", "USDC for one contract of the legs together; may be negative");
}

function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= SECONDS_MAX) return value;
  throw new InvalidArgumentError(`It must be an integer from 1 to ${SECONDS_MAX}.`);
}

async function deskOf(session: Session): Promise<PackageTrader> {
  return tradePackages(await session.trader());
}

function parseLegs(texts: readonly string[]): TradedLeg[] {
  return texts.map((text) => {
    const match = /^(.+):(-?)(\d+(?:\.\d+)?)$/.exec(text);
    if (match === null) throw new UsageError(`a leg is ${LEGS}. Got \`${text}\`.`);
    const [, instrument_name = "", sign, amount = ""] = match;
    return { instrument_name, amount, direction: sign === "-" ? "sell" : "buy" };
  });
}

interface CreateOptions {
  readonly label: string;
  readonly makers?: string;
  readonly disclosed?: boolean;
}

async function create(
  session: Session,
  legs: readonly string[],
  { label, makers, disclosed = false }: CreateOptions,
): Promise<void> {
  const options = { label, non_anonymous: disclosed, ...(makers && { makers: makers.split(",") }) };
  const rfq = await (await deskOf(session)).requestQuotes(parseLegs(legs), options);
  session.output.result(rfq, () => rfqText(rfq));
}

interface Listed {
  readonly requests: readonly BlockRfq[];
  readonly quotes: readonly BlockRfqQuote[];
}

async function list(
  session: Session,
  _: readonly string[],
  { state, quotes = false }: { readonly state?: BlockRfq["state"]; readonly quotes?: boolean },
): Promise<void> {
  const desk = await deskOf(session);
  if (quotes) {
    const own = await desk.quotes();
    session.output.result(own, () => quotesText(own));
    return;
  }
  const requests = await desk.requests(state === undefined ? {} : { state });
  session.output.result(requests, () => requestsText(requests));
}

async function watch(session: Session): Promise<void> {
  const desk = await deskOf(session);
  await show<Listed>(session, true, {
    read: async () => ({
      requests: await desk.requests({ state: "open" }),
      quotes: (await desk.quotes()).filter(({ quote_state }) => quote_state === "open"),
    }),
    follow: (touch) => desk.follow({ asked: touch, own: touch, quote: touch }),
    people: ({ requests, quotes }) => `${requestsText(requests)}\n\n${quotesText(quotes)}`,
  });
}

/** Request and terms of a command line. */
async function readTerms(
  desk: PackageTrader,
  [idText = "", side = "", amount = "", price = ""]: readonly string[],
): Promise<{ readonly rfq: BlockRfq; readonly said: LegsTerms }> {
  if (side !== "buy" && side !== "sell") {
    throw new UsageError(`\`side\` must be buy or sell. Got \`${side}\`.`);
  }
  const block_rfq_id = idOf(idText);
  const [rfq] = await desk.requests({ block_rfq_id });
  if (rfq === undefined) throw new UsageError(`there is no request \`${idText}\`.`);
  return { rfq, said: { direction: side, amount, price } };
}

function idOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`an id is a number. Got \`${text}\`.`);
}

async function quote(
  session: Session,
  args: readonly string[],
  options: { readonly allOrNone?: boolean; readonly seconds: number },
): Promise<void> {
  const desk = await deskOf(session);
  const { rfq, said } = await readTerms(desk, args);
  const left = Math.max(1, rfq.expiration_timestamp - Date.now() - SIGNING_MS);
  const made = await desk.quoteRequest(rfq, {
    ...said,
    execution_instruction: options.allOrNone === true ? "all_or_none" : "any_part_of",
    lifetimeMs: Math.min(options.seconds * 1000, left),
  });
  session.output.result(made, () => quotesText([made]));
}

async function accept(session: Session, args: readonly string[]): Promise<void> {
  const desk = await deskOf(session);
  const { rfq, said } = await readTerms(desk, args);
  const done = await desk.acceptQuote(rfq, said);
  session.output.result(done, () => {
    const rows = done.block_trades.flatMap(({ combo_id, trades }) =>
      trades.map(({ direction, amount, price, maker }) => {
        return [combo_id, direction, amount, price, maker ?? "the book"];
      }),
    );
    const { logPosition, batchNumber, outcome } = done.receipt;
    const head = facts([
      ["outcome", outcome],
      ["stage", `sequenced, batch ${batchNumber}, log position ${logPosition}`],
    ]);
    return `${head}\n${table(["combination", "side", "amount", "price", "with"], rows)}`;
  });
}

async function cancel(
  session: Session,
  [idText = ""]: readonly string[],
  { quote: isQuote = false }: { readonly quote?: boolean },
): Promise<void> {
  const desk = await deskOf(session);
  const id = idOf(idText);
  if (isQuote) {
    const ended = await desk.cancelQuote({ block_rfq_quote_id: id });
    session.output.result(ended, () => quotesText([ended]));
    return;
  }
  const ended = await desk.cancelRequest({ block_rfq_id: id });
  session.output.result(ended, () => rfqText(ended));
}

async function combo(session: Session, legs: readonly string[]): Promise<void> {
  const made = await (await deskOf(session)).createCombo(parseLegs(legs));
  session.output.result(made, () =>
    facts([
      ["combination", made.id],
      ["state", made.state],
      ...made.legs.map(({ instrument_name, amount }) => [instrument_name, amount] as const),
    ]),
  );
}

function requestsText(requests: readonly BlockRfq[]): string {
  return requests.length === 0 ? "no requests" : requests.map(rfqText).join("\n\n");
}

function rfqText(rfq: BlockRfq): string {
  const legs = rfq.legs.map(({ instrument_name, ratio, direction }) => {
    return `${direction} ${ratio} ${instrument_name}`;
  });
  const head = facts([
    ["request", rfq.block_rfq_id],
    ["state", `${rfq.state}, yours as ${rfq.role}`],
    ["legs", legs.join(", ")],
    ["amount", rfq.amount],
    ["mark", rfq.mark_price],
    ["until", new Date(rfq.expiration_timestamp).toISOString().slice(11, 19)],
  ]);
  const offers = [...rfq.asks.map(rowOf("sells")), ...rfq.bids.map(rowOf("buys"))];
  const trades = rfq.trades.map(({ direction, amount, price, maker }) => {
    return [direction === "buy" ? "sold" : "bought", price, amount, maker ?? "the book", "-"];
  });
  const rows = [...offers, ...trades];
  if (rows.length === 0) return head;
  return `${head}\n${table(["maker", "price", "amount", "who", "all or none"], rows)}`;
}

function rowOf(side: string) {
  return ({ price, amount, makers, execution_instruction }: BlockRfq["asks"][number]) => {
    const isWhole = execution_instruction === "all_or_none" ? "yes" : "-";
    return [side, price, amount, makers.join(), isWhole];
  };
}

function quotesText(quotes: readonly BlockRfqQuote[]): string {
  if (quotes.length === 0) return "no quotes";
  const rows = quotes.map((each) => [
    each.block_rfq_quote_id,
    each.block_rfq_id,
    each.direction,
    each.amount,
    each.price,
    each.quote_state,
    each.filled_amount,
    each.order_id === null || each.resting_amount === 0 ? "-" : each.order_id,
  ]);
  const columns = ["quote", "request", "side", "amount", "price", "state", "filled", "rests as"];
  return table(columns, rows, 3);
}
