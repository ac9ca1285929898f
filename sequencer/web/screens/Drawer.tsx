/** What the account has: positions, orders, fills, messages on their way, risk. */
import { lazy, Suspense } from "react";
import type { Order } from "../../client/ownEvents.ts";
import { clock, digitsOf, NONE, number, percent, signed } from "../math/format.ts";
import { changedFlags, PLAIN_FLAGS } from "../math/orderFlags.ts";
import { Choice } from "../parts/Choice.tsx";
import { Empty, Loading } from "../parts/State.tsx";
import { fills, orders, type Position, positions, session } from "../state/account.ts";
import { useStore } from "../state/store.ts";
import { catalogue } from "../state/venue.ts";
import { prepare, view } from "../state/view.ts";
import { AccountBar } from "./AccountBar.tsx";

const Path = lazy(async () => ({ default: (await import("./Path.tsx")).Path }));
const Risk = lazy(async () => ({ default: (await import("./Risk.tsx")).Risk }));

export function Drawer() {
  const { drawer } = useStore(view);
  const { phase } = useStore(session);
  const open = useStore(orders)?.length ?? 0;
  const held = useStore(positions)?.length ?? 0;
  return (
    <>
      <div className="toolbar">
        <Choice
          label="Account"
          className="tabs"
          value={drawer}
          options={[
            ["positions", held > 0 ? `Positions ${held}` : "Positions"],
            ["orders", open > 0 ? `Orders ${open}` : "Orders"],
            ["fills", "Fills"],
            ["path", "Order's way"],
            ["risk", "Scenarios"],
          ]}
          onChange={(next) => view.patch({ drawer: next })}
        />
        <AccountBar />
      </div>
      <section className="scroll" aria-label="Account" tabIndex={-1}>
        {phase === "ready" ? (
          <Suspense fallback={<Loading what="the account" />}>
            {drawer === "positions" ? <Positions /> : null}
            {drawer === "orders" ? <Orders /> : null}
            {drawer === "fills" ? <Fills /> : null}
            {drawer === "path" ? <Path /> : null}
            {drawer === "risk" ? <Risk /> : null}
          </Suspense>
        ) : (
          <Empty title="Not connected">
            <button
              type="button"
              className="plain"
              onClick={() => view.patch({ dialog: "connect" })}
            >
              Connect a wallet
            </button>{" "}
            to see positions, orders and fills.
          </Empty>
        )}
      </section>
    </>
  );
}

function useDigits(): (name: string) => number {
  const { byName } = useStore(catalogue);
  return (name) => digitsOf(byName.get(name)?.tick_size ?? 0.1);
}

