/** A validator's machine: the real roles, put together as `node/member.ts` does with libp2p. */
import type { LogRecord } from "../../../sequencer/batch/log.ts";
import type { Message } from "../../../sequencer/consensus/message.ts";
import type { Timing } from "../../../sequencer/consensus/state.ts";
import { realScheduler } from "../../../sequencer/node/systemClock.ts";
import type {
  FinalBlock,
  Logger,
  MemberReport,
  SettlementLayer,
} from "../../../sequencer/ports.ts";
import { type Certifier, createCertifier } from "../../../sequencer/roles/certifier.ts";
import { createExecutedLog } from "../../../sequencer/roles/executedLog.ts";
import { createReplication } from "../../../sequencer/roles/replication.ts";
import { type Attester, createValidator } from "../../../sequencer/roles/validator.ts";
import { toySignature } from "../toySignature.ts";
import { deployment, members, peers, rules, signWords, sitting } from "./deployment.ts";
import type { Disk } from "./disk.ts";
import { createFollower } from "./logWire.ts";
import { createMemberMesh, type Seat } from "./memberMesh.ts";
import { type Node, openStore } from "./node.ts";
import { proofVerifier } from "./proverNode.ts";
import type { Wire } from "./wire.ts";

export interface ValidatorNodeOptions {
  readonly seat: Seat;
  readonly seats: readonly Seat[];
  readonly disk: Disk;
  readonly wire: Wire;
  readonly sequencer: Seat["machine"];
  readonly settlement: SettlementLayer;
  readonly logger: Logger;
  readonly watcher: ValidatorWatcher;
}

/** Who sees what a validator does, and forgets nothing. */
export interface ValidatorWatcher {
  executed(seat: Seat, record: LogRecord, root: bigint): void;
  final(seat: Seat, final: FinalBlock): void;
  sent(seat: Seat, message: Message): void;
  fault(from: Seat, reason: string): void;
  /** It has ended by itself. */
  ended(seat: Seat, reason: string): void;
}

export interface ValidatorNode extends Node {
  readonly seat: Seat;
  /** Records that are final there, in its present life. */
  certified(): number;
}

export const TIMING: Timing = { termMs: 2_000, heartbeatMs: 400, resendMs: 600 };
export const PATIENCE_MS = 500;
const REPORT_MS = 1_000;
/** Clocks of two machines may be so far apart. */
export const CLOCK_SKEW_MS = 10_000;

export const config = {
  deployment,
  queueWaitMs: 60_000,
  clockSkewMs: CLOCK_SKEW_MS,
  checkpointEvery: 5,
  resendMs: 3_000,
  pollMs: 2_000,
};

/** What stands from one life of a validator to the next start. */
export interface Running {
  certifier: Certifier | undefined;
}

export function createValidatorNode(options: ValidatorNodeOptions): ValidatorNode {
  return createNode(options, (running) => run(options, running));
}

/** `life` ends with the reason, where it ends by itself. */
export function createNode(
  { seat, disk, watcher }: Pick<ValidatorNodeOptions, "seat" | "disk" | "watcher">,
  life: (running: Running) => Promise<string | undefined>,
): ValidatorNode {
  const running: Running = { certifier: undefined };
  return {
    seat,
    disk,
    machine: seat.machine,
    certified: () => running.certifier?.progress().final?.block.to ?? 0,
    start: () => {
      running.certifier = undefined;
      seat.machine.boot(() => {
        const end = (reason: string): void => {
          watcher.ended(seat, reason);
          seat.machine.crash();
        };
        life(running).then(
          (reason) => end(reason ?? "it stopped"),
          (error: Error) => end(error.message),
        );
      });
    },
  };
}

async function run(options: ValidatorNodeOptions, running: Running): Promise<string | undefined> {
  const { seat, seats, disk, wire, sequencer, settlement, logger, watcher } = options;
  const { machine, member: self } = seat;
  const { certification, ...store } = await openStore(disk);
  const { network, served } = createMemberMesh({
    ...{ seat, seats, wire, source: { record: (from) => store.log.read(from) } },
    onFault: watcher.fault,
    onSent: (message) => watcher.sent(seat, message),
  });
  wire.serve(machine, served);
  const line = createFollower({ machine, sequencer, wire });
  const replication = createReplication({
    ...{ sequencer: line, network, log: store.log, logger, patienceMs: PATIENCE_MS },
  });
  const validator = await createValidator(
    {
      ...{ clock: machine.clock, logger, ...store, settlement, follower: replication },
      ...{ prover: proofVerifier, attester: createAttester(members[self]!) },
    },
    config,
  );
  const executedLog = createExecutedLog(store.log, validator.place());
  const report = (): MemberReport => {
    const { term = 0, final = null, halted = null } = running.certifier?.progress() ?? {};
    return { term, position: executedLog.head().to, final, halted };
  };
  const tell = (): void => {
    const content = { peer: peers[self], report: report() };
    wire.call(machine, sequencer, { method: "report", content }).catch(() => undefined);
  };
  const sign = (digest: Uint8Array): string => toySignature(members[self]!, digest);
  const certifier = createCertifier({
    consensus: { ...sitting, self, sign, timing: TIMING },
    ...{ rules, store: certification, network, log: executedLog, scheduler: realScheduler, logger },
    want: replication.want,
    onFinal: (final) => {
      watcher.final(seat, final);
      tell();
    },
  });
  running.certifier = certifier;
  validator.onExecuted((record, root) => {
    executedLog.executed(record, root);
    watcher.executed(seat, record, root);
  });
  setInterval(tell, REPORT_MS);
  const { signal } = new AbortController();
  return Promise.race([validator.run(signal), certifier.run(signal)]);
}

export function createAttester(address: string): Attester {
  return {
    address,
    attest: async ({ number, root: bigRoot, wordsHash, logHash }) => {
      const root = `0x${bigRoot.toString(16).padStart(64, "0")}`;
      const signature = signWords(address, number, root, wordsHash, logHash);
      return { validator: address, number, root, wordsHash, logHash, signature };
    },
    refuse: async ({ position, logHash, reason }) => {
      const signature = signWords(address, position, logHash, reason);
      return { validator: address, position, logHash, reason, signature };
    },
  };
}
