/** What a sequencer is given: who it speaks to, and what it goes by. */
import type { AdmissionPolicy } from "../engine/admission.ts";
import type { Info } from "../exchangeService.ts";
import type {
  AccountStore,
  Attestation,
  BatchStore,
  CheckpointStore,
  Clock,
  Log,
  Logger,
  LogServer,
  Prover,
  Refusal,
  SettlementLayer,
  SignatureDesk,
  SnapshotSource,
} from "../ports.ts";
import type { PackageLimits } from "../protocol/blockRfq.ts";
import type { IsSignedScope } from "./accountPolicy.ts";
import type { Certification } from "./certifiedLog.ts";
import type { Scheduler } from "./certifier.ts";
import type { BreakerLimits } from "./circuitBreakers.ts";
import type { FeeSchedule } from "./feeSchedule.ts";
import type { FeeCollection } from "./keeper.ts";
import type { LiquidationLimits } from "./liquidator.ts";
import type { LadderConfig } from "./listingLadder.ts";
import type { MarketPlan } from "./marketPlan.ts";
import type { Deployment } from "./nodeState.ts";
import type { OpenProofJobs } from "./proofDesk.ts";
import type { RateLimit } from "./rateLimiter.ts";
import type { DigestSigner } from "./receipts.ts";
import type { OpenInputs } from "./sequencerState.ts";
import type { SequencingLimits } from "./sequencing.ts";

export interface SequencerPorts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly log: Log;
  readonly checkpoints: CheckpointStore;
  readonly batches: BatchStore;
  readonly accounts: AccountStore;
  readonly settlement: SettlementLayer;
  readonly snapshots: SnapshotSource;
  readonly network: LogServer;
  readonly prover: Pick<Prover, "verify">;
  readonly receiptSigner: DigestSigner;
  readonly openProofJobs: OpenProofJobs;
  /** Who follows the state and makes the inputs of proofs; absent: this thread, at once. */
  readonly openInputs?: OpenInputs;
  /** Who looks at signatures first; absent: nobody. */
  readonly signatures?: SignatureDesk;
  /** Whether the attestation is signed by the validator that it names. */
  isSignedAttestation(attestation: Attestation): Promise<boolean>;
  isSignedRefusal(refusal: Refusal): Promise<boolean>;
  /** Whether the owner of an account has signed what one of its keys may do. */
  readonly isSignedScope: IsSignedScope;
}

/** Times in ms. */
export interface SequencerConfig {
  readonly deployment: Deployment;
  readonly info: Info;
  readonly plan: MarketPlan;
  /** What is listed as the market moves; absent: the plan alone. */
  readonly ladder?: LadderConfig | undefined;
  readonly fees?: FeeSchedule | undefined;
  readonly collection?: FeeCollection | undefined;
  readonly liquidation?: Partial<LiquidationLimits> | undefined;
  /** The venue's limits for orders. */
  readonly policy?: AdmissionPolicy | undefined;
  /** Combinations on demand, requests for quotes, blocks. */
  readonly packages?: Partial<PackageLimits> | undefined;
  readonly limits: SequencingLimits;
  readonly rate: RateLimit;
  /** Sealed batches without proof at which new orders are refused. */
  readonly backlogMax: number;
  /** Proven batches that layer one has not got at which new orders are refused. */
  readonly unanchoredMax: number;
  /** When trading pauses. */
  readonly breakers?: Partial<BreakerLimits> | undefined;
  readonly checkpointEvery: number;
  readonly certificationWaitMs: number;
  readonly certification?: Certification | undefined;
  readonly tickMs: number;
  readonly pollMs: number;
}
