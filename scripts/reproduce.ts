/**
 * `npm run reproduce`: builds circuits twice in empty folders and prints the hashes of constraints,
 * witness program, verification key, verifier source and bytecode. Fails where two builds differ,
 * or where a deployment's verifiers are not what these sources and setups give.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createPublicClient, http } from "viem";
import { z } from "zod";
import {
  CIRCUIT_NAMES,
  type CircuitName,
  instancesOf,
  mainSource,
  verifierHeader,
  verifierName,
} from "./circuits.ts";
import { instanceOf } from "./deployVerifiers.ts";
import { ROOT } from "./keys/circom.ts";
import { type Built, buildCleanly, differences, PRODUCTS } from "./keys/cleanBuild.ts";
import { createProgressBoard } from "./keys/progress.ts";
import { stopSnarkjs } from "./keys/snarkjsThreads.ts";
import { setupHashOf } from "./keys/transcript.ts";
import { SETUP_FILES } from "./keys/verifySetup.ts";

const HELP = `Builds circuits twice from nothing and compares every byte.

  npm run reproduce -- [options]

  --instance <name>     sizes, from circuits/instances.json (default: tiny)
  --circuit <name>      only this one: ${CIRCUIT_NAMES.join(", ")}
  --setup <folder>      folder with a ceremony's \`trade\`, \`ledger\` and \`exit\`, each as
                        \`ceremony.ts export\` wrote it; without it, the development keys
  --deployment <file>   a file of \`npm run deploy\`; compares the code of its verifiers
  --rpc <url>           the chain that it is on
  --keep                leave the builds in build/reproduce
  --help                this text
`;

const deploymentSchema = z.object({
  current: z.object({ verifiers: z.record(z.string(), z.string().startsWith("0x")) }),
});

interface Request {
  readonly instance: string;
  readonly setup: string | undefined;
}

async function reproduce(circuit: CircuitName, { instance, setup }: Request): Promise<Built> {
  const board = createProgressBoard();
  const built: Built[] = [];
  for (const time of ["first", "second"]) {
    const task = board.start(`${circuit} ${instance}, ${time} build`);
    const folder = join(ROOT, "build", "reproduce", `${time}-${circuit}-${instance}`);
    built.push(
      await buildCleanly({
        source: mainSource(circuit, instance),
        folder,
        contractName: verifierName(circuit, instance, setup === undefined),
        ...(setup === undefined
          ? { header: verifierHeader(circuit, instance) }
          : { setup: setupOf(join(setup, circuit)) }),
        onProgress: (stage) => task.update(stage),
      }),
    );
    task.finish("done");
  }
  const [first, second] = built as [Built, Built];
  for (const name of PRODUCTS) {
    console.log(`${circuit} ${instance} ${name.padEnd(8)} ${first.hashes[name]}`);
  }
  const differing = differences(first.hashes, second.hashes);
  if (differing.length === 0) return first;
  throw new Error(`two builds of \`${circuit}\` differ in \`${differing.join("`, `")}\``);
}

function setupOf(folder: string) {
  const key = join(folder, SETUP_FILES.key);
  return {
    key,
    setupHash: setupHashOf(readFileSync(join(folder, SETUP_FILES.transcript), "utf8")),
  };
}

/** Throws unless the chain has exactly this code at the deployment's address. */
export async function compareWithChain(
  built: ReadonlyMap<CircuitName, Built>,
  file: string,
  rpc: string,
): Promise<void> {
  const { current } = deploymentSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const client = createPublicClient({ transport: http(rpc) });
  for (const [circuit, { deployedBytecode }] of built) {
    const address = current.verifiers[circuit] as `0x${string}` | undefined;
    if (address === undefined) throw new Error(`\`${file}\` names no verifier of \`${circuit}\``);
    const code = await client.getCode({ address });
    if (code !== deployedBytecode) {
      throw new Error(`the code at \`${address}\` is not the verifier of \`${circuit}\``);
    }
    console.log(`${circuit} at ${address}: the same code`);
  }
}

/** All that a deployment of `instance` verifies with, or only one of them. */
export function circuitsOf(
  instance: string,
  only?: string,
): readonly { readonly circuit: CircuitName; readonly instance: string }[] {
  const known = [...new Set(CIRCUIT_NAMES.flatMap(instancesOf))];
  if (!known.includes(instance)) {
    throw new Error(
      `no circuit has an instance \`${instance}\`; there are \`${known.join("`, `")}\``,
    );
  }
  const circuits = CIRCUIT_NAMES.filter((name) => only === undefined || name === only);
  if (circuits.length === 0) {
    throw new Error(`there is no circuit \`${only}\`; there are \`${CIRCUIT_NAMES.join("`, `")}\``);
  }
  return circuits.map((circuit) => ({ circuit, instance: instanceOf(circuit, instance) }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      instance: { type: "string", default: "tiny" },
      circuit: { type: "string" },
      setup: { type: "string" },
      deployment: { type: "string" },
      rpc: { type: "string" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const { setup } = values;
  const circuits = circuitsOf(values.instance, values.circuit);
  if ((values.deployment === undefined) !== (values.rpc === undefined)) {
    throw new Error("`--deployment` and `--rpc` go together");
  }
  const built = new Map<CircuitName, Built>();
  try {
    for (const { circuit, instance } of circuits)
      built.set(circuit, await reproduce(circuit, { instance, setup }));
  } finally {
    if (!values.keep) rmSync(join(ROOT, "build", "reproduce"), { recursive: true, force: true });
  }
  if (values.deployment !== undefined && values.rpc !== undefined) {
    await compareWithChain(built, values.deployment, values.rpc);
  }
  console.log("both builds are the same");
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`reproduce: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
  await stopSnarkjs();
}
