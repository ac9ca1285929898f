/** A batch's file, checked: header, words, Groth16 proof, certificate, and against layer one. */
import { existsSync } from "node:fs";
import path from "node:path";
import { concat, keccak256, numberToHex } from "viem";
import { type BatchFile, wordsOf } from "../client/batchWords.ts";
import { anchoredBatch, certifiedRoot, NotAnchoredError } from "../client/ledgerProof.ts";
import { domainOf } from "../l1/domain.ts";
import { isBatchProofValid } from "../node/batchProof.ts";
import { FIELD_MODULUS } from "../protocol/constants.ts";
import { HEADER } from "../protocol/layout.ts";
import { addresses, domainInteger } from "./evidence.ts";
import { newest, REPOSITORY } from "./exitKeys.ts";
import { UsageError } from "./failure.ts";
import { rollupReads } from "./layerOneState.ts";
import type { Session } from "./session.ts";
import { verifierKeyFaults } from "./verifierKey.ts";

export interface BatchOptions {
  readonly domain?: string;
  readonly validators?: string;
  readonly layerOne?: boolean;
  readonly tradeVkey?: string;
  readonly ledgerVkey?: string;
  /** False: --no-proof. */
  readonly proof?: boolean;
}

export interface BatchContext {
  readonly session: Pick<Session, "settings" | "io">;
  readonly options: BatchOptions;
  /** The batch is not what was asked about: its proof may go unchecked, and is said to. */
  readonly isBeside?: boolean;
}

export interface BatchVerdict {
  readonly number: number;
  readonly root: bigint;
  readonly signers: readonly string[];
  readonly faults: readonly string[];
  /** What became of the Groth16 proof. */
  readonly proof: "holds" | "fails" | "absent" | "unchecked" | "keyless";
  /** The verification key's file that it was checked by. */
  readonly key: string | null;
  /** Who says, besides the file, that the root is the deployment's. */
  readonly against: readonly ("layer one" | "certificate")[];
}

type Settings = Session["settings"];

/** Throws {@link UsageError} where deployment or key are not known, FormatError for no batch. */
export async function batchVerdict(batch: BatchFile, context: BatchContext): Promise<BatchVerdict> {
  const { session, options } = context;
  const deployment = deploymentOf(session.settings);
  const members = addresses("--validators", options.validators);
  const certified = await certifiedRoot(batch, deployment, members);
  const words = wordsOf(batch);
  const proven = await provenBy(batch, words, context);
  const isAsked = options.layerOne === true;
  const anchored = isAsked ? await layerOneFaults(batch, words, session) : [];
  const { key } = proven;
  const keyFaults = isAsked && key !== null ? await keyFaultsOf(batch, key, session) : [];
  const { number, root, signers } = certified;
  const isCertified = members.length > 0 && certified.faults.length === 0;
  return {
    ...{ number, root, signers, proof: proven.proof, key },
    faults: [
      ...certified.faults,
      ...wordFaults(words, domainFor(session.settings, options)),
      ...(proven.proof === "fails" ? ["the Groth16 proof does not hold for these words"] : []),
      ...anchored,
      ...keyFaults,
    ],
    against: [
      ...(isAsked && anchored.length === 0 ? (["layer one"] as const) : []),
      ...(isCertified ? (["certificate"] as const) : []),
    ],
  };
}

/** For people, in the order in which one asks. */
export function batchRows(verdict: BatchVerdict): readonly (readonly [string, string])[] {
  const { proof, key, signers, against } = verdict;
  const proofTexts = {
    holds: `holds, by snarkjs and the key ${key}`,
    fails: `does not hold, by snarkjs and the key ${key}`,
    absent: "not checked: the file has none yet",
    unchecked: "not checked: --no-proof",
    keyless: "not checked: there is no key of it here (--trade-vkey, --ledger-vkey)",
  } as const;
  const said = against.map((who) => AGAINST[who]);
  const alone = signers.length === 0 ? "nothing: nobody but the file says so" : STRANGERS;
  return [
    ["proof", proofTexts[proof]],
    ["signed by", signers.length === 0 ? "nobody" : signers.join(", ")],
    ["root against", said.length === 0 ? alone : said.join("; ")],
  ];
}

