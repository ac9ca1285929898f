/** A validator whose set moves the sequencer with its leader, put together as nodes are. */
import type { LogRecord } from "../../../sequencer/batch/log.ts";
import { createLeadLine } from "../../../sequencer/gossip/leadLine.ts";
import { createMovingFollower } from "../../../sequencer/gossip/movingFollower.ts";
import { createReportLine } from "../../../sequencer/gossip/reportLine.ts";
import { createLeaderFollowing } from "../../../sequencer/node/leaderFollowing.ts";
import { createMoving } from "../../../sequencer/node/movingSequencer.ts";
import { realScheduler } from "../../../sequencer/node/systemClock.ts";
import type { MemberReport } from "../../../sequencer/ports.ts";
import { type Certifier, createCertifier } from "../../../sequencer/roles/certifier.ts";
import { createExecutedLog } from "../../../sequencer/roles/executedLog.ts";
import { createReplication } from "../../../sequencer/roles/replication.ts";
import { createValidator, type ValidatorPorts } from "../../../sequencer/roles/validator.ts";
import { toySignature } from "../toySignature.ts";
import { members, rules, sitting } from "./deployment.ts";
import { createMemberMesh } from "./memberMesh.ts";
import { openStore } from "./node.ts";
import { proofVerifier } from "./proverNode.ts";
import type { Streams } from "./streams.ts";
import {
  config,
  createAttester,
  createNode,
  PATIENCE_MS,
  type Running,
  TIMING,
  type ValidatorNode,
  type ValidatorNodeOptions,
} from "./validatorNode.ts";

export interface MovingValidatorOptions extends Omit<ValidatorNodeOptions, "sequencer"> {
  readonly streams: Streams;
  readonly address: string;
  /** Of all members' sequencers, in the order of the set. */
  readonly servers: readonly string[];
}

export function createMovingValidatorNode(options: MovingValidatorOptions): ValidatorNode {
  return createNode(options, (running) => run(options, running));
}

/** Lines to the sequencers, as `node/movingSequencer.ts` and `node/member.ts` open them. */
async function openLines(options: MovingValidatorOptions, source: { record: RecordsFrom }) {
  const { seat, streams, servers, address, logger } = options;
  const { machine, member: self } = seat;
  const { genesis } = sitting;
  const node = streams.join(machine, address);
  const follower = await createMovingFollower({ node, servers, logger });
  const line = createLeadLine({ node, server: servers[self]!, source, logger });
  const moving = createMoving({ self, follower, line, genesis, logger });
  const openReports = (report: () => MemberReport) => {
    const open = (server: string) => createReportLine({ node, server, logger, report });
    let reports = open(servers[0]!);
    moving.onMove((leader) => {
      void reports.stop();
      reports = open(servers[leader]!);
    });
    return () => reports.tell();
  };
  return { moving, openReports };
}

type RecordsFrom = (from: number) => AsyncIterable<LogRecord>;

async function run(options: MovingValidatorOptions, running: Running): Promise<string | undefined> {
  const { seat, seats, disk, wire, settlement, logger, watcher } = options;
  const { machine, member: self } = seat;
  const store = await openStore(disk);
  const source = { record: (from: number) => store.log.read(from) };
  const { network, served } = createMemberMesh({
    ...{ seat, seats, wire, source, onFault: watcher.fault },
    onSent: (message) => watcher.sent(seat, message),
  });
  wire.serve(machine, served);
  const { moving, openReports } = await openLines(options, source);
  const replication = createReplication({
    ...{ sequencer: moving.follower, network, log: store.log, logger, patienceMs: PATIENCE_MS },
    onContradiction: () => running.certifier?.contradicted(),
  });
  const { log, checkpoints, batches } = store;
  const ports = {
    ...{ clock: machine.clock, logger, settlement, follower: replication, prover: proofVerifier },
    ...{ log, checkpoints, batches, attester: createAttester(members[self]!) },
    isFinal: moving.isFinal,
  };
  const open = (mayRefuse: ValidatorPorts["mayRefuse"]) =>
    createValidator({ ...ports, ...(mayRefuse && { mayRefuse }) }, config);
  let executedLog: ReturnType<typeof createExecutedLog> | undefined;
  const following: ReturnType<typeof createLeaderFollowing> = createLeaderFollowing({
    open: () => open(following.mayRefuse),
    store,
    member: {
      executed: (record, root) => {
        executedLog?.executed(record, root);
        watcher.executed(seat, record, root);
      },
    },
    moving,
  });
  const validator = await open(following.mayRefuse);
  executedLog = createExecutedLog(log, validator.place());
  const { head } = executedLog;
  const tell = openReports(() => {
    const { term = 0, final = null, halted = null } = running.certifier?.progress() ?? {};
    return { term, position: head().to, final, halted };
  });
  const sign = (digest: Uint8Array): string => toySignature(members[self]!, digest);
  const certifier: Certifier = createCertifier({
    consensus: { ...sitting, self, sign, timing: TIMING },
    ...{ rules, store: store.certification, network, log: executedLog, logger },
    ...{ scheduler: realScheduler, want: replication.want },
    onFinal: (final) => {
      watcher.final(seat, final);
      moving.finalized(final.block);
      tell();
    },
    moving: moving.attach({ log: executedLog, replication, certifier: () => certifier }),
  });
  running.certifier = certifier;
  const { signal } = new AbortController();
  return Promise.race([following.run(validator, signal), certifier.run(signal)]);
}
