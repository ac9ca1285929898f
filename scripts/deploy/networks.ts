/** The networks that `npm run deploy` knows, and what a user's own file says of them. */
import { existsSync, readFileSync } from "node:fs";
import type { Chain } from "viem";
import { anvil, arbitrumSepolia, baseSepolia, hardhat, hoodi, sepolia } from "viem/chains";
import { z } from "zod";
import { DeployError } from "../deployVerifiers.ts";

export interface Network {
  readonly name: string;
  readonly chain: Chain;
  /** On this machine: test tokens, mocks and the node's own accounts are allowed. */
  readonly isLocal: boolean;
  /** Pays for layer one's data on top of gas, as OP-stack chains do. */
  readonly hasDataFee: boolean;
}

const remote = { isLocal: false, hasDataFee: false };
const local = { isLocal: true, hasDataFee: false };

export const NETWORKS: readonly Network[] = [
  { name: "sepolia", chain: sepolia, ...remote },
  { name: "base-sepolia", chain: baseSepolia, ...remote, hasDataFee: true },
  { name: "arbitrum-sepolia", chain: arbitrumSepolia, ...remote },
  { name: "hoodi", chain: hoodi, ...remote },
  { name: "hardhat", chain: hardhat, ...local },
  { name: "anvil", chain: anvil, ...local },
];

export const NETWORKS_FILE = ".straddle/networks.json";

const entrySchema = z.strictObject({
  rpc: z.url({ protocol: /^https?$/ }).optional(),
  keystore: z.string().optional(),
  passwordFile: z.string().optional(),
  etherscanKeyFile: z.string().optional(),
  blockscout: z.url({ protocol: /^https?$/ }).optional(),
  instance: z.string().optional(),
  token: z.string().optional(),
  oracles: z.string().optional(),
  operator: z.string().optional(),
  treasury: z.string().optional(),
  insurance: z.string().optional(),
  proposer: z.string().optional(),
  guardian: z.string().optional(),
  validators: z.string().optional(),
  setup: z.string().optional(),
  ptau: z.string().optional(),
  ptauSha256: z.string().optional(),
});
/** What the flags of the same names say, for one network. Flags come first. */
export type NetworkSettings = z.output<typeof entrySchema>;

export function networkOf(name: string): Network {
  const found = NETWORKS.find((network) => network.name === name);
  if (found !== undefined) return found;
  const known = NETWORKS.map((network) => network.name).join("`, `");
  throw new DeployError(`there is no network \`${name}\`; there are \`${known}\``);
}

/** Throws {@link DeployError} for a file that says what nobody understands, as a key would be. */
export function readNetworkSettings(file: string, network: string): NetworkSettings {
  if (!existsSync(file)) return {};
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new DeployError(`\`${file}\` is not JSON`);
  }
  const result = z.record(z.string(), entrySchema).safeParse(value);
  if (result.success) return result.data[network] ?? {};
  const { path, message } = result.error.issues[0]!;
  throw new DeployError(`\`${file}\`: \`${path.join(".")}\`: ${message}`);
}
