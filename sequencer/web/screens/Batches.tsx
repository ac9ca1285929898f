/** Sealed batches, and a proof of one checked on this machine. */
import { useEffect, useState } from "react";
import type { ChannelMessages } from "../../client/generated/api.ts";
import { clock, shortHex } from "../math/format.ts";
import { Empty, Loading } from "../parts/State.tsx";
import type { Check } from "../proof/batch.ts";
import { errorText } from "../state/errors.ts";
import { useStore } from "../state/store.ts";
import { catalogue, rpc } from "../state/venue.ts";

type Batch = ChannelMessages["batches"];

const ROWS = 50;

export function Batches() {
  const [batches, setBatches] = useState<readonly Batch[]>();
  const [chosen, setChosen] = useState<number>();
  useEffect(() => {
    let leave: (() => void) | undefined;
    let isOver = false;
    const put = (more: readonly Batch[]): void => {
      setBatches((known = []) => {
        const all = new Map([...known, ...more].map((each) => [each.number, each]));
        return [...all.values()].sort((a, b) => b.number - a.number).slice(0, ROWS);
      });
    };
    const read = (): void => {
      rpc.call("straddle/get_batches", { count: ROWS }).then(put, () => put([]));
    };
    read();
    rpc
      .subscribe("straddle.batches", (batch) => put([batch]))
      .then(
        (end) => {
          if (isOver) end();
          else leave = end;
        },
        () => undefined,
      );
    const off = rpc.on("reconnected", read);
    return () => {
      isOver = true;
      off();
      leave?.();
    };
  }, []);
  if (batches === undefined) return <Loading what="batches" />;
  if (batches.length === 0)
    return <Empty title="No batches yet">The first one is being filled.</Empty>;
  return (
    <section className="scroll batches" aria-label="Batches" tabIndex={-1}>
      <table className="list">
        <thead>
          <tr>
            <th scope="col">Batch</th>
            <th scope="col" className="name">
              Kind
            </th>
            <th scope="col" className="name">
              Stage
            </th>
            <th scope="col">Attestations</th>
            <th scope="col" className="name">
              Root after
            </th>
            <th scope="col" className="name">
              Layer one
            </th>
            <th scope="col">Sealed</th>
            <th scope="col">
              <span className="hidden">Action</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {batches.map((batch) => (
            <tr key={batch.number} aria-current={batch.number === chosen ? "true" : undefined}>
              <th scope="row">{batch.number}</th>
              <td className="name">{batch.kind}</td>
              <td className={`name stage ${batch.stage}`}>{batch.stage}</td>
              <td>{batch.attestations}</td>
              <td className="name">
                <code title={batch.root}>{shortHex(batch.root)}</code>
              </td>
              <td className="name">
                {batch.transaction === null ? null : (
                  <code title={batch.transaction}>{shortHex(batch.transaction)}</code>
                )}
              </td>
              <td>{clock(batch.timestamp)}</td>
              <td>
                <button
                  type="button"
                  aria-label={`Verify batch ${batch.number}`}
                  onClick={() => setChosen(batch.number)}
                >
                  Verify
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {chosen === undefined ? null : <Verification key={chosen} number={chosen} />}
    </section>
  );
}

type Verdict =
  | { readonly checks: readonly Check[]; readonly ms: number }
  | { readonly fault: string };

function Verification({ number }: { readonly number: number }) {
  const { info } = useStore(catalogue);
  const [verdict, setVerdict] = useState<Verdict>();
  const domain = info?.domain;
  useEffect(() => {
    if (domain === undefined) return;
    let isOver = false;
    verify(number, BigInt(domain)).then(
      (answer) => isOver || setVerdict(answer),
      (error: unknown) => isOver || setVerdict({ fault: errorText(error) }),
    );
    return () => {
      isOver = true;
    };
  }, [number, domain]);
  return (
    <aside className="verification" aria-live="polite" aria-label={`Checks of batch ${number}`}>
      <h2>Batch {number}</h2>
      {verdict === undefined ? (
        <Loading what="and checking the proof" />
      ) : "fault" in verdict ? (
        <p className="bad">{verdict.fault}</p>
      ) : (
        <>
          <ul>
            {verdict.checks.map(({ name, isGood, detail }) => (
              <li key={name} className={isGood ? "good" : "bad"}>
                <strong>
                  {isGood ? "✓" : "✗"} {name}
                </strong>{" "}
                <span>{detail}</span>
              </li>
            ))}
          </ul>
          <p className="note">
            {verdict.checks.every(({ isGood }) => isGood)
              ? `Verified on this machine in ${verdict.ms} ms.`
              : "Not everything holds."}
          </p>
        </>
      )}
    </aside>
  );
}

async function verify(number: number, domain: bigint): Promise<Verdict> {
  const [batch, before, { checkBatch }] = await Promise.all([
    rpc.call("straddle/get_batch_proof", { number }),
    number > 1
      ? rpc.call("straddle/get_batch_proof", { number: number - 1 }).catch(() => undefined)
      : undefined,
    import("../proof/batch.ts"),
  ]);
  const answer = await fetch(`/keys/${batch.kind}.json`);
  if (!answer.ok) return { fault: "This node has no verification key for browsers." };
  const key = await answer.json();
  const start = performance.now();
  const checks = checkBatch(batch, key, { domain, before });
  return { checks, ms: Math.round(performance.now() - start) };
}
