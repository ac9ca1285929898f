/** Puts a member of the validator set together: mesh, replicated log, driver, reports. */
import type { LogRecord } from "../batch/log.ts";
import type { Block } from "../consensus/block.ts";
import { createSignatureMemory, type Signer } from "../consensus/signing.ts";
import type { Timing } from "../consensus/state.ts";
import type { ValidatorSet } from "../consensus/validatorSet.ts";
import { rulesOf } from "../consensus/verification.ts";
import { createLogFollower } from "../gossip/logFollower.ts";
import {
  createMemberNetwork,
  type MemberMesh,
  type MemberNetworkOptions,
} from "../gossip/memberNetwork.ts";
import { createReportLine } from "../gossip/reportLine.ts";
import type {
  FinalBlock,
  Log,
  LogFollower,
  Logger,
  MemberNetwork,
  MemberReport,
} from "../ports.ts";
import { type Certifier, createCertifier } from "../roles/certifier.ts";
import { createExecutedLog, type ExecutedPlace } from "../roles/executedLog.ts";
import { createReplication } from "../roles/replication.ts";
import type { Store } from "../store/store.ts";
import { type MovingSequencer, openMoving } from "./movingSequencer.ts";
import { realScheduler } from "./systemClock.ts";
import { SIGNATURES_KEPT, type VoteKeys } from "./voteKeys.ts";

/** Times in ms; the defaults of a configuration. */
export const TIMING_DEFAULT: Timing = { termMs: 2_000, heartbeatMs: 400, resendMs: 600 };
export const PATIENCE_MS_DEFAULT = 500;
/**
 * Members who do not lead report what is final so much later (ms), newer blocks with it: the leader
 * has said it already, and their word counts where it does not.
 */
const REPORT_DELAY_MS = 25;

export interface MemberOptions extends Omit<MemberNetworkOptions, "source" | "self" | "logger"> {
  readonly validators: ValidatorSet;
  readonly genesis: Block;
  /** Position at which the sitting ends. */
  readonly end?: number | undefined;
  /** Told of each final block. */
  readonly onFinal?: ((final: FinalBlock) => void) | undefined;
  readonly timing: Timing;
  readonly signer: Signer;
  readonly keys: Pick<VoteKeys, "verify">;
  readonly store: Pick<Store, "certification"> & { readonly log: Pick<Log, "head" | "read"> };
  /**
   * Multiaddr of the sequencer, with its peer id; where it moves with the leader, those of all
   * members' own ones, in the order of the set.
   */
  readonly sequencer: string | readonly string[];
  /** How long the sequencer may be silent about certified records before members are asked. */
  readonly patienceMs: number;
  readonly logger: Logger;
  /** Stands between driver and mesh, to see what is said. */
  readonly tap?: (network: MemberNetwork) => MemberNetwork;
}

export interface Member {
  /** The log, from wherever it can be had. */
  readonly follower: LogFollower;
  /**
   * Votes from now on, until the signal aborts or it must not any more: then the reason is the
   * result. `place` is where the node's own log stands, durable and executed.
   */
  certify(place: ExecutedPlace, signal: AbortSignal): Promise<string | undefined>;
  /** The node's log has grown by this record; `root` of the last sealed batch. */
  executed(record: LogRecord, root: bigint): void;
  /** Where the sequencer moves: what that asks of the node's own log. */
  readonly moving: MovingSequencer | undefined;
  report(): MemberReport;
  progress(): ReturnType<Certifier["progress"]> | undefined;
  addresses(): readonly string[];
  stop(): Promise<void>;
}

/** Throws RangeError when the signer is not in the set. */
export async function openMember(options: MemberOptions): Promise<Member> {
  const { validators, genesis, timing, signer, keys, store, logger, patienceMs } = options;
  const self = validators.members.indexOf(signer.address);
  if (self === -1) throw new RangeError(`\`${signer.address}\` is not in the validator set`);
  const signatures = createSignatureMemory(keys.verify, SIGNATURES_KEPT);
  const { sign } = signatures.signing(signer);
  const { verify } = signatures;
  const rules = rulesOf(validators, genesis, verify);
  const source = { record: (from: number) => store.log.read(from) };
  const mesh = await createMemberNetwork({ ...options, self, source });
  const network = options.tap?.(mesh) ?? mesh;
  const moving = await openMoving({ ...options, self, mesh });
  const follower =
    moving?.follower ??
    (await createLogFollower({ server: `${options.sequencer}`, node: mesh.node, logger }));
  const replication = createReplication({
    ...{ sequencer: follower, network, log: store.log, base: genesis, logger, patienceMs },
    onContradiction: moving && (() => certifier?.contradicted()),
  });
  let certifier: Certifier | undefined;
  let executedLog: ReturnType<typeof createExecutedLog> | undefined;

  const report = (): MemberReport => {
    const { term = 0, final = null, halted = null } = certifier?.progress() ?? {};
    return { term, position: executedLog?.head().to ?? store.log.head().position, final, halted };
  };
  const line = openReports(options, mesh, report);
  moving?.onMove(line.moveTo);

  return {
    follower: replication,
    moving,
    certify: async (place, signal) => {
      const log = createExecutedLog(store.log, place);
      executedLog = log;
      const first = await log.placeAt(genesis, genesis.to);
      if (first !== undefined && first.logHash !== genesis.logHash) {
        return "its log is another than the one that the sitting goes on with";
      }
      const own = createCertifier({
        consensus: { validators, self, sign, genesis, timing, end: options.end },
        ...{ rules, network, logger, log, scheduler: realScheduler },
        store: store.certification(validators.session),
        want: replication.want,
        onFinal: (final) => {
          moving?.finalized(final.block);
          options.onFinal?.(final);
          if (own.progress().leader === self) line.tell();
          else line.tellSoon();
        },
        moving: moving?.attach({ log, replication, certifier: () => own }),
      });
      certifier = own;
      const reason = await own.run(signal);
      line.tell();
      return reason;
    },
    executed: (record, root) => executedLog?.executed(record, root),
    report,
    progress: () => certifier?.progress(),
    addresses: mesh.addresses,
    stop: async () => {
      await line.stop();
      await moving?.stop();
      await replication.stop();
      await mesh.stop();
    },
  };
}

/** Reports to the sequencer, or to whichever is the leader's. */
function openReports(
  { sequencer, logger }: MemberOptions,
  { node }: MemberMesh,
  report: () => MemberReport,
) {
  const servers = [sequencer].flat();
  const open = (server: string) => createReportLine({ node, server, logger, report });
  let line = open(servers[0]!);
  let cancel: (() => void) | undefined;
  const tell = (): void => {
    cancel?.();
    cancel = undefined;
    line.tell();
  };
  return {
    tell,
    tellSoon: () => {
      cancel ??= realScheduler.after(REPORT_DELAY_MS, tell);
    },
    moveTo: (leader: number) => {
      void line.stop();
      line = open(servers[leader]!);
    },
    stop: () => {
      cancel?.();
      return line.stop();
    },
  };
}