const AGAINST: Readonly<Record<BatchVerdict["against"][number], string>> = {
  "layer one": "layer one: the rollup has anchored this root and these words",
  certificate: "a certificate: two thirds of --validators have signed it",
};
const STRANGERS = "signatures only: whose keys those are is for you to compare";

/** Throws {@link UsageError} where nothing says it. */
export function deploymentOf({ rollup, chainId }: Settings) {
  if (rollup !== undefined && chainId !== undefined) return { rollup, chainId };
  throw new UsageError("which deployment? Name its file with --config.");
}

export function domainFor(settings: Settings, { domain }: { readonly domain?: string }): bigint {
  if (domain !== undefined) return domainInteger(domain);
  const { chainId, rollup } = deploymentOf(settings);
  return domainOf(chainId, rollup);
}

function* wordFaults(words: readonly bigint[], domain: bigint): Generator<string> {
  if (words[HEADER.indexOf("domain")] !== domain) yield "the words are of another deployment";
  if (words.some((word) => word >= FIELD_MODULUS)) yield "a word is no element of the field";
}

/** A proof that is not checked would pass for one that holds: that must be asked for. */
async function provenBy(
  { kind, proof }: BatchFile,
  words: readonly bigint[],
  { session, options, isBeside = false }: BatchContext,
): Promise<Pick<BatchVerdict, "proof" | "key">> {
  if (proof === null) return { proof: "absent", key: null };
  if (options.proof === false) return { proof: "unchecked", key: null };
  const key = keyOf(kind, session, options);
  if (key === undefined && isBeside) return { proof: "keyless", key: null };
  if (key === undefined) {
    throw new UsageError(
      `the batch has a proof, and there is no verification key of \`${kind}\` to check it by: ` +
        `name the deployment's with --${kind}-vkey, or leave the proof out with --no-proof.`,
    );
  }
  const statement = { kind, words, proof: proof.map(BigInt) };
  return { proof: (await isBatchProofValid(statement, key)) ? "holds" : "fails", key };
}

/** Named, beside the devnet's file, or of the deployment's sizes in a folder `build`. */
function keyOf(
  kind: BatchFile["kind"],
  { settings, io }: BatchContext["session"],
  options: BatchOptions,
): string | undefined {
  const named = kind === "trade" ? options.tradeVkey : options.ledgerVkey;
  if (named !== undefined) {
    const file = path.resolve(io.folder, named);
    if (existsSync(file)) return file;
    throw new UsageError(`\`${file}\` cannot be read.`);
  }
  const { folder, instance } = settings;
  const beside = folder === undefined ? "" : path.join(folder, "circuits", `${kind}.vkey.json`);
  if (existsSync(beside)) return beside;
  const pattern = `build/keys/*${kind}-${instance}-*.vkey.json`;
  if (instance === undefined) return undefined;
  return newest(io.folder, pattern) ?? newest(REPOSITORY, pattern);
}

async function layerOneFaults(
  { number, commitment }: BatchFile,
  words: readonly bigint[],
  session: BatchContext["session"],
): Promise<string[]> {
  const { client, rollup } = await rollupReads(session);
  const fromBlock = BigInt(session.settings.fromBlock ?? 0);
  try {
    const anchored = await anchoredBatch({ client, rollup, fromBlock }, number);
    const wordsHash = keccak256(concat(words.map((word) => numberToHex(word, { size: 32 }))));
    return [
      ...(anchored.root === words[HEADER.indexOf("rootAfter")]
        ? []
        : ["layer one has anchored another root"]),
      ...(anchored.commitment === BigInt(commitment) && anchored.wordsHash === wordsHash
        ? []
        : ["layer one has anchored other words"]),
    ];
  } catch (error) {
    if (error instanceof NotAnchoredError) return [error.message];
    throw error;
  }
}

async function keyFaultsOf(
  { kind }: BatchFile,
  key: string,
  session: BatchContext["session"],
): Promise<string[]> {
  const { client, rollup } = await rollupReads(session);
  return verifierKeyFaults({ client, rollup, kind }, key);
}
