/**
 * Risk that the trader checks: the node's report is computed again here, by the same code, from a
 * snapshot whose oracle signatures are verified. What remains the node's word are the account's
 * cash and positions and the series table, which receipts and layer one's data show.
 */
import { firstMispriced } from "../engine/risk.ts";
import type { Info, Wire } from "../exchangeService.ts";
import { type RiskAnswer, type RiskReport, reportRisk } from "../market/riskReport.ts";
import { isQuorumSigned, type Snapshot } from "../protocol/snapshot.ts";
import { emptySeries } from "../protocol/state.ts";

/** The node's report is not what its inputs give, or the oracles have not signed them. */
export class RiskError extends Error {
  override name = "RiskError";
  readonly answer: Wire<RiskAnswer>;
  constructor(reason: string, answer: Wire<RiskAnswer>) {
    super(`the risk report of account \`${answer.account}\` is not valid: ${reason}.`);
    this.answer = answer;
  }
}

/** From a node's answer; pin oracles and quorum by taking them from elsewhere. */
export type OracleSet = Pick<
  Wire<Info>,
  "domain" | "oracles" | "oracleQuorum" | "shape" | "tickSize" | "lotsPerContract"
>;

/** Bigints instead of their `0x` strings. */
export function snapshotFromWire(snapshot: Wire<Snapshot>): Snapshot {
  const signatures = snapshot.signatures.map(({ signer, r8x, r8y, s }) => {
    return { signer, r8x: BigInt(r8x), r8y: BigInt(r8y), s: BigInt(s) };
  });
  return { ...snapshot, signatures };
}

/** Whether a quorum of the oracles has signed the snapshot. */
export function isSnapshotSigned(snapshot: Snapshot, info: OracleSet): boolean {
  const oracles = info.oracles.map(({ x, y }) => ({ x: BigInt(x), y: BigInt(y) }));
  const { oracleQuorum: quorum, domain } = info;
  try {
    return isQuorumSigned({ domain: BigInt(domain), snapshot, oracles, quorum });
  } catch {
    // A mark or change that no word can hold.
    return false;
  }
}

/** The report, recomputed. Throws {@link RiskError}. */
export function verifiedRisk(answer: Wire<RiskAnswer>, info: OracleSet): RiskReport {
  const fail = (reason: string): never => {
    throw new RiskError(reason, answer);
  };
  const { report, series, positions } = { ...answer, positions: positionsOf(answer, info) };
  const snapshot = snapshotFromWire(answer.snapshot);
  if (snapshot.slots.length !== info.shape.slots || series.length !== info.shape.slots) {
    fail("its snapshot or series table is of another market");
  }
  if (!isSnapshotSigned(snapshot, info)) fail("no oracle quorum has signed its snapshot");
  const held = series.map((each, slot) => (positions[slot] === 0 ? NOT_HELD : each));
  const mispriced = firstMispriced(held, snapshot);
  if (mispriced !== undefined) fail(`its snapshot prices another series in slot ${mispriced}`);
  const { tickSize, lotsPerContract, shape } = info;
  const sizes = { unit: shape.unit, tickSize, lotsPerContract };
  const holdings = { cash: report.cash, positions };
  const computed = reportRisk({ holdings, snapshot, series, sizes });
  const line = firstDifference(report, computed);
  if (line !== undefined) fail(`\`${line}\` is not what its inputs give`);
  return computed;
}

/** A slot that has no part in an account's risk. */
const NOT_HELD = emptySeries();

/** The positions that the report is about, by slot. */
function positionsOf({ report }: Wire<RiskAnswer>, { shape }: OracleSet): number[] {
  const positions = new Array<number>(shape.slots).fill(0);
  for (const { slot, lots } of report.positions) {
    if (Number.isInteger(slot) && slot >= 0 && slot < shape.slots) positions[slot] = lots;
  }
  return positions;
}

/** The path of the first value that differs; undefined where there is none. */
function firstDifference(given: unknown, computed: unknown, path = ""): string | undefined {
  if (Object.is(given, computed) || given === computed) return undefined;
  const isTree = (value: unknown): value is object => typeof value === "object" && value !== null;
  if (!isTree(given) || !isTree(computed)) return path;
  const keys = new Set([...Object.keys(given), ...Object.keys(computed)]);
  for (const key of keys) {
    const inner = firstDifference(
      Reflect.get(given, key),
      Reflect.get(computed, key),
      path === "" ? key : `${path}.${key}`,
    );
    if (inner !== undefined) return inner;
  }
  return undefined;
}
