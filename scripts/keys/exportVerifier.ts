/** Solidity verifiers from snarkjs' own template, named, marked and tidied. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { zKey } from "snarkjs";
import { assertKeyIsSound } from "./checkKey.ts";
import { readKeyFile } from "./keyFile.ts";

const TEMPLATE_NAME = "contract Groth16Verifier {";
const INSECURE_LINE = "INSECURE DEVELOPMENT KEY: anybody can forge proofs.";

/** Which key, under which name. `header` holds the lines of the leading comment. */
export type VerifierRequest = {
  readonly zkeyFile: string;
  readonly contractName: string;
  readonly header: readonly string[];
  /** The sha256 of the .r1cs file, in hex. A development key carries it; others must be told. */
  readonly r1csHash?: string | undefined;
};

/**
 * Returns the source of a verifier contract, the same text for the same key.
 *
 * The contract states where its key comes from in KEY_ORIGIN, for deployment scripts to refuse a
 * development key, and the circuit it is for in R1CS_HASH.
 */
export async function exportSolidityVerifier(request: VerifierRequest): Promise<string> {
  const { zkeyFile, contractName } = request;
  if (!/^[A-Z][A-Za-z0-9]*$/.test(contractName)) {
    throw new Error(`\`${contractName}\` is not a contract name; use letters and digits`);
  }
  assertKeyIsSound(zkeyFile);
  const key = readKeyFile(zkeyFile);
  const r1csHash = request.r1csHash ?? key.r1csHash;
  if (r1csHash === undefined || !/^[0-9a-f]{64}$/.test(r1csHash)) {
    throw new Error(`\`${zkeyFile}\` needs the sha256 of its .r1cs file, 64 hex digits`);
  }
  const template = readTemplate();
  const source: string = await zKey.exportSolidityVerifier(zkeyFile, { groth16: template });
  const contract = [
    `contract ${contractName} {`,
    "    /// Where the key comes from.",
    `    string public constant KEY_ORIGIN = "${key.origin}";`,
    "    /// The sha256 of the circuit's .r1cs file.",
    `    bytes32 public constant R1CS_HASH = 0x${r1csHash};`,
    "",
  ].join("\n");
  const comment = [
    "GENERATED: do not edit.",
    ...(key.origin === "insecure-development" ? [INSECURE_LINE] : []),
    ...request.header,
  ].map((line) => `// ${line}`);
  const [license = "", ...rest] = source.replace(TEMPLATE_NAME, () => contract).split("\n");
  return tidy([license, ...comment, ...rest]);
}

function readTemplate(): string {
  const entry = createRequire(import.meta.url).resolve("snarkjs");
  // The entry point lies in `build`, the templates beside it.
  const file = join(dirname(entry), "..", "templates", "verifier_groth16.sol.ejs");
  const template = readFileSync(file, "utf8");
  if (!template.includes(TEMPLATE_NAME)) {
    throw new Error(`snarkjs' template no longer contains \`${TEMPLATE_NAME}\``);
  }
  return template;
}

/** Removes what the template leaves behind: trailing blanks and runs of empty lines. */
function tidy(lines: readonly string[]): string {
  const text = lines.map((line) => line.trimEnd()).join("\n");
  const compact = text
    .replace(/\n{3,}/g, "\n\n")
    .replace(/(IC\d+[xy] = \d+;\n)\n(?=\s*uint256 constant IC)/g, "$1");
  return `${compact.trimEnd()}\n`;
}
