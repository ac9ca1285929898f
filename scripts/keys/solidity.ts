/** The Solidity compiler from npm without Hardhat: one source, the bytecode that Hardhat makes. */
import { createRequire } from "node:module";
import type { Abi, Hex } from "viem";

const require = createRequire(import.meta.url);

/** As in hardhat.config.ts: bytecode ends with a hash over these and the source's name. */
const SETTINGS = {
  evmVersion: "cancun",
  optimizer: { enabled: true, runs: 200 },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
  remappings: [],
};

export interface CompiledContract {
  readonly abi: Abi;
  readonly bytecode: Hex;
  /** What `eth_getCode` answers, as verifiers have no immutables. */
  readonly deployedBytecode: Hex;
}

interface Code {
  readonly object: string;
}

interface SolcOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { readonly abi: Abi; readonly evm: Record<"bytecode" | "deployedBytecode", Code> }
        >
      >
    >
  >;
}

/** `sourceName` as Hardhat gives it: `project/contracts/...`. The source imports nothing. */
export function compileContract(
  sourceName: string,
  contractName: string,
  source: string,
): CompiledContract {
  const solc = require("solc") as { compile(input: string): string };
  const sources = { [sourceName]: { content: source } };
  const input = JSON.stringify({ language: "Solidity", sources, settings: SETTINGS });
  const output = JSON.parse(solc.compile(input)) as SolcOutput;
  const fatal = output.errors?.find(({ severity }) => severity === "error");
  if (fatal !== undefined) throw new Error(fatal.formattedMessage);
  const contract = output.contracts?.[sourceName]?.[contractName];
  if (contract === undefined) throw new Error(`\`${sourceName}\` has no \`${contractName}\``);
  const { bytecode, deployedBytecode } = contract.evm;
  return {
    abi: contract.abi,
    bytecode: `0x${bytecode.object}`,
    deployedBytecode: `0x${deployedBytecode.object}`,
  };
}
