/** `straddle verify`: receipts, certificates and batches, by the file alone. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import type { BatchFile } from "../client/batchWords.ts";
import { receiptSigner } from "../client/receipt.ts";
import { FormatError } from "../protocol/shape.ts";
import {
  type BatchOptions,
  type BatchVerdict,
  batchRows,
  batchVerdict,
  domainFor,
} from "./batchVerdict.ts";
import { addresses } from "./evidence.ts";
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
Asks nobody but, with --layer-one, layer one: else the file, the command line and the verification
key on this machine are all that counts. The deployment is that of --config.
The file is a receipt (\`straddle buy ... --json\`), receipts that --receipts has kept, a batch
with its certificate (\`straddle batch N --out FILE\`), or what an account had at a batch's end
(\`straddle proof --out FILE\`); an answer of the API with such a \`result\` will do.
Without --signers and --validators it names who has signed, and whose keys those are remains for
you to compare. A batch's Groth16 proof is checked by snarkjs, its public inputs made of the words
as the contract makes them, by the key that --trade-vkey or --ledger-vkey names, else the devnet's,
else one of the deployment's sizes in build/keys. --layer-one compares root, words and key with the
rollup's. What was checked, and against what, is in the answer. A batch whose proof cannot be
checked for want of a key is refused, unless --no-proof says so; beside a ledger proof it is said.
Files of evidence are for \`straddle evidence check\`.
Exit codes: 0 all of it holds, 3 something does not, 2 it is no such file.`;

interface VerifyOptions extends BatchOptions {
  readonly root?: string;
  readonly signers?: string;
}

export function addVerifyCommands(program: Command, run: Run): void {
  program
    .command("verify")
    .description("check receipts, a batch with its proof and certificate, or a ledger proof")
    .argument("<file>", "JSON, or JSON lines")
    .option("--signers <addresses>", "whose receipts count, separated by commas")
    .option("--validators <addresses>", "the validators, separated by commas")
    .option("--layer-one", "compare a batch, and the key of its proof, with the rollup's (--rpc)")
    .option("--trade-vkey <file>", "verification key of trade batches")
    .option("--ledger-vkey <file>", "verification key of ledger batches")
    .option("--no-proof", "leave the Groth16 proof of a batch unchecked")
    .option(
      "--domain <integer>",
      "of the deployment, where --config does not say it: its `domain()`",
    )
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
  proof: z.array(hex).nullish().default(null),
  certificate: z.array(attestation),
});

/** What one entry of the file turned out to be. */
interface Verdict {
  readonly what: string;
  readonly holds: boolean;
  readonly signers: readonly string[];
  readonly faults: readonly string[];
  /** Of a batch, or of the one in a ledger proof's file. */
  readonly batch?: BatchVerdict;
}

async function verify(
  session: Session,
  [name = ""]: readonly string[],
  options: VerifyOptions,
): Promise<number> {
  const { io, output } = session;
  const entries = readEntries(path.resolve(io.folder, name));
  const verdicts: Verdict[] = [];
  for (const entry of entries) verdicts.push(await verdictOf(entry, session, options));
  const holds = verdicts.every((verdict) => verdict.holds);
  output.result({ holds, verdicts: verdicts.map(jsonOf) }, () =>
    verdicts
      .map(({ what, signers, faults, batch, ...verdict }) =>
        facts([
          [what, verdict.holds ? "holds" : "does not hold"],
          ...(batch === undefined
            ? [["signed by", signers.length === 0 ? "nobody" : signers.join(", ")] as const]
            : batchRows(batch)),
          ...faults.map((fault) => ["fault", fault] as const),
        ]),
      )
      .join("\n\n"),
  );
  return holds ? 0 : EXIT_CODES.noEffect;
}

/** Roots are hex, as everywhere in JSON. */
function jsonOf({ batch, ...verdict }: Verdict) {
  if (batch === undefined) return verdict;
  const { proof, key, against, root } = batch;
  return { ...verdict, root: `0x${root.toString(16)}`, proof, key, against };
}

async function verdictOf(
  entry: unknown,
  session: Session,
  options: VerifyOptions,
): Promise<Verdict> {
  const { settings } = session;
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
  if (isProofFile(entry)) return proofVerdict(entry, session, options);
  const batch = batchSchema.safeParse(entry);
  if (batch.success) {
    const verdict = await batchVerdict(batch.data as unknown as BatchFile, { session, options });
    const { number, faults, signers } = verdict;
    const what = `batch ${number}`;
    return { what, holds: faults.length === 0, signers, faults, batch: verdict };
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
  session: Session,
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
  const known = await batchVerdict(given, { session, options, isBeside: true });
  const faults = [...known.faults, ...proofFaults(proof, known.root)];
  if (known.number !== proof.number) faults.push("the batch in the file is another one");
  if (known.signers.length === 0 && !known.against.includes("layer one")) {
    faults.push("nobody has signed the batch in the file");
  }
  return { what, holds: faults.length === 0, signers: known.signers, faults, batch: known };
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
