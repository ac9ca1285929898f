/** Why layer one is left alone for now, or for good. Every change is logged once. */
import type { Logger } from "../ports.ts";
import { SettlementError, SettlementPausedError } from "./settlementError.ts";

/** What can pause: each has at most one reason, and goes away by itself. */
export type PauseTopic =
  | ("endpoint" | "witness")
  /** The queue cannot be read; entries that the ledger has are not there. */
  | ("events" | "queue")
  /** The endpoints disagree on whether the rollup is frozen. */
  | "frozen"
  | ("anchored" | "nonce" | "fees" | "balance" | "batch");

export interface Conditions {
  /** The error to throw. */
  pause(topic: PauseTopic, reason: string): SettlementPausedError;
  resume(topic: PauseTopic): void;
  /** Throws {@link SettlementPausedError} while the topic pauses. */
  assertNotPaused(topic: PauseTopic): void;
  /** The error to throw, now and whenever anything is asked for from now on. */
  stop(reason: string): SettlementError;
  /** Throws {@link SettlementError} after a stop. */
  assertGoing(): void;
  paused(): string | null;
  stopped(): string | null;
}

/** The operator must hear of these at once, though time may mend them. */
const ALARMS: ReadonlySet<PauseTopic> = new Set(["balance", "batch", "frozen", "queue", "witness"]);

export function createConditions(logger: Logger): Conditions {
  const reasons = new Map<PauseTopic, string>();
  let stopped: string | null = null;
  return {
    pause: (topic, reason) => {
      const level = ALARMS.has(topic) ? "error" : "warn";
      if (!reasons.has(topic)) logger[level]("layer one paused", { topic, reason });
      reasons.set(topic, reason);
      return new SettlementPausedError(reason);
    },
    resume: (topic) => {
      if (reasons.delete(topic)) logger.info("layer one goes on", { topic });
    },
    assertNotPaused: (topic) => {
      const reason = reasons.get(topic);
      if (reason !== undefined) throw new SettlementPausedError(reason);
    },
    stop: (reason) => {
      if (stopped === null) logger.error("layer one stopped: somebody must look", { reason });
      stopped ??= reason;
      return new SettlementError(reason);
    },
    assertGoing: () => {
      if (stopped !== null) throw new SettlementError(stopped);
    },
    paused: () => (reasons.size === 0 ? null : [...reasons.values()].join("; ")),
    stopped: () => stopped,
  };
}
