/**
 * The line between sequencer and validators, in the place of libp2p streams: a follower asks for
 * what comes after its position and is answered when there is something, and asks again whatever
 * goes wrong on the way.
 */
import { decodeRecord, encodeRecord, type LogRecord } from "../../../sequencer/batch/log.ts";
import type {
  Attestation,
  LogFollower,
  LogServer,
  LogSource,
  MemberReport,
  Refusal,
} from "../../../sequencer/ports.ts";
import type { Machine } from "./virtualTime.ts";
import type { Wire } from "./wire.ts";

/** Records in one answer. */
const RECORDS_MAX = 64;
/** How long an answer may wait for something to say, and the follower for the answer (ms). */
const HELD_MS = 500;
const ANSWER_MS = 1_500;
const RETRY_MS = 100;

type Proven = NonNullable<Awaited<ReturnType<LogSource["proofOf"]>>> & { readonly number: number };

/** The sequencer's end, for its present life. */
export function createLogLine(source: LogSource) {
  const handlers = {
    attest: new Set<(attestation: Attestation) => void>(),
    refuse: new Set<(refusal: Refusal) => void>(),
    report: new Set<(peer: string, report: MemberReport) => void>(),
  };
  const [records, proofs] = [createBell(), createBell()];
  const server: LogServer = {
    addresses: () => [],
    peers: () => [],
    onAttestation: (handler) => void handlers.attest.add(handler),
    onRefusal: (handler) => void handlers.refuse.add(handler),
    onReport: (handler) => void handlers.report.add(handler),
    announce: records.ring,
    announceProof: proofs.ring,
    stop: async () => undefined,
  };
  const served = {
    records: (from: unknown) => records.until(() => recordsFrom(source, from as number)),
    proof: async (number: unknown) => {
      const found = await proofs.until(async () => {
        const proven = await source.proofOf(number as number);
        return proven === undefined ? [] : [{ number: number as number, ...proven }];
      });
      return found[0];
    },
    attest: (word: unknown) => {
      for (const handler of handlers.attest) handler(word as Attestation);
    },
    refuse: (word: unknown) => {
      for (const handler of handlers.refuse) handler(word as Refusal);
    },
    report: (said: unknown) => {
      const { peer, report } = said as { peer: string; report: MemberReport };
      for (const handler of handlers.report) handler(peer, report);
    },
  };
  return { server, served };
}

async function recordsFrom(source: LogSource, from: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const record of source.record(from)) {
    texts.push(encodeRecord(record));
    if (texts.length >= RECORDS_MAX) break;
  }
  return texts;
}

/** Wakes those who wait for something new. */
function createBell() {
  const waiting = new Set<() => void>();
  /** What `look` finds, once it is not nothing or the time is up. */
  async function until<T>(look: () => Promise<T[]>): Promise<T[]> {
    let rung = false;
    const ended = new Promise<void>((resolve) => {
      const end = (): void => {
        rung = true;
        waiting.delete(end);
        resolve();
      };
      waiting.add(end);
      setTimeout(end, HELD_MS);
    });
    const found = await look();
    if (found.length > 0 || rung) return found;
    await ended;
    return look();
  }
  return {
    until,
    ring: () => {
      for (const wake of [...waiting]) wake();
    },
  };
}

export interface FollowerOptions {
  readonly machine: Machine;
  readonly sequencer: Machine;
  readonly wire: Wire;
}

export function createFollower({ machine, sequencer, wire }: FollowerOptions): LogFollower {
  const ask = <T>(method: string, content: unknown): Promise<T> =>
    wire.call<T>(machine, sequencer, { method, content, timeoutMs: ANSWER_MS });

  async function deliver(method: string, content: unknown, signal?: AbortSignal): Promise<void> {
    if (signal !== undefined) heed(signal);
    for (;;) {
      signal?.throwIfAborted();
      try {
        return await ask<void>(method, content);
      } catch {
        await sleep(RETRY_MS);
      }
    }
  }

  async function* follow(from: number, signal: AbortSignal): AsyncGenerator<LogRecord> {
    heed(signal);
    for (let next = from; !signal.aborted; ) {
      const texts = await ask<string[]>("records", next).catch(() => undefined);
      if (texts === undefined) await sleep(RETRY_MS);
      for (const text of texts ?? []) {
        if (signal.aborted) return;
        yield decodeRecord(text);
        next += 1;
      }
    }
  }

  async function* proofs(from: number, signal: AbortSignal): AsyncGenerator<Proven> {
    heed(signal);
    for (let next = from; !signal.aborted; ) {
      const proven = await ask<Proven | undefined>("proof", next).catch(() => null);
      if (proven === null) await sleep(RETRY_MS);
      if (signal.aborted) return;
      if (proven === null || proven === undefined) continue;
      yield proven;
      next += 1;
    }
  }

  return {
    follow,
    proofs,
    attest: (attestation, signal) => deliver("attest", attestation, signal),
    refuse: (refusal) => deliver("refuse", refusal),
    stop: async () => undefined,
  };
}

/**
 * Node looks whether a signal of `AbortSignal.any` is aborted when it is asked, and finds nothing
 * where its part was collected before: a run would hang on the moment of that. One that is listened
 * to is told at once.
 */
function heed(signal: AbortSignal): void {
  signal.addEventListener("abort", () => undefined, { once: true });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
