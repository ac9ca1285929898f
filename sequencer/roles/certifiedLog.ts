/**
 * How much of its log the sequencer knows to be final: from members' reports, whose certificates it
 * checks itself. A final block that its own log contradicts means that this log must not go on.
 */
import type { Block } from "../consensus/block.ts";
import { leaderOf } from "../consensus/validatorSet.ts";
import { finalFault, type VerificationRules } from "../consensus/verification.ts";
import type { Hex } from "../exchangeService.ts";
import type { Clock, Log, Logger, LogServer, MemberReport } from "../ports.ts";
import type { CertificationStatus } from "../protocol/certification.ts";
import type { BatchTracker } from "./batchTracker.ts";
import type { Halt } from "./halt.ts";
import { messageOf } from "./loop.ts";
import type { Sealing } from "./sealing.ts";

/** Validators have certified a log that is not this one. */
export class CertifiedLogError extends Error {
  override name = "CertifiedLogError";
}

export interface CertifiedLogOptions {
  readonly rules: VerificationRules;
  /** Peer ids of the members, in their order. */
  readonly peers: readonly string[];
  readonly log: Pick<Log, "head" | "read">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Root of the last batch sealed before the position; undefined where it is forgotten. */
  rootAt(position: number): bigint | undefined;
  onCertified(position: number): void;
  fail(error: CertifiedLogError): void;
}

export interface CertifiedLog {
  take(peer: string, report: MemberReport): void;
  status(): CertificationStatus;
}

/** Who certifies, as the configuration has it. */
export interface Certification extends Pick<CertifiedLogOptions, "rules" | "peers"> {
  /**
   * A log whose records are acknowledged when they are certified, and what of it validators have:
   * more than is acknowledged. Absent: the log does not wait for them.
   */
  readonly waiting?: WaitingLog | undefined;
}

export interface WaitingLog {
  readonly log: Pick<Log, "head" | "read">;
  certified(position: number): void;
  /** Validators have certified another log: what waits here will never be. */
  contradicted(error: CertifiedLogError): void;
}

/** What of a sequencer the certified log hangs on. */
export interface CertifiedNode {
  readonly ports: Pick<CertifiedLogOptions, "log" | "clock" | "logger"> & {
    readonly network: Pick<LogServer, "onReport">;
  };
  readonly batches: Pick<BatchTracker, "agree" | "certified" | "rootAt">;
  readonly sealing: Pick<Sealing, "publishBatches">;
  readonly halt: Pick<Halt, "fail">;
}

/** From now on `certified` means what validators agree on; undefined where they do not. */
export function followCertification(
  { ports, batches, sealing, halt }: CertifiedNode,
  certification: Certification | undefined,
): CertifiedLog | undefined {
  if (certification === undefined) return undefined;
  const { clock, logger, network } = ports;
  const { waiting, rules, peers } = certification;
  const log = waiting?.log ?? ports.log;
  // The root stands in the seal, and so in the hash: that of a batch that waits is not known yet.
  const rootAt = waiting === undefined ? batches.rootAt : () => undefined;
  batches.agree();
  const certified = createCertifiedLog({
    ...{ rules, peers, log, clock, logger, rootAt },
    fail: (error) => {
      halt.fail(error);
      // Else whoever ends the node would wait for records that nobody certifies.
      waiting?.contradicted(error);
    },
    onCertified: (position) => {
      waiting?.certified(position);
      sealing.publishBatches(batches.certified(position));
    },
  });
  network.onReport(certified.take);
  return certified;
}

interface Heard {
  readonly report: MemberReport;
  readonly at: number;
}

interface Parts {
  readonly options: CertifiedLogOptions;
  readonly heard: Map<number, Heard>;
  newest: Block | undefined;
  /** The newest that waits to be compared with the log. */
  waiting: Block | undefined;
  isChecking: boolean;
}

export function createCertifiedLog(options: CertifiedLogOptions): CertifiedLog {
  const parts: Parts = {
    ...{ options, heard: new Map(), newest: undefined, waiting: undefined, isChecking: false },
  };
  return {
    take: (peer, report) => take(parts, peer, report),
    status: () => statusOf(parts),
  };
}

function take(parts: Parts, peer: string, report: MemberReport): void {
  const { peers, clock, logger } = parts.options;
  const member = peers.indexOf(peer);
  if (member === -1) return;
  parts.heard.set(member, { report, at: clock.now() });
  const { final } = report;
  if (final === null || final.block.height <= (parts.newest?.height ?? 0)) return;
  // A successor's certificate would need the blocks between: its member reports itself soon.
  const fault = finalFault(parts.options.rules, final.block, final.certificate);
  if (fault !== undefined) logger.warn("a report does not count", { member, reason: fault });
  else void compare(parts, final.block);
}

/** One at a time, and of those that come meanwhile only the newest. */
async function compare(parts: Parts, block: Block): Promise<void> {
  if (block.height > (parts.waiting?.height ?? 0)) parts.waiting = block;
  if (parts.isChecking) return;
  parts.isChecking = true;
  try {
    for (let next = parts.waiting; next !== undefined; next = parts.waiting) {
      parts.waiting = undefined;
      if (next.height <= (parts.newest?.height ?? 0)) continue;
      await assertOwn(parts.options, next);
      parts.newest = next;
      parts.options.onCertified(next.to);
    }
  } catch (error) {
    if (error instanceof CertifiedLogError) parts.options.fail(error);
    else parts.options.logger.warn("comparing logs failed", { error: messageOf(error) });
  } finally {
    parts.isChecking = false;
  }
}

async function assertOwn(
  { log, rootAt }: CertifiedLogOptions,
  { to, logHash, root }: Block,
): Promise<void> {
  const { position } = log.head();
  if (to > position) {
    const message = `validators have certified \`${to}\` records of the log`;
    throw new CertifiedLogError(`${message}, which ends at \`${position}\` here`);
  }
  if (to === 0) return;
  for await (const record of log.read(to - 1)) {
    if (record.hash === logHash) break;
    throw new CertifiedLogError(`validators have certified another record \`${to - 1}\``);
  }
  const own = rootAt(to);
  if (own === undefined || own === root) return;
  const message = `validators have certified root \`${root}\` at \`${to}\``;
  throw new CertifiedLogError(`${message}, not \`${own}\``);
}

function statusOf({ options, heard, newest }: Parts): CertificationStatus {
  const { rules, log, clock } = options;
  const { members, faultsMax } = rules.validators;
  const { position: head } = log.head();
  const terms = [...heard.values()].map(({ report }) => report.term).sort((a, b) => b - a);
  // Liars alone cannot name a later one.
  const term = terms[faultsMax] ?? 0;
  return {
    position: newest?.to ?? 0,
    height: newest?.height ?? 0,
    term,
    leader: term === 0 ? null : (members[leaderOf(rules.validators, term)] as Hex),
    members: members.map((validator, member) => {
      const { report, at } = heard.get(member) ?? {};
      return {
        validator: validator as Hex,
        term: report?.term ?? null,
        position: report?.position ?? null,
        certified: report === undefined ? null : (report.final?.block.to ?? 0),
        lag: report === undefined ? null : Math.max(0, head - report.position),
        reportAgeMs: at === undefined ? null : clock.now() - at,
        halted: report?.halted ?? null,
      };
    }),
  };
}
