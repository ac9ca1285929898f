/** `straddle evidence`: proof that somebody signed two histories, made and checked. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { encodeFunctionData, type Hex } from "viem";
import { compareWithLog, TwoHistoriesError } from "../client/receiptBook.ts";
import {
  checkEvidence,
  decodeEvidence,
  type Evidence,
  encodeEvidence,
} from "../consensus/evidence.ts";
import { domainOf } from "../l1/domain.ts";
import { validatorRegistryAbi } from "../l1/generated/abi.ts";
import { fitsLayerOne, slashReceiptsArgs, slashVotesArgs } from "../l1/slashing.ts";
import { type EvidenceRules, signerOf, type TwoReceipts } from "../protocol/evidence.ts";
import { exportKept } from "./evidenceExport.ts";
import { EXIT_CODES, UsageError } from "./failure.ts";
import { facts } from "./output.ts";
import { openReceiptFile } from "./receiptFile.ts";
import type { Run } from "./run.ts";
import { receiptFileOf, type Session } from "./session.ts";

const CHECK_HELP = `
Asks nobody: file and command line are all that counts. The deployment is that of --config, or of
--domain. Without --signers the key that is guilty is named, and whose key that is remains for you
to compare; a receipt against a certified log needs the validators' addresses, since anybody can
make up a certificate. Exit codes: 0 somebody is guilty, 3 it proves nothing, 2 it is no evidence.`;

const COLLECT_HELP = `
Compares the receipts of the file (see --receipts, which every command takes) with the log that the
node shows. Where one is not in it, the node's own signed answer and the receipt are evidence, and
are written to a file. Exit codes: 0 all of them are in the log, 3 one of them is not.`;

const EXPORT_HELP = `
A validator keeps two votes of another one that exclude each other; here they become files for
\`evidence check\`. <config> is that validator's configuration. Its store is opened by one process
at a time, so it must not be running. Only the sitting that the configuration names is looked at.
Exit codes: 0 evidence was written, 3 there is none.`;

interface CheckOptions {
  readonly domain?: string;
  readonly signers?: string;
  readonly validators?: string;
  readonly calldata?: boolean;
}

export function addEvidenceCommands(program: Command, run: Run): void {
  const evidence = program
    .command("evidence")
    .description("proof that a sequencer or validator signed what excludes each other");
  evidence
    .command("check")
    .description("who is guilty of what, by the file alone")
    .argument("<file>", "as `collect`, a client or a validator has written it")
    .option("--domain <integer>", "of the deployment: what its `domain()` says")
    .option("--signers <addresses>", "whose receipts count, separated by commas")
    .option("--validators <addresses>", "the validators, separated by commas")
    .option("--calldata", "also the call of the validator registry that punishes it")
    .addHelpText("after", CHECK_HELP)
    .action(run(check));
  evidence
    .command("collect")
    .description("look for own receipts in the node's log")
    .option("--out <file>", "where evidence goes", "evidence.json")
    .addHelpText("after", COLLECT_HELP)
    .action(run(collect));
  evidence
    .command("export")
    .description("what a validator has kept against the others, as files")
    .argument("<config>", "the validator's configuration")
    .option("--out <folder>", "where the files go", ".")
    .addHelpText("after", EXPORT_HELP)
    .action(run(exportKept));
}

async function check(
  { io, output, settings }: Session,
  [name]: readonly string[],
  options: CheckOptions,
): Promise<number> {
  const evidence = decodeEvidence(readText(path.resolve(io.folder, name!)));
  const { kind } = evidence;
  const domain =
    options.domain === undefined ? configuredDomain(settings) : domainInteger(options.domain);
  const rules = rulesFor(evidence, domain, options);
  const verdict = checkEvidence(evidence, rules);
  const call = verdict.isProven ? callOf(evidence) : null;
  output.result({ kind, ...verdict, call }, () => {
    if (!verdict.isProven) return `Proves nothing: ${verdict.reason}.`;
    const isNamed = (options.signers ?? options.validators) !== undefined;
    return facts([
      ["guilty", `${verdict.guilty}${isNamed ? "" : " (compare whose key that is)"}`],
      ["of", verdict.offence],
      ["layer one", call === null ? "cannot take it: too long, or of this kind" : "can punish it"],
      ...(options.calldata && call !== null ? [["call", call] as const] : []),
    ]);
  });
  return verdict.isProven ? 0 : EXIT_CODES.noEffect;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new UsageError(`\`${file}\` cannot be read.`);
  }
}

/** Whoever is not told whose keys count is told which key it is. */
function rulesFor(evidence: Evidence, domain: bigint, options: CheckOptions): EvidenceRules {
  const validators = addresses("--validators", options.validators);
  const signers = addresses("--signers", options.signers);
  const isOpen = options.signers === undefined && options.validators === undefined;
  if (evidence.kind === "votes") {
    return { domain, sequencers: [], validators: isOpen ? evidence.sitting.members : validators };
  }
  const place = evidence.kind === "receipts" ? evidence.first : evidence.receipt;
  const signer = signerOf(domain, place);
  const isAny = options.signers === undefined && (isOpen || evidence.kind === "block");
  return { domain, validators, sequencers: isAny ? [signer ?? ""] : signers };
}