function Heads({ names }: { readonly names: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name, at) => (
          <th key={name} scope="col" className={at === 0 ? "name" : undefined}>
            {name === "Action" ? <span className="hidden">{name}</span> : name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

const GREEKS = ["delta", "gamma", "vega", "theta"] as const;
const GREEK_DIGITS = { delta: 3, gamma: 5, vega: 2, theta: 2 } as const;

function Positions() {
  const held = useStore(positions);
  const digits = useDigits();
  if (held === undefined) return <Loading what="positions" />;
  if (held.length === 0) return <Empty title="No positions">What you trade shows up here.</Empty>;
  const sum = (pick: (each: Position) => number | null): number | null =>
    held.reduce<number | null>((total, each) => {
      const value = pick(each);
      return total === null || value === null ? null : total + value;
    }, 0);
  return (
    <table className="list">
      <Heads
        names={[
          "Instrument",
          "Size",
          "Mark",
          "IV",
          "Value",
          "Delta",
          "Gamma",
          "Vega",
          "Theta",
          "Action",
        ]}
      />
      <tbody>
        {held.map((each) => (
          <tr key={each.instrument_name}>
            <th scope="row" className="name">
              <button type="button" className="plain" onClick={() => prepare(each.instrument_name)}>
                {each.instrument_name}
              </button>
            </th>
            <td className={each.size > 0 ? "good" : "bad"}>{signed(each.size, 2)}</td>
            <td>{number(each.mark_price, digits(each.instrument_name))}</td>
            <td>{percent(each.mark_iv)}</td>
            <td>{number(each.value, 2)}</td>
            {GREEKS.map((name) => (
              <td key={name}>{number(each[name], GREEK_DIGITS[name])}</td>
            ))}
            <td>
              <button type="button" onClick={() => closePosition(each)}>
                Close
              </button>
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row" className="name">
            Portfolio
          </th>
          <td />
          <td />
          <td />
          <td>
            {number(
              sum(({ value }) => value),
              2,
            )}
          </td>
          {GREEKS.map((name) => (
            <td key={name}>
              {number(
                sum((each) => each[name]),
                GREEK_DIGITS[name],
              )}
            </td>
          ))}
          <td />
        </tr>
      </tfoot>
    </table>
  );
}

/** Prepares the order that would; the trader sends it. */
function closePosition({ instrument_name, size }: Position): void {
  prepare(instrument_name, {
    ...{ side: size > 0 ? "sell" : "buy", amount: String(Math.abs(size)) },
    ...changedFlags(PLAIN_FLAGS, { isReduceOnly: true }),
  });
  view.patch({ part: "ticket" });
}

async function run(act: "cancelAll" | { readonly cancel: Order }): Promise<void> {
  const actions = await import("../account/session.ts");
  // What it is refused for is told on the page.
  await (act === "cancelAll" ? actions.cancelAll() : actions.cancelOrder(act.cancel)).catch(
    () => undefined,
  );
}

function Orders() {
  const open = useStore(orders);
  const digits = useDigits();
  if (open === undefined) return <Loading what="orders" />;
  if (open.length === 0) return <Empty title="No open orders" />;
  return (
    <table className="list">
      <Heads
        names={["Instrument", "Side", "Amount", "Filled", "Price", "Flags", "Time", "Action"]}
      />
      <tbody>
        {open.map((order) => (
          <tr key={order.order_id}>
            <th scope="row" className="name">
              <button
                type="button"
                className="plain"
                onClick={() => prepare(order.instrument_name)}
              >
                {order.instrument_name}
              </button>
            </th>
            <td className={order.direction === "buy" ? "good" : "bad"}>{order.direction}</td>
            <td>{number(order.amount, 2)}</td>
            <td>{number(order.filled_amount, 2)}</td>
            <td>{number(order.price, digits(order.instrument_name))}</td>
            <td>
              {[
                order.order_state === "untriggered" ? "waits" : "",
                order.post_only ? "post" : "",
                order.reduce_only ? "reduce" : "",
              ]
                .filter(Boolean)
                .join(" ") || NONE}
            </td>
            <td>{clock(order.creation_timestamp)}</td>
            <td>
              <button
                type="button"
                aria-label={`Cancel the order for ${order.instrument_name} at ${order.price}`}
                onClick={() => void run({ cancel: order })}
              >
                Cancel
              </button>
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <td colSpan={8}>
            <button type="button" className="sell" onClick={() => void run("cancelAll")}>
              Cancel all orders
            </button>
          </td>
        </tr>
      </tfoot>
    </table>
  );
}

function Fills() {
  const done = useStore(fills);
  const digits = useDigits();
  if (done === undefined) return <Loading what="fills" />;
  if (done.length === 0) return <Empty title="No fills yet" />;
  return (
    <table className="list">
      <Heads names={["Instrument", "Side", "Amount", "Price", "Fee", "Role", "Batch", "Time"]} />
      <tbody>
        {done.map((fill) => (
          <tr key={`${fill.trade_id}/${fill.order_id}`}>
            <th scope="row" className="name">
              {fill.instrument_name}
            </th>
            <td className={fill.direction === "buy" ? "good" : "bad"}>{fill.direction}</td>
            <td>{number(fill.amount, 2)}</td>
            <td>{number(fill.price, digits(fill.instrument_name))}</td>
            <td>{number(fill.fee, 4)}</td>
            <td>{fill.liquidity === "M" ? "maker" : "taker"}</td>
            <td>{fill.batch_number}</td>
            <td>{clock(fill.timestamp)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
