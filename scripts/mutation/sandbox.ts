/**
 * A copy of contracts and contract tests in a temporary folder, made to be changed: sources are
 * mutated or instrumented there and never in the checkout. It goes when the process ends, however
 * it ends.
 */
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const HARDHAT = join("node_modules", "hardhat", "dist", "src", "cli.js");
/** What the compiler was given for the sandbox's sources before any change. */
export const ORIGINAL = "original-input.json";

const COPIED = ["contracts", "test/contracts", "test/support", "test/agreement", "scripts"];
const COPIED_TOO = ["sequencer", "package.json", "hardhat.config.ts", "tsconfig.json"];
/** Too large to copy; no test that runs here writes into them. */
const LINKED = ["node_modules", "build", "circuits"];

/**
 * The test files in TypeScript that ask contracts alone and take seconds: provers, whole
 * deployments and other chains are too slow to repeat hundreds of times. Solidity tests all run.
 */
const NODE_TESTS = [
  ...["batches", "edges", "evidence", "exits", "forced", "governance", "queue", "roles"],
  ...["silences", "tokens", "validators", "withdrawals"],
];

/** Few runs, the same ones every time; without optimizer, which takes most of a compilation. */
const CONFIG = `import base from "./hardhat.base.config.ts";

const { default: local } = base.networks;
const { default: profile } = base.solidity.profiles;
export default {
  ...base,
  solidity: {
    ...base.solidity,
    profiles: {
      default: { ...profile, settings: { ...profile.settings, optimizer: { enabled: false } } },
    },
  },
  networks: { default: { ...local, allowUnlimitedContractSize: true } },
  test: {
    solidity: {
      fuzz: { runs: FUZZ_RUNS, seed: "0x5eed" },
      invariant: { runs: 8, depth: 48, failOnRevert: false },
    },
  },
};
`;

export interface Sandbox {
  readonly folder: string;
  /** Paths from the folder. */
  readonly solidityTests: readonly string[];
  readonly nodeTests: readonly string[];
}

const folders = new Set<string>();
const users = new Set<() => void>();

/** What works in sandboxes ends before they go. */
export function endWithSandboxes(end: () => void): () => void {
  users.add(end);
  return () => users.delete(end);
}

function removeAll(): void {
  for (const end of users) end();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

process.once("exit", removeAll);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    removeAll();
    process.exit(130);
  });
}

/** Fresh, with this many fuzz runs, or a copy of another sandbox with its build. */
export function createSandbox(from: number | Sandbox): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), "straddle-contracts-"));
  folders.add(folder);
  for (const name of LINKED) symlinkSync(join(ROOT, name), join(folder, name));
  mkdirSync(join(folder, "test"));
  const isFirst = typeof from === "number";
  const source = isFirst ? ROOT : from.folder;
  const built = isFirst ? [] : ["artifacts", "cache", "hardhat.base.config.ts", ORIGINAL];
  for (const name of [...COPIED, ...COPIED_TOO, ...built]) {
    cpSync(join(source, name), join(folder, name), { recursive: true });
  }
  const solidityTests = globSync("test/contracts/*.t.sol", { cwd: folder }).sort();
  if (isFirst) {
    renameSync(join(folder, "hardhat.config.ts"), join(folder, "hardhat.base.config.ts"));
    const config = CONFIG.replace("FUZZ_RUNS", String(from));
    writeFileSync(join(folder, "hardhat.config.ts"), config);
    for (const file of solidityTests) forgetFuzzRuns(join(folder, file));
  }
  return {
    folder,
    solidityTests,
    nodeTests: NODE_TESTS.map((name) => `test/contracts/${name}.test.ts`),
  };
}

export function removeSandbox({ folder }: Sandbox): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** Ten thousand runs of one test are for the test suite. */
function forgetFuzzRuns(file: string): void {
  const source = readFileSync(file, "utf8");
  writeFileSync(file, source.replace(/\/\/\/ forge-config: default\.fuzz\.runs = \d+/g, ""));
}
