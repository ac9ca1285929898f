/** Solidity verifiers from snarkjs' own template, named, marked and tidied. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { zKey } from "snarkjs";
import { assertKeyIsSound } from "./checkKey.ts";
import { DEV_KEY_MARK } from "./devSecrets.ts";
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
  /** The sha256 of the setup's transcript, in hex. A development key has no setup. */
  readonly setupHash?: string | undefined;
};

/** Returns the source of a verifier contract, the same text for the same key. */
export async function exportSolidityVerifier(request: VerifierRequest): Promise<string> {
  assertKeyIsSound(request.zkeyFile);
  return renderVerifier(request);
}

/**
 * As {@link exportSolidityVerifier}, whatever the key is worth: for tests of what refuses it.
 *
 * The contract states where its key comes from in KEY_ORIGIN, the circuit that it is for in
 * R1CS_HASH, what vouches for the key in SETUP_HASH, and the points that its soundness hangs on,
 * for the rollup's constructor, deployment scripts and anybody else to check.
 */
export async function renderVerifier(request: VerifierRequest): Promise<string> {
  const { zkeyFile, contractName } = request;
  if (!/^[A-Z][A-Za-z0-9]*$/.test(contractName)) {
    throw new Error(`\`${contractName}\` is not a contract name; use letters and digits`);
  }
  const key = readKeyFile(zkeyFile);
  const isDevelopment = key.origin === "insecure-development";
  const r1csHash = checkedHash(request.r1csHash ?? key.r1csHash, zkeyFile, ".r1cs file");
  const published = isDevelopment ? Buffer.from(DEV_KEY_MARK).toString("hex") : undefined;
  const setupHash = checkedHash(published ?? request.setupHash, zkeyFile, "transcript");
  const template = readTemplate();
  const source: string = await zKey.exportSolidityVerifier(zkeyFile, { groth16: template });
  const contract = [
    `contract ${contractName} {`,
    "    /// Where the key comes from.",
    `    string public constant KEY_ORIGIN = "${key.origin}";`,
    "    /// The sha256 of the circuit's .r1cs file.",
    `    bytes32 public constant R1CS_HASH = 0x${r1csHash};`,
    isDevelopment
      ? "    /// No setup: the sha256 by which development keys are marked."
      : "    /// The sha256 of the setup's transcript.",
    `    bytes32 public constant SETUP_HASH = 0x${setupHash};`,
    "",
    "    /// Gamma and delta, which must differ: where they are equal, anybody can forge proofs.",
    "    function keyPoints() external pure returns (uint256[4] memory, uint256[4] memory) {",
    "        return (",
    "            [gammax1, gammax2, gammay1, gammay2],",
    "            [deltax1, deltax2, deltay1, deltay2]",
    "        );",
    "    }",
    "",
    ...verifyingKeyLines(source),
    "",
  ].join("\n");
  const comment = [
    "GENERATED: do not edit.",
    ...(isDevelopment ? [INSECURE_LINE] : []),
    ...request.header,
  ].map((line) => `// ${line}`);
  const [license = "", ...rest] = source.replace(TEMPLATE_NAME, () => contract).split("\n");
  return tidy([license, ...comment, ...rest]);
}

/** The whole key, for proofs that are verified together: contracts/libraries/BatchedGroth16.sol. */
function verifyingKeyLines(source: string): string[] {
  const inputs = source.match(/uint256 constant IC\d+x/g)?.length ?? 0;
  const points = [
    ["alphax", "alphay"],
    ...["beta", "gamma", "delta"].map((name) => ["x1", "x2", "y1", "y2"].map((at) => name + at)),
    ...Array.from({ length: inputs }, (_, index) => [`IC${index}x`, `IC${index}y`]),
  ];
  const words = points.flat().length;
  return [
    "    /// alpha, beta, gamma, delta and the points of the public signals, in this order.",
    `    function verifyingKey() external pure returns (uint256[${words}] memory) {`,
    "        return [",
    points.map((point) => `            ${point.join(", ")}`).join(",\n"),
    "        ];",
    "    }",
  ];
}

function checkedHash(hash: string | undefined, zkeyFile: string, of: string): string {
  if (hash !== undefined && /^[0-9a-f]{64}$/.test(hash)) return hash;
  throw new Error(`\`${zkeyFile}\` needs the sha256 of its ${of}, 64 hex digits`);
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
