/** `straddle verify`: receipts, certificates and batches, by the file alone. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import type { Deployment } from "../client/batchCheck.ts";
import type { BatchFile } from "../client/batchWords.ts";
import { certifiedRoot } from "../client/ledgerProof.ts";
import { receiptSigner } from "../client/receipt.ts";
import { domainOf } from "../l1/domain.ts";
import { FormatError } from "../protocol/shape.ts";
import { addresses, domainInteger } from "./evidence.ts";
import { EXIT_CODES, UsageError } from "./failure.ts";
import { facts } from "./output.ts";
import {
  isProofFile,
  type ProofFile,
  proofFaults,
  proofOf,
  proofText,
  rootOption,
} from "./proof.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

const VERIFY_HELP = `
Asks nobody: the file and the command line are all that counts. The deployment is that of --config.
The file is a receipt (\`straddle buy ... --json\`), receipts that --receipts has kept, a batch
with its certificate (\`straddle batch N --out FILE\`), or what an account had at a batch's end
(\`straddle proof --out FILE\`); an answer of the API with such a \`result\` will do.
Without --signers and --validators it names who has signed, and whose keys those are remains for
you to compare. The batch's Groth16 proof is checked by layer one. Files of evidence are for
\`straddle evidence check\`.
Exit codes: 0 all of it holds, 3 something does not, 2 it is no such file.`;

interface VerifyOptions {
  readonly domain?: string;
  readonly root?: string;
  readonly signers?: string;
  readonly validators?: string;
}

export function addVerifyCommands(program: Command, run: Run): void {
  program
    .command("verify")
    .description("check receipts, a batch with its certificate, or a ledger proof, offline")
    .argument("<file>", "JSON, or JSON lines")
    .option("--signers <addresses>", "whose receipts count, separated by commas")
    .option("--validators <addresses>", "the validators, separated by commas")
    .option("--domain <integer>", "of the receipts' deployment: what its `domain()` says")
    .option("--root <hex>", "the state root that a ledger proof must lead to")
    .addHelpText("after", VERIFY_HELP)
    .action(run(verify));
  program
    .command("batch")
    .description("what layer one is given of a batch: words, proof, certificate")
    .argument("<number>", "of a sealed batch")
    .option("--out <file>", "keep it there, for `straddle verify`")
    .action(run(batch));
}

async function batch(
  { exchange, io, output }: Session,
  [text = ""]: readonly string[],
  { out }: { readonly out?: string },
): Promise<void> {
  const number = Number(text);
  if (!/^[1-9]\d{0,14}$/.test(text)) {
    throw new UsageError(`\`number\` must be an integer from 1. Got \`${text}\`.`);
  }
  const answer = await exchange.rpc.call("straddle/get_batch_proof", { number });
  if (out !== undefined) {
    writeFileSync(path.resolve(io.folder, out), `${JSON.stringify(answer, null, 2)}\n`);
  }
  output.result(answer, () =>
    facts([
      ["batch", `${answer.number}, ${answer.kind}`],
      ["words", answer.words.length],
      ["root after", answer.root_after],
      ["proof", answer.proof === null ? "not yet" : "there"],
      ["certificate", `${answer.certificate.length} attestations`],
      ...(out === undefined ? [] : ([["kept in", out]] as const)),
    ]),
  );
}

const receiptSchema = z.looseObject({
  logPosition: z.int().min(0),
  logHash: z.string().regex(/^[0-9a-f]{64}$/),
  signature: z.string().regex(/^0x[0-9a-f]{130}$/i),
});

/** One line of the file that `--receipts` names. */
const keptSchema = z.looseObject({
  domain: z.string().regex(/^0x[0-9a-f]{1,64}$/),
  position: z.int().min(0),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  signature: z.string().regex(/^0x[0-9a-f]{130}$/i),
});

const hex = z.string().regex(/^0x[0-9a-fA-F]{1,64}$/);
const attestation = z.looseObject({
  validator: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  root: hex,
  words_hash: z.string(),
  log_hash: z.string(),
  signature: z.string(),
});
const batchSchema = z.looseObject({
  number: z.int().min(1),
  kind: z.enum(["trade", "ledger"]),
  root_before: hex,
  root_after: hex,
  words: z.array(hex),
  commitment: hex,
  certificate: z.array(attestation),
});

/** What one entry of the file turned out to be. */
interface Verdict {
  readonly what: string;
  readonly holds: boolean;
  readonly signers: readonly string[];
  readonly faults: readonly string[];
}

