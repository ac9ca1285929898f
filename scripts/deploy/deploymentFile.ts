/** `deployments/<network>.json`: where things are, and where they were. Versioned, checked. */
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { DeployError } from "../deployVerifiers.ts";
import { writeDurably } from "./journal.ts";

const VERSION = 1;
const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text as `0x${string}`);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
const decimal = z.string().regex(/^[0-9]{1,78}$/);
const byCircuit = <T extends z.ZodType>(schema: T) =>
  z.strictObject({ trade: schema, ledger: schema, exit: schema });

/** One deployment: what nodes must know of it, and how it came about. */
const recordSchema = z.looseObject({
  chainId: z.int().min(1),
  instance: z.string(),
  rollup: address,
  vault: address,
  token: address,
  registry: address,
  governance: address,
  verifiers: byCircuit(address),
  operator: address,
  treasury: address,
  insurance: address,
  oracles: z.array(z.strictObject({ x: decimal, y: decimal })),
  genesisRoot: decimal,
  domain: decimal,
  forcedDeadline: z.int().min(1),
  claimWindow: z.int().min(1),
  block: z.int().min(0),
  deployedAt: z.iso.datetime(),
  deployer: address,
  compiler: z.string(),
  /** sha256 of r1cs and transcript of each circuit; null with development keys or mocks. */
  setups: byCircuit(z.strictObject({ r1csHash: z.string(), setupHash: z.string() })).nullable(),
  contracts: z.array(
    z.strictObject({
      name: z.string(),
      address,
      transaction: hash.nullable(),
      block: z.int(),
      gasUsed: decimal,
      initCodeHash: hash,
    }),
  ),
});
export type DeploymentRecord = z.output<typeof recordSchema>;

const fileSchema = z
  .strictObject({
    version: z.literal(VERSION),
    network: z.string(),
    chainId: z.int().min(1),
    current: recordSchema,
    /** Earlier ones, the oldest first. */
    history: z.array(recordSchema),
  })
  .refine(
    ({ chainId, current, history }) =>
      [current, ...history].every((record) => record.chainId === chainId),
    "a deployment on another chain",
  );
export type DeploymentsFile = z.output<typeof fileSchema>;

/** undefined where there is none. Throws {@link DeployError} for one that is damaged. */
export function readDeployments(file: string): DeploymentsFile | undefined {
  if (!existsSync(file)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new DeployError(`\`${file}\` is not JSON`);
  }
  const result = fileSchema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new DeployError(`\`${file}\`: \`${path.join(".")}\`: ${message}`);
}

/**
 * Makes `record` the current one; what was current goes into the history, unless it is the same
 * deployment, recorded by a run that was interrupted right after.
 */
export function recordDeployment(file: string, network: string, record: DeploymentRecord): void {
  const before = readDeployments(file);
  if (before !== undefined && before.network !== network) {
    throw new DeployError(`\`${file}\` is of \`${before.network}\`, not of \`${network}\``);
  }
  const isKnown = before === undefined || before.current.rollup === record.rollup;
  const history = [...(before?.history ?? []), ...(isKnown ? [] : [before.current])];
  const { chainId } = record;
  const next = fileSchema.parse({ version: VERSION, network, chainId, current: record, history });
  writeDurably(file, `${JSON.stringify(next, null, 2)}\n`);
}
