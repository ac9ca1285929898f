/** A node's client of layer one: calls to it, and the promises of the port kept with them. */
import type {
  AnchoredBatch,
  QueuedOperation,
  SettlementLayer,
  ValidatorSet,
} from "../../../sequencer/ports.ts";
import type { LayerOneStatus } from "../../../sequencer/protocol/status.ts";
import type { ChainView, Submitted } from "./layerOne.ts";
import type { Machine } from "./virtualTime.ts";
import type { Wire } from "./wire.ts";

export interface SettlementOptions {
  readonly machine: Machine;
  readonly layerOne: Machine;
  readonly wire: Wire;
  readonly domain: bigint;
  readonly validators: ValidatorSet;
}

const POLL_MS = 200;
/** A batch that is on its way is sent again so often, the same one: a reorg may have lost it. */
const RESEND_POLLS = 5;

export function createSettlement(options: SettlementOptions): SettlementLayer {
  const { machine, layerOne, wire, domain, validators } = options;
  const status = { paused: null as string | null, head: 0, confirmed: 0 };

  async function ask<T>(method: string, content?: unknown): Promise<T> {
    try {
      const answer = await wire.call<T>(machine, layerOne, { method, content });
      status.paused = null;
      return answer;
    } catch (error) {
      status.paused = (error as Error).message;
      throw error;
    }
  }

  async function view(): Promise<ChainView> {
    const seen = await ask<ChainView>("view");
    Object.assign(status, { head: seen.head, confirmed: seen.confirmed });
    return seen;
  }

  async function queued(from: number): Promise<readonly QueuedOperation[]> {
    return (await view()).queue.filter(({ queueId }) => queueId >= from);
  }

  async function submitBatch(
    { number, rootBefore, rootAfter, words }: Submitted["batch"],
    proof: Submitted["proof"],
    attestations: Submitted["attestations"] = [],
  ): Promise<AnchoredBatch> {
    const batch = { number, rootBefore, rootAfter, words };
    for (let polls = 0; ; polls++) {
      if (polls % RESEND_POLLS === 0) await ask("submit", { batch, proof, attestations });
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const { anchored } = await view();
      // As the real one does: a reorg has taken what it stands on, so that it would revert.
      if (anchored.number < number - 1) throw new Error(`batch \`${number}\` does not follow`);
      if (anchored.number < number) continue;
      const transaction = `0x${number.toString(16).padStart(64, "0")}`;
      return { number, root: rootAfter, transaction };
    }
  }

  return {
    domain: async () => domain,
    anchored: async () => (await view()).anchored,
    queued,
    submitBatch,
    validators: async () => validators,
    report: (): LayerOneStatus => ({
      ...{ ...status, stopped: null, frozenAt: null, reorgs: 0, deepestReorg: 0 },
      ...{ replacements: 0, spentHour: 0n, spentDay: 0n },
    }),
  };
}