async function verify(
  { io, output, settings }: Session,
  [name = ""]: readonly string[],
  options: VerifyOptions,
): Promise<number> {
  const entries = readEntries(path.resolve(io.folder, name));
  const verdicts: Verdict[] = [];
  for (const entry of entries) verdicts.push(await verdictOf(entry, settings, options));
  const holds = verdicts.every((verdict) => verdict.holds);
  output.result({ holds, verdicts }, () =>
    verdicts
      .map(({ what, signers, faults, ...verdict }) =>
        facts([
          [what, verdict.holds ? "holds" : "does not hold"],
          ["signed by", signers.length === 0 ? "nobody" : signers.join(", ")],
          ...faults.map((fault) => ["fault", fault] as const),
        ]),
      )
      .join("\n\n"),
  );
  return holds ? 0 : EXIT_CODES.noEffect;
}

type Settings = Session["settings"];

/** Throws {@link UsageError} where nothing says it. */
function deploymentOf({ rollup, chainId }: Settings): Deployment {
  if (rollup !== undefined && chainId !== undefined) return { rollup, chainId };
  throw new UsageError("which deployment? Name its file with --config.");
}

function domainFor(settings: Settings, { domain }: VerifyOptions): bigint {
  if (domain !== undefined) return domainInteger(domain);
  const { chainId, rollup } = deploymentOf(settings);
  return domainOf(chainId, rollup);
}

async function verdictOf(
  entry: unknown,
  settings: Settings,
  options: VerifyOptions,
): Promise<Verdict> {
  const receipt = receiptSchema.safeParse(entry);
  if (receipt.success) return receiptVerdict(receipt.data, domainFor(settings, options), options);
  const kept = keptSchema.safeParse(entry);
  if (kept.success) {
    const domain = domainFor(settings, options);
    const { position: logPosition, hash: logHash, signature } = kept.data;
    const verdict = receiptVerdict({ logPosition, logHash, signature }, domain, options);
    if (BigInt(kept.data.domain) === domain) return verdict;
    return { ...verdict, holds: false, faults: ["it is of another deployment"] };
  }
  if (isProofFile(entry)) return proofVerdict(entry, settings, options);
  const batch = batchSchema.safeParse(entry);
  if (batch.success) {
    return batchVerdict(batch.data as unknown as BatchFile, deploymentOf(settings), options);
  }
  throw new FormatError(
    `it is neither a receipt, a batch nor a ledger proof: ${z.prettifyError(batch.error)}`,
  );
}

function receiptVerdict(
  receipt: z.output<typeof receiptSchema>,
  domain: bigint,
  options: VerifyOptions,
): Verdict {
  const wanted = addresses("--signers", options.signers);
  const signature = receipt.signature as `0x${string}`;
  const signer = receiptSigner({ ...receipt, signature }, domain);
  const faults = signer === undefined ? ["its signature is nobody's"] : [];
  if (signer !== undefined && wanted.length > 0 && !wanted.includes(signer)) {
    faults.push("its signer is none of --signers");
  }
  const signers = signer === undefined ? [] : [signer];
  const what = `receipt of log position ${receipt.logPosition}`;
  return { what, holds: faults.length === 0, signers, faults };
}

/** The root that it must lead to is --root, or that of the file's batch with its certificate. */
async function proofVerdict(
  file: ProofFile,
  settings: Settings,
  options: VerifyOptions,
): Promise<Verdict> {
  const proof = proofOf(file);
  const what = proofText(proof);
  if (options.root !== undefined) {
    const faults = proofFaults(proof, rootOption(options.root));
    return { what, holds: faults.length === 0, signers: [], faults };
  }
  const batch = batchSchema.safeParse(file.batch);
  if (!batch.success) throw new UsageError("no batch is in the file: give the root with --root.");
  const given = batch.data as unknown as BatchFile;
  const members = addresses("--validators", options.validators);
  const known = await certifiedRoot(given, deploymentOf(settings), members);
  const faults = [...known.faults, ...proofFaults(proof, known.root)];
  if (known.number !== proof.number) faults.push("the batch in the file is another one");
  if (known.signers.length === 0) faults.push("nobody has signed the batch in the file");
  return { what, holds: faults.length === 0, signers: known.signers, faults };
}

async function batchVerdict(
  batch: BatchFile,
  deployment: Deployment,
  options: VerifyOptions,
): Promise<Verdict> {
  const members = addresses("--validators", options.validators);
  const { number, faults, signers } = await certifiedRoot(batch, deployment, members);
  return { what: `batch ${number}`, holds: faults.length === 0, signers, faults };
}

/** Entries that one file may have. */
const ENTRIES_MAX = 100_000;

function readEntries(file: string): unknown[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new UsageError(`\`${file}\` cannot be read.`);
  }
  const whole = parsed(text);
  if (whole !== undefined) return [unwrapped(whole)];
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const entries = lines.slice(0, ENTRIES_MAX + 1).map(parsed);
  if (lines.length === 0 || entries.includes(undefined) || entries.length > ENTRIES_MAX) {
    throw new UsageError(`\`${file}\` is neither JSON nor JSON lines.`);
  }
  return entries;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** An answer of the API, or of a command that gives more than the receipt. */
function unwrapped(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("result" in value) return unwrapped(value.result);
  return "receipt" in value ? value.receipt : value;
}
