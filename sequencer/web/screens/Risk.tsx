/** What each scenario would do to the account: computed on this machine from signed marks. */

import { USDC } from "../../protocol/usdc.ts";
import { number, signed } from "../math/format.ts";
import { Empty, Loading } from "../parts/State.tsx";
import { risk, riskFault } from "../state/account.ts";
import { useStore } from "../state/store.ts";
import { catalogue } from "../state/venue.ts";
import { liquidation } from "./PreviewTable.tsx";

export function Risk() {
  const report = useStore(risk);
  const fault = useStore(riskFault);
  const { info } = useStore(catalogue);
  if (fault !== undefined)
    return <Empty title="The node's risk report is not valid">{fault}</Empty>;
  if (report === undefined || info === undefined) return <Loading what="the scenarios" />;
  const most = Math.max(...report.scenarios.map(({ pnl }) => Math.abs(pnl)), 1);
  return (
    <div className="risk">
      <p className="note">
        Recomputed here from marks that a quorum of oracles has signed. Liquidation:{" "}
        {liquidation(report.liquidationPrices, info)}.
      </p>
      <table className="list">
        <thead>
          <tr>
            <th scope="col" className="name">
              Scenario
            </th>
            <th scope="col">Profit</th>
            <th scope="col" className="name">
              <span className="hidden">Size</span>
            </th>
            <th scope="col">Initial left</th>
            <th scope="col">Maintenance left</th>
          </tr>
        </thead>
        <tbody>
          {report.scenarios.map((row) => {
            const isWorst = row.scenario === report.worstScenario;
            return (
              <tr key={row.scenario} aria-current={isWorst ? "true" : undefined}>
                <th scope="row" className="name">
                  {row.name}
                  {isWorst ? " (worst)" : ""}
                </th>
                <td className={row.pnl < 0 ? "bad" : row.pnl > 0 ? "good" : undefined}>
                  {signed(row.pnl / USDC, 2)}
                </td>
                <td className="gauge">
                  <i
                    className={row.pnl < 0 ? "loss" : "gain"}
                    style={{ width: `${(50 * Math.abs(row.pnl)) / most}%` }}
                  />
                </td>
                <td>{number(row.initialHeadroom / USDC, 2)}</td>
                <td>{number(row.maintenanceHeadroom / USDC, 2)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
