/** How far this page's messages have come: sequenced, certified, proven, anchored. */

import { hasReached } from "../../client/stages.ts";
import { STAGES } from "../../exchangeService.ts";
import { clock, shortHex } from "../math/format.ts";
import { Empty } from "../parts/State.tsx";
import { sent } from "../state/account.ts";
import { outcomeText } from "../state/errors.ts";
import { useStore } from "../state/store.ts";
import { view } from "../state/view.ts";

const MEANINGS = {
  sequenced: "executed and durable in the log; the receipt's signature was checked here",
  certified: "two thirds of the validators have executed it and agreed",
  proven: "a Groth16 proof of its batch exists and validators have verified it",
  anchored: "the base chain holds the root after it",
} as const;

export function Path() {
  const messages = useStore(sent);
  if (messages.length === 0) {
    return (
      <Empty title="Nothing sent yet">
        Each order's way is shown here: sequenced, certified, proven, anchored.
      </Empty>
    );
  }
  return (
    <ol className="path">
      {messages.map(({ what, receipt, stage }) => {
        const reached = stage?.stage ?? "sequenced";
        return (
          <li key={receipt.logPosition}>
            <div>
              <strong>{what}</strong>
              <span className="dim">
                {clock(receipt.time)} · {outcomeText(receipt.outcome)}
              </span>
            </div>
            <ol className="steps" aria-label={`Stages of ${what}`}>
              {STAGES.map((name) => {
                const isDone = hasReached(reached, name);
                return (
                  <li key={name} className={isDone ? "done" : undefined} title={MEANINGS[name]}>
                    {isDone ? "✓" : "○"} {name}
                    <span className="hidden">{isDone ? ", reached" : ", not yet"}</span>
                  </li>
                );
              })}
            </ol>
            <div className="dim">
              Log {receipt.logPosition} · batch{" "}
              <button
                type="button"
                className="plain"
                onClick={() => view.patch({ screen: "batches" })}
              >
                {stage?.batchNumber ?? receipt.batchNumber}
              </button>{" "}
              · receipt <code title={receipt.logHash}>{shortHex(receipt.logHash)}</code> verified
              {stage?.transaction == null ? null : (
                <>
                  {" "}
                  · transaction <code title={stage.transaction}>{shortHex(stage.transaction)}</code>
                </>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
