/** `straddle proof`: what an account had at a batch's end, for anybody to check. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import {
  anchoredRoot,
  type LedgerProofAnswer,
  ledgerProofFaults,
  ledgerProofFromAnswer,
} from "../client/ledgerProof.ts";
import { ExchangeError } from "../client/rpcErrors.ts";
import { formatUsdc } from "../market/decimal.ts";
import { exitInstance, UnknownInstanceError } from "../node/exitProof.ts";
import type { LedgerProof } from "../protocol/ledgerProof.ts";
import { EXIT_CODES, UsageError } from "./failure.ts";
import { rollupReads } from "./layerOneState.ts";
import { facts } from "./output.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

const PROOF_HELP = `
Cash and positions of an account at the newest sealed batch's end, with the path to that batch's
state root. The file has the batch with its certificate too, so that \`straddle verify FILE\` needs
nothing else. --layer-one waits until the batch is anchored, and checks against the rollup's own
root instead of the node's word.
Exit codes: 0 it holds, 3 it does not.`;

interface ProofOptions {
  readonly account?: string;
  readonly out?: string;
  readonly layerOne?: boolean;
}

export function addProofCommand(program: Command, run: Run): void {
  program
    .command("proof")
    .description("prove an account's cash and positions from a batch's state root")
    .option("--account <n>", "of whom; without it, of the wallet's own")
    .option("--out <file>", "keep it there, for `straddle verify`")
    .option("--layer-one", "wait for layer one, and check against its root")
    .addHelpText("after", PROOF_HELP)
    .action(run(prove));
}

async function prove(
  session: Session,
  _args: readonly string[],
  options: ProofOptions,
): Promise<number> {
  const { exchange, io, output } = session;
  const account = await accountOf(session, options);
  const answer = await exchange.rpc.call("straddle/get_ledger_proof", { account });
  const proof = ledgerProofFromAnswer(answer);
  const checkedBy = options.layerOne === true ? "the rollup's root" : "the node's own root";
  const root = options.layerOne === true ? await rootOfLayerOne(session, answer) : proof.root;
  const faults = proofFaults(proof, root);
  if (options.out !== undefined) {
    const number = answer.batch_number;
    const batch = await exchange.rpc.call("straddle/get_batch_proof", { number }).catch(orNull);
    const text = JSON.stringify({ ledger_proof: answer, batch }, null, 2);
    writeFileSync(path.resolve(io.folder, options.out), `${text}\n`);
  }
  const holds = faults.length === 0;
  output.result({ ...answer, holds, faults }, () =>
    facts([
      ["account", account],
      ["at the end of batch", `${answer.batch_number}, ${answer.stage}`],
      ["cash", `${formatUsdc(proof.cash)} USDC`],
      ["positions", positionsText(proof.positions)],
      ["state root", answer.root],
      [checkedBy, holds ? "holds" : "does not hold"],
      ...faults.map((fault) => ["fault", fault] as const),
      ...(options.out === undefined ? [] : ([["kept in", options.out]] as const)),
    ]),
  );
  return holds ? 0 : EXIT_CODES.noEffect;
}

async function accountOf(session: Session, { account: text }: ProofOptions): Promise<number> {
  if (text === undefined) return (await session.account()).account;
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new UsageError(`--account must be the number of an account. Got \`${text}\`.`);
}

/** The certificate may be forgotten already, or the batch not stored yet. */
function orNull(error: unknown): null {
  if (error instanceof ExchangeError) return null;
  throw error;
}

const ANCHOR_MS_MAX = 3_600_000;
const POLL_MS = 1000;

async function rootOfLayerOne(
  session: Session,
  { batch_number: number }: LedgerProofAnswer,
): Promise<bigint> {
  const { exchange, output, settings } = session;
  const end = Date.now() + ANCHOR_MS_MAX;
  output.progress(`waiting until batch ${number} is anchored ...`);
  while ((await exchange.status()).anchored < number) {
    if (Date.now() > end) throw new Error(`batch \`${number}\` is not anchored within an hour.`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const { client, rollup } = await rollupReads(session);
  const fromBlock = BigInt(settings.fromBlock ?? 0);
  return anchoredRoot({ client, rollup, fromBlock }, number);
}

function positionsText(positions: readonly number[]): string {
  const held = [...positions.entries()].filter(([, lots]) => lots !== 0);
  if (held.length === 0) return "none";
  return held.map(([slot, lots]) => `${lots} lots of slot ${slot}`).join(", ");
}

const hex = z.string().regex(/^0x[0-9a-fA-F]{1,64}$/);
const proofFile = z.looseObject({
  ledger_proof: z.looseObject({
    batch_number: z.int().min(1),
    root: hex,
    account: z.int().min(0),
    owner: hex,
    cash: z.int(),
    positions: z.array(z.int()),
    siblings: z.array(z.array(hex)),
    series_root: hex,
    fees: z.int().min(0),
    private_root: hex,
  }),
});

export interface ProofFile {
  readonly ledger_proof: LedgerProofAnswer;
  readonly batch?: unknown;
}

export function isProofFile(entry: unknown): entry is ProofFile {
  return proofFile.safeParse(entry).success;
}

export function proofOf({ ledger_proof }: ProofFile): LedgerProof {
  return ledgerProofFromAnswer(ledger_proof);
}

export function proofText({ account, number, cash, positions }: LedgerProof): string {
  const has = `${formatUsdc(cash)} USDC, ${positionsText(positions)}`;
  return `account ${account} at the end of batch ${number}: ${has}`;
}

/** See `ledgerProofFaults`. Its sizes must be those of circuits that there are. */
export function proofFaults(proof: LedgerProof, root: bigint): string[] {
  const shape = { accountLevels: proof.siblings.length, slots: proof.positions.length };
  try {
    exitInstance(shape);
  } catch (error) {
    if (error instanceof UnknownInstanceError) return ["it is of no deployment's sizes"];
    throw error;
  }
  return ledgerProofFaults(proof, { root, shape });
}

/** Throws {@link UsageError}. */
export function rootOption(text: string): bigint {
  if (hex.safeParse(text).success) return BigInt(text);
  throw new UsageError(`--root must be 0x and 1 to 64 hex digits. Got \`${text}\`.`);
}
