/** An order before it is sent: money that moves, margin and liquidation price before and after. */
import { worstFee } from "../../engine/fees.ts";
import { USDC } from "../../protocol/usdc.ts";
import { digitsOf, NONE, number } from "../math/format.ts";
import { verdictText } from "../state/errors.ts";
import type { Info, Instrument } from "../state/venue.ts";
import type { Draft } from "../state/view.ts";
import type { Parsed, Previewed } from "./Ticket.tsx";

interface PreviewProps {
  readonly instrument: Instrument;
  readonly info: Info;
  readonly order: Draft;
  readonly parsed: Parsed;
  readonly preview: Previewed;
  readonly hasAccount: boolean;
}

export function PreviewTable({
  instrument,
  info,
  order,
  parsed,
  preview,
  hasAccount,
}: PreviewProps) {
  const terms = "fault" in parsed ? undefined : parsed;
  const { unit } = info.shape;
  const premium = terms && (unit * terms.lots * terms.ticks) / USDC;
  const fee = terms && feeOf(instrument, terms, info);
  const weighed = preview !== undefined && !("fault" in preview) ? preview : undefined;
  const usdc = (amount: number | undefined): string =>
    amount === undefined ? NONE : number(amount / USDC, 2);
  const isPaid = (order.side === "buy") === (premium ?? 0) >= 0;
  const net =
    premium === undefined ? undefined : Math.abs(premium) + (isPaid ? 1 : -1) * (fee ?? 0);
  return (
    <>
      <dl className="facts">
        <div>
          <dt>{isPaid ? "Premium paid" : "Premium received"}</dt>
          <dd>{number(premium === undefined ? undefined : Math.abs(premium), 2)}</dd>
        </div>
        <div>
          <dt>Fee at most</dt>
          <dd>{number(fee, 2)}</dd>
        </div>
        <div className="sum">
          <dt>{isPaid ? "You pay" : "You receive"}</dt>
          <dd>{number(net, 2)} USDC</dd>
        </div>
      </dl>
      <table className="compare">
        <caption className="hidden">The account before and after the order's worst fill</caption>
        <thead>
          <tr>
            <th scope="col">Account</th>
            <th scope="col">before</th>
            <th scope="col">after</th>
          </tr>
        </thead>
        <tbody>
          {(
            [
              ["Equity", "equity"],
              ["Initial margin", "initialMargin"],
              ["Maintenance", "maintenanceMargin"],
              ["Free margin", "initialHeadroom"],
            ] as const
          ).map(([name, key]) => (
            <tr key={key}>
              <th scope="row">{name}</th>
              <td>{usdc(weighed?.before[key])}</td>
              <td className={(weighed?.after[key] ?? 0) < 0 ? "bad" : undefined}>
                {usdc(weighed?.after[key])}
              </td>
            </tr>
          ))}
          <tr>
            <th scope="row">Liquidation at</th>
            <td>{weighed ? liquidation(weighed.before.liquidationPrices, info) : NONE}</td>
            <td>{weighed ? liquidation(weighed.after.liquidationPrices, info) : NONE}</td>
          </tr>
        </tbody>
      </table>
      <Verdict {...{ preview, parsed, hasAccount }} />
    </>
  );
}

function Verdict({
  preview,
  parsed,
  hasAccount,
}: Pick<PreviewProps, "preview" | "parsed" | "hasAccount">) {
  const [text, tone] = verdictOf(preview, parsed, hasAccount);
  return (
    <p className={`verdict ${tone}`} aria-live="polite">
      {text}
    </p>
  );
}

function verdictOf(preview: Previewed, parsed: Parsed, hasAccount: boolean): [string, string] {
  if ("fault" in parsed) return [parsed.fault, ""];
  if (!hasAccount) return ["Margins are shown once you are connected.", ""];
  if (preview === undefined) return ["Asking the venue…", ""];
  if ("fault" in preview) return [preview.fault, "bad"];
  if (preview.verdict !== null) return [`Would be refused. ${verdictText(preview.verdict)}`, "bad"];
  return ["The venue would take this order.", "good"];
}

/** USDC, the most that a fill at the limit may cost. */
function feeOf(
  instrument: Instrument,
  { ticks, lots }: { ticks: number; lots: number },
  info: Info,
): number | undefined {
  const { taker_fee, maker_fee } = instrument;
  if (taker_fee === null || maker_fee === null) return undefined;
  const rate = (fee: number): number => Math.round((fee * USDC) / info.tickSize);
  const fees = { taker: rate(taker_fee), maker: rate(maker_fee) };
  return (info.shape.unit * lots * worstFee(fees, ticks)) / USDC;
}

export function liquidation(
  { down, up }: { readonly down: number | null; readonly up: number | null },
  info: Info,
): string {
  const digits = Math.min(1, digitsOf(info.tickSize / USDC));
  const price = (ticks: number): string => number((ticks * info.tickSize) / USDC, digits);
  if (down === null && up === null) return "none";
  if (down === null) return `above ${price(up!)}`;
  return up === null ? `below ${price(down)}` : `${price(down)} / ${price(up)}`;
}
