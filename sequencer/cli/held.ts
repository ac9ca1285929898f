/**
 * `straddle held`: orders that wait, left with the sequencer by a key of their own. Cancel on
 * disconnect is for programs that stay connected: a command is gone as soon as it is done.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  createHeldOrders,
  type Held,
  type HeldOrders,
  type Trigger,
} from "../client/heldOrders.ts";
import type { Quote } from "../client/trader.ts";
import { deriveTradingKey } from "../client/tradingKey.ts";
import { KEYS_PER_ACCOUNT } from "../protocol/constants.ts";
import { UsageError } from "./failure.ts";
import { dateText, table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

interface HeldOptions {
  readonly heldKey: number;
  readonly hours: number;
}

interface TriggerOptions extends HeldOptions {
  readonly at: string;
  readonly index?: boolean;
}

type Leave<O extends HeldOptions> = (
  held: HeldOrders,
  args: readonly string[],
  options: O,
) => Promise<readonly Held[]>;

const HOUR_MS = 3_600_000;
const HOURS_MAX = 24 * 365;
const ORDER = "<side> <instrument> <quantity> <price>";

export function addHeldCommands(program: Command, run: Run): void {
  const group = program
    .command("held")
    .description("orders that wait for a price, a time, or another's fill")
    .addHelpText(
      "after",
      "\nEach purpose takes a key of its own (--held-key), registered by `straddle\n" +
        "--key-index N key --register`: of two words on one key at most one is ever\n" +
        "executed. The sequencer keeps them and may be late; it can change nothing of\n" +
        "them, nor act after --hours.",
    );
  const leaving = <O extends HeldOptions>(name: string, about: string, leave: Leave<O>): Command =>
    withKey(group.command(name).description(about))
      .option("--hours <n>", "how long it may wait", hours, 24)
      .action(
        run(async (session, args, options: O) => {
          const left = await leave(await heldOrders(session, options), args, options);
          session.output.result(left, () => heldTable(left));
        }),
      );
  triggered(
    leaving<TriggerOptions>(`stop ${ORDER}`, "an order at the worse price", (held, args, options) =>
      held.stop(orderOf(args), triggerOf(options)),
    ),
  );
  triggered(
    leaving<TriggerOptions>(`profit ${ORDER}`, "one at the better price", (held, args, options) =>
      held.takeProfit(orderOf(args), triggerOf(options)),
    ),
  );
  leaving<HeldOptions & { readonly shown: string }>(
    `iceberg ${ORDER}`,
    "slices, one after the other",
    (held, args, { shown }) => held.iceberg(orderOf(args), shown),
  ).requiredOption("--shown <quantity>", "contracts of a slice");
  leaving("cancel-at <order> <time>", "cancel an order at a time", (held, args) =>
    held.cancelAt(args[0] ?? "", timeOf(args[1] ?? "")),
  );
  withKey(group.command("list").description("what the key has left")).action(
    run(async (session, _, options: HeldOptions) => {
      const left = await (await heldOrders(session, options)).held();
      session.output.result(left, () => (left.length === 0 ? "nothing waits" : heldTable(left)));
    }),
  );
  withKey(group.command("withdraw").description("take back what the key has left")).action(
    run(async (session, _, options: HeldOptions) => {
      const gone = await (await heldOrders(session, options)).withdraw();
      session.output.result(gone, () => `withdrawn: ${gone.length}`);
    }),
  );
}

function withKey(command: Command): Command {
  return command.option("--held-key <n>", "key that signs it", keyIndex, KEYS_PER_ACCOUNT - 1);
}

function triggered(command: Command): Command {
  return command
    .requiredOption("--at <price>", "price that it waits for, in USDC")
    .addOption(new Option("--index", "of the underlying, not of the instrument's mark"));
}

async function heldOrders(session: Session, options: HeldOptions): Promise<HeldOrders> {
  const { heldKey, hours: given = 1 } = options;
  if (heldKey === session.options.keyIndex) {
    const why = "what a trading key signs withdraws what was left with it";
    throw new UsageError(`\`--held-key\` must be another key than --key-index: ${why}.`);
  }
  const { chainId, rollup } = await session.info();
  const scope = { chainId, rollup, keyIndex: heldKey };
  const { secret } = await deriveTradingKey(await session.wallet(), scope);
  const trader = await session.trader();
  return createHeldOrders({ trader, keyIndex: heldKey, secret, lifetimeMs: given * HOUR_MS });
}

function orderOf([side, instrument = "", amount = "", price = ""]: readonly string[]): Quote {
  if (side !== "buy" && side !== "sell") {
    throw new UsageError(`\`side\` must be buy or sell. Got \`${side}\`.`);
  }
  return { direction: side, instrument_name: instrument, amount, price };
}

function triggerOf({ at, index = false }: TriggerOptions): Trigger {
  return { price: at, of: index ? "index_price" : "mark_price" };
}

function timeOf(text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new UsageError(`\`time\` must be such as 2026-12-24T16:00Z. Got \`${text}\`.`);
}

function hours(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= HOURS_MAX) return value;
  throw new InvalidArgumentError(`It must be above 0 and at most ${HOURS_MAX}.`);
}

function keyIndex(text: string): number {
  const value = Number(text);
  if (/^\d$/.test(text) && value < KEYS_PER_ACCOUNT) return value;
  throw new InvalidArgumentError(`It must be an integer from 0 to ${KEYS_PER_ACCOUNT - 1}.`);
}

function heldTable(left: readonly Held[]): string {
  const rows = left.map(({ held_id, kind, conditions, state, deadline, order }) => {
    const what =
      order === null
        ? kind
        : `${order.direction} ${order.amount} ${order.instrument_name} at ${order.price}`;
    return [
      held_id,
      what,
      conditions.map(conditionText).join(", then "),
      state,
      dateText(deadline / 1000),
    ];
  });
  return table(["held", "what", "waits for", "state", "until"], rows, 5);
}

function conditionText(condition: Held["conditions"][number]): string {
  const { type, is, price, instrument_name, timestamp, order_id } = condition;
  if (is !== undefined) {
    const of = instrument_name ?? "index";
    return `${of} ${is === "at_or_above" ? ">=" : "<="} ${price}`;
  }
  if (timestamp !== undefined) return dateText(timestamp / 1000);
  if (type === "filled") return `fill of ${order_id ?? "the one before"}`;
  return type === "disconnected" ? "the connection's end" : type;
}