/** Null where layer one has no function for it, or a transaction no room. */
function callOf(evidence: Evidence): Hex | null {
  const abi = validatorRegistryAbi;
  if (evidence.kind === "votes") {
    return encodeFunctionData({
      ...{ abi, functionName: "slashVotes", args: slashVotesArgs(evidence) },
    });
  }
  if (evidence.kind !== "receipts" || !fitsLayerOne(evidence)) return null;
  return encodeFunctionData({
    ...{ abi, functionName: "slashReceipts", args: slashReceiptsArgs(evidence) },
  });
}

async function collect(
  { io, output, exchange, info, options }: Session,
  _: readonly string[],
  { out }: { readonly out: string },
): Promise<number> {
  const name = receiptFileOf(options, io);
  if (name === undefined) throw new UsageError("`collect` needs --receipts FILE.");
  const domain = BigInt((await info()).domain);
  const write = (evidence: TwoReceipts): string => {
    const file = path.resolve(io.folder, out);
    writeFileSync(file, encodeEvidence(evidence));
    return file;
  };
  const kept = ownReceipts(name, domain);
  if ("kind" in kept) {
    const file = write(kept);
    output.result(
      { compared: 0, missing: [], file },
      () => `Two own receipts exclude each other: ${file}`,
    );
    return EXIT_CODES.noEffect;
  }
  const { compared, missing, evidence } = await compareWithLog(
    { domain, receipts: kept.receipts },
    exchange.log,
  );
  const file = evidence === null ? null : write(evidence);
  output.result({ compared, missing, file }, () => {
    if (file !== null) return `The node has signed two histories. Evidence: ${file}`;
    if (missing.length === 0) return `All ${compared} receipts are in the node's log.`;
    const positions = missing.slice(0, 20).join(", ");
    return `${missing.length} of ${compared} receipts are beyond the node's log: ${positions}.`;
  });
  return evidence === null && missing.length === 0 ? 0 : EXIT_CODES.noEffect;
}

function ownReceipts(file: string, domain: bigint) {
  try {
    return { receipts: openReceiptFile(file, domain).all() };
  } catch (error) {
    if (error instanceof TwoHistoriesError) return error.evidence;
    throw error;
  }
}

function configuredDomain({ rollup, chainId }: Session["settings"]): bigint {
  if (rollup === undefined || chainId === undefined) {
    throw new UsageError("which deployment? Name its file with --config, or its --domain.");
  }
  return domainOf(chainId, rollup);
}

/** A domain of the command line. Throws {@link UsageError}. */
export function domainInteger(text: string): bigint {
  if (/^(0x[0-9a-fA-F]{1,62}|\d{1,75})$/.test(text)) return BigInt(text);
  throw new UsageError(`--domain must be an integer of 248 bits. Got \`${text}\`.`);
}

/** Lower case. Throws {@link UsageError}. */
export function addresses(name: string, text = ""): string[] {
  const list = text === "" ? [] : text.toLowerCase().split(",");
  const wrong = list.find((address) => !/^0x[0-9a-f]{40}$/.test(address));
  if (wrong === undefined) return list;
  throw new UsageError(`${name} must be addresses, separated by commas. Got \`${wrong}\`.`);
}
