/** How a node is doing, as it tells everybody. */
import type { CertificationStatus } from "./certification.ts";
import type { TradingStatus } from "./trading.ts";

/** How layer one and the way to it are. Fees in wei. */
export interface LayerOneStatus {
  /** Why nothing is read or sent: `paused` goes on by itself, `stopped` needs somebody. */
  readonly paused: string | null;
  readonly stopped: string | null;
  /** When the rollup was frozen, unix seconds: nothing is anchored any more. Null: it lives. */
  readonly frozenAt: number | null;
  /** Newest block that passed all checks, and the newest one whose queue entries count. */
  readonly head: number | null;
  readonly confirmed: number | null;
  readonly reorgs: number;
  /** Blocks that the deepest reorg so far has replaced. */
  readonly deepestReorg: number;
  /** Transactions sent again with higher fees. */
  readonly replacements: number;
  readonly spentHour: bigint;
  readonly spentDay: bigint;
}

/** What an acknowledgement of the order log is worth. */
export interface LogPolicy {
  readonly engine: "embedded" | "jetstream" | "simplex" | "simulated";
  /** What has happened to a record before it is acknowledged. */
  readonly durability: string;
  /** How much of what was acknowledged a failure can take, in ms: 0 none; null: not known. */
  readonly lossWindowMs: number | null;
  /** The same for people: which failure, and what is then lost. */
  readonly lossWindow: string;
}

/** How the node is doing: its backlogs are its promise about speed. */
export interface Status {
  readonly time: number;
  readonly logPosition: number;
  readonly logHash: string;
  /** Of the writers of the log, the last one's number. */
  readonly logEpoch: number;
  readonly log: LogPolicy;
  /** Number of the batch being filled, and of the newest batch at each stage (0: none). */
  readonly openBatch: number;
  readonly sealed: number;
  readonly certified: number;
  readonly proven: number;
  readonly anchored: number;
  readonly snapshotTime: number | null;
  /** Next layer-one queue entry that the sequencer will serve. */
  readonly nextQueueId: number;
  readonly validatorsConnected: number;
  /** Null where validators only attest batches. */
  readonly certification: CertificationStatus | null;
  /** Cash of the insurance fund and of the fee account, and fees not yet collected: 1e-6 USDC. */
  readonly insuranceFund: number;
  readonly feeAccount: number;
  readonly feesUncollected: number;
  /** Accounts that are being liquidated. */
  readonly lockedAccounts: number;
  /** At the backlog bound: only cancels are taken. */
  readonly isOverloaded: boolean;
  readonly trading: TradingStatus;
  readonly layerOne: LayerOneStatus;
  /** Why the node no longer sequences, or null. */
  readonly halted: string | null;
}
