/** The base chain through a JSON-RPC endpoint. Without an account it reads only. */
import type { Address, LocalAccount } from "viem";
import type {
  AnchoredBatch,
  Clock,
  DurableValues,
  Logger,
  SettlementLayer,
  SubmittedBatch,
} from "../ports.ts";
import { BATCHES_TOGETHER_MAX } from "../protocol/constants.ts";
import { BATCHES_TOGETHER, togetherCount } from "./batchCall.ts";
import { createBatchSubmitter } from "./batchSubmitter.ts";
import { type Confirmations, createChainWatch } from "./chainWatch.ts";
import { type Conditions, createConditions } from "./conditions.ts";
import type { FeeLimits } from "./feeBudget.ts";
import { createFreezeWatch } from "./freezeWatch.ts";
import { rollupAbi } from "./generated/abi.ts";
import { createQueueReader } from "./queueReader.ts";
import { createRollupReader, type RollupReader, readNewest, readNumbers } from "./rollupReader.ts";
import { SettlementError, withoutAddress } from "./settlementError.ts";
import { createValidatorReader } from "./validatorReader.ts";

export interface SettlementLayerOptions {
  readonly rpcUrl: string;
  /** A second endpoint, of another provider: without its consent nothing is done. */
  readonly witnessUrl?: string | undefined;
  /** Absent: the one that the endpoint serves. */
  readonly chainId?: number | undefined;
  readonly rollup: Address;
  /** Signs batch transactions and is used for nothing else. */
  readonly account?: LocalAccount | undefined;
  /** Blocks that must stand on a queue event's block before it counts, or what the chain says. */
  readonly confirmations: Confirmations;
  /** The same for closes, which a reorg must not move; absent: as for all others. */
  readonly closeConfirmations?: number | undefined;
  /** Block in which the rollup was created; saves reading the chain from its beginning. */
  readonly firstBlock?: bigint | undefined;
  /** Batches that go into one transaction at most, 1 to 16; absent: 8. */
  readonly batchesTogether?: number | undefined;
  /** After so long without inclusion a transaction is replaced by one that pays more. */
  readonly replaceMs?: number | undefined;
  readonly pollMs?: number | undefined;
  readonly feePerGasMax?: bigint | undefined;
  readonly feeLimits?: FeeLimits | undefined;
  /** Blocks by which one endpoint may be behind the other. */
  readonly headLagMax?: number | undefined;
  /** Age at which a head counts as stale (ms); absent on chains that mine on demand. */
  readonly headAgeMsMax?: number | undefined;
  /** What must outlive the process; absent: nothing does. */
  readonly values?: DurableValues | undefined;
  readonly clock?: Clock | undefined;
  readonly logger: Logger;
  /** Ends waiting for inclusion. */
  readonly signal?: AbortSignal | undefined;
}

const HEAD_LAG_MAX = 8;

export function createSettlementLayer(options: SettlementLayerOptions): SettlementLayer {
  const { rpcUrl, witnessUrl, rollup, account, logger } = options;
  const { firstBlock = 0n, headLagMax = HEAD_LAG_MAX, clock = { now: Date.now } } = options;
  const batchesTogether = Math.min(
    options.batchesTogether ?? BATCHES_TOGETHER,
    BATCHES_TOGETHER_MAX,
  );
  const reader = createRollupReader({ rpcUrl, rollup, firstBlock });
  const witness = witnessUrl && createRollupReader({ rpcUrl: witnessUrl, rollup, firstBlock });
  const conditions = createConditions(logger);
  const parts = {
    ...{ ...options, reader, witness: witness || undefined, conditions, clock, headLagMax },
    values: options.values ?? memoryValues(),
  };
  const watch = createChainWatch({ ...parts, account: account?.address });
  const queue = createQueueReader({ ...parts, watch });
  const freeze = createFreezeWatch(parts);
  const { assertEntries } = queue;
  const validatorsAt = createValidatorReader(reader);
  const submitter = account && createBatchSubmitter({ ...parts, watch, account, assertEntries });

  const submit = async (batches: readonly SubmittedBatch[]): Promise<readonly AnchoredBatch[]> => {
    if (submitter === undefined) throw new SettlementError("there is no account to submit with");
    const sealed = batches.map(({ batch }) => batch);
    const count = togetherCount(sealed, batchesTogether);
    const [first, ...others] = batches.slice(0, count);
    return first === undefined ? [] : submitter.submit([first, ...others]);
  };

  return withoutAddresses({
    domain: () =>
      reader.client.readContract({ address: rollup, abi: rollupAbi, functionName: "domain" }),
    anchored: async () => {
      const { hash } = await watch.check();
      const { batch: number, root } = await readNumbers(reader, hash);
      if (witness) await confirmAnchoredBy(witness, conditions, { number, root });
      return { number, root };
    },
    queued: async (fromQueueId, served) => {
      conditions.assertGoing();
      const entries = await queue.queued(fromQueueId, served);
      await freeze.check(watch.stats().confirmed);
      return entries;
    },
    submitBatch: async (batch, proof, attestations = []) => {
      const [anchored] = await submit([{ batch, proof, attestations }]);
      return anchored!;
    },
    ...{ submitBatches: submit, batchesTogether },
    validators: async () => {
      const { confirmed } = watch.stats();
      return validatorsAt(confirmed === null ? (await watch.check()).confirmed : BigInt(confirmed));
    },
    report: () => {
      const { head, confirmed, reorgs, deepest: deepestReorg } = watch.stats();
      const { replacements = 0, hour = 0n, day = 0n } = submitter?.stats() ?? {};
      const [paused, stopped] = [conditions.paused(), conditions.stopped()];
      const fees = { replacements, spentHour: hour, spentDay: day };
      const chain = { head, confirmed, reorgs, deepestReorg, frozenAt: freeze.frozenAt() };
      return { paused, stopped, ...chain, ...fees };
    },
  });
}

/** Its word too: whoever finds another root on layer one than its own ends for good. */
async function confirmAnchoredBy(
  witness: RollupReader,
  conditions: Conditions,
  own: { readonly number: number; readonly root: bigint },
): Promise<void> {
  const { batch, root } = await readNewest(witness);
  if (batch !== own.number || root !== own.root) {
    const said = `\`${own.number}\`, root \`${own.root}\` and \`${batch}\`, root \`${root}\``;
    throw conditions.pause("anchored", `the endpoints disagree on the last batch: ${said}`);
  }
  conditions.resume("anchored");
}

/** Roles log what they catch. */
function withoutAddresses(layer: SettlementLayer): SettlementLayer {
  const told =
    <A extends unknown[], T>(run: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> =>
      run(...args).catch((error: unknown) => {
        throw withoutAddress(error);
      });
  const { submitBatches, batchesTogether = 1 } = layer;
  return {
    domain: told(layer.domain),
    anchored: told(layer.anchored),
    queued: told(layer.queued),
    submitBatch: told(layer.submitBatch),
    ...(submitBatches && { submitBatches: told(submitBatches), batchesTogether }),
    validators: told(layer.validators),
    report: layer.report,
  };
}

function memoryValues(): DurableValues {
  const values = new Map<string, unknown>();
  return {
    get: async (name) => values.get(name),
    set: async (name, value) => void values.set(name, value),
    delete: async (name) => void values.delete(name),
  };
}
