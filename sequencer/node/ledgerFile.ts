/**
 * A rebuilt ledger as a file: written once, believed only where it hashes to the root that layer
 * one has. Exits are proven from it without reading layer one's history again.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { exitClaim } from "../batch/exitWitness.ts";
import type { LedgerView } from "../batch/restore.ts";
import { poseidon } from "../protocol/hash.ts";
import {
  accountLeaf,
  emptyAccount,
  ledgerRoot,
  type Series,
  type Shape,
  seriesRoot,
} from "../protocol/state.ts";
import { createMerkleTree } from "../state/merkleTree.ts";
import { type ExitLedger, exitInstance } from "./exitProof.ts";

const VERSION = 1;

/** A ledger file that is not one, or not of this rollup's latest batch. */
export class LedgerFileError extends Error {
  override name = "LedgerFileError";
}

const decimal = z.string().regex(/^[0-9]{1,78}$/);
const integer = z.int();
const fileSchema = z.strictObject({
  version: z.literal(VERSION),
  chainId: z.int().min(1),
  rollup: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  /** Layer-one block up to which batches were read. */
  block: z.int().min(0),
  number: z.int().min(1),
  root: decimal,
  privateRoot: decimal,
  sizes: z.strictObject({ slots: integer, accountLevels: integer }),
  /** 1e-6 USDC, as cash is. */
  fees: integer,
  series: z.array(
    z.strictObject({
      isCall: z.boolean(),
      strike: integer,
      expiry: integer,
      generation: integer,
      status: z.enum(["empty", "listed", "settled"]),
      mark: integer,
      holders: integer,
    }),
  ),
  accounts: z.array(
    z.strictObject({
      account: integer,
      owner: z.string().regex(/^0x[0-9a-f]+$/),
      cash: integer,
      positions: z.array(integer),
    }),
  ),
});
export type LedgerFile = z.output<typeof fileSchema>;

export interface LedgerSource {
  readonly chainId: number;
  readonly rollup: string;
  readonly block: number;
  readonly sizes: LedgerFile["sizes"];
}

/** JSON-safe. The ledger must have applied a batch. */
export function ledgerFile(ledger: LedgerView, source: LedgerSource): LedgerFile {
  const { chainId, rollup, block, sizes } = source;
  const { slots, accountLevels } = sizes;
  return {
    version: VERSION,
    ...{ chainId, rollup, block, sizes: { slots, accountLevels } },
    number: ledger.number(),
    root: `${ledger.root()}`,
    privateRoot: `${ledger.privateRoot()}`,
    fees: ledger.fees(),
    series: ledger.series().map((series) => ({ ...series })),
    accounts: ledger.accountIds().map((account) => {
      const { owner, cash, positions } = ledger.account(account);
      return { account, owner: `0x${owner.toString(16)}`, cash, positions: [...positions] };
    }),
  };
}

/** Throws {@link LedgerFileError} unless the file's contents hash to `expected.root`. */
export function readLedgerFile(
  file: string,
  expected: { readonly rollup: string; readonly root: bigint },
): { readonly ledger: ExitLedger; readonly number: number } {
  const parsed = fileSchema.safeParse(parseJson(file));
  if (!parsed.success) {
    throw new LedgerFileError(`\`${file}\` is no ledger: ${z.prettifyError(parsed.error)}`);
  }
  const data = parsed.data;
  if (data.rollup.toLowerCase() !== expected.rollup.toLowerCase()) {
    throw new LedgerFileError(`\`${file}\` is of \`${data.rollup}\`, not \`${expected.rollup}\`.`);
  }
  const ledger = ledgerOf(data);
  if (ledger.root() !== expected.root) {
    throw new LedgerFileError(
      `\`${file}\` has the root \`${ledger.root()}\`, layer one \`${expected.root}\`: rebuild it.`,
    );
  }
  return { ledger, number: data.number };
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new LedgerFileError(`\`${file}\` cannot be read as JSON.`, { cause });
  }
}

function ledgerOf(data: LedgerFile): ExitLedger {
  const { instance, shape } = exitInstance(data.sizes);
  const view = viewOf(data, shape);
  const { unit } = shape;
  return {
    ...{ instance, unit, view },
    root: () => view.root(),
    claim: (account) => exitClaim(view, account, unit),
    apply() {
      throw new LedgerFileError("a ledger read from a file takes no further batches.");
    },
  };
}

function viewOf(data: LedgerFile, shape: Shape): LedgerView {
  const series: Series[] = data.series;
  const emptyLeaf = accountLeaf(emptyAccount(shape.slots));
  const tree = createMerkleTree({ levels: shape.accountLevels, emptyLeaf });
  const accounts = new Map(
    data.accounts.map(({ account, owner, ...rest }) => [
      account,
      { owner: BigInt(owner), ...rest },
    ]),
  );
  for (const { positions } of accounts.values()) assertLength(positions, shape.slots);
  assertLength(series, shape.slots);
  tree.setMany([...accounts].map(([id, account]) => [id, accountLeaf(account)] as const));
  const privateRoot = BigInt(data.privateRoot);
  // Never the file's own word for it.
  const half = ledgerRoot({ accounts: tree.root(), series: seriesRoot(series), fees: data.fees });
  const root = poseidon([half, privateRoot]);
  return {
    accounts: tree,
    number: () => data.number,
    root: () => root,
    privateRoot: () => privateRoot,
    account: (id) => accounts.get(id) ?? emptyAccount(shape.slots),
    accountIds: () => [...accounts.keys()].sort((left, right) => left - right),
    series: () => series,
    fees: () => data.fees,
  };
}

function assertLength({ length }: readonly unknown[], slots: number): void {
  if (length === slots) return;
  throw new LedgerFileError(`a vector of \`${length}\` where the rollup has \`${slots}\` slots.`);
}
