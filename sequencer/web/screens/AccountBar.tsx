/** The account's money in one line. */
import { number, percent } from "../math/format.ts";
import { summary } from "../state/account.ts";
import { useStore } from "../state/store.ts";

export function AccountBar() {
  const figures = useStore(summary);
  if (figures === undefined) return null;
  const { equity, initial_margin, maintenance_margin, available_funds, balance } = figures;
  const usage =
    equity === null || maintenance_margin === null || equity <= 0
      ? null
      : (100 * maintenance_margin) / equity;
  const facts: [string, string][] = [
    ["Equity", number(equity, 2)],
    ["Cash", number(balance, 2)],
    ["Free", number(available_funds, 2)],
    ["Initial", number(initial_margin, 2)],
    ["Maintenance", number(maintenance_margin, 2)],
    ["Used", percent(usage, 0)],
  ];
  return (
    <dl className="inline" aria-label="Account summary, USDC">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      {figures.locked_since === null ? null : <strong className="bad">In liquidation</strong>}
    </dl>
  );
}
