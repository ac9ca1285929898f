/** Runs the circom compiler from npm in a process of its own. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** Full simplification: a linear constraint costs Groth16 as much as any other. */
export const CIRCOM_FLAGS: readonly string[] = ["--r1cs", "--wasm", "--sym", "--O2"];

const require = createRequire(import.meta.url);

/** Enough to count constraints: no witness program, no symbols. */
export const COUNTING_FLAGS: readonly string[] = ["--r1cs", "--O2"];

/** What the compiler writes for a main file. */
export type CircuitFiles = {
  readonly r1csFile: string;
  readonly wasmFile: string;
  readonly symFile: string;
};

/** The names the compiler gives its outputs. */
export function outputsOf(mainFile: string, directory: string): CircuitFiles {
  const name = basename(mainFile, ".circom");
  return {
    r1csFile: join(directory, `${name}.r1cs`),
    wasmFile: join(directory, `${name}_js`, `${name}.wasm`),
    symFile: join(directory, `${name}.sym`),
  };
}

/** Compiles a main file into a folder that exists. Includes may start with `circomlib/`. */
export async function runCircom(
  mainFile: string,
  directory: string,
  flags: readonly string[] = CIRCOM_FLAGS,
): Promise<CircuitFiles> {
  // The compiler finds libraries only below the folder it runs in, hence the project's.
  const paths = [mainFile, "-o", directory].map((path) =>
    path.startsWith("-") ? path : relative(ROOT, path),
  );
  const compiler = join(packageFolder("circom2"), "cli.js");
  const args = [compiler, ...paths, ...flags, "-l", "node_modules"];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(explain(mainFile, output, code));
  return outputsOf(mainFile, directory);
}

/** The version of an installed package. */
export function packageVersion(name: string): string {
  const text = readFileSync(join(packageFolder(name), "package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

function packageFolder(name: string): string {
  return dirname(require.resolve(`${name}/package.json`));
}

const OUT_OF_MEMORY = /memory allocation of|rust_oom|out of memory|unreachable/i;

function explain(mainFile: string, output: string, code: number | null): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours start with the escape.
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "").trim();
  const what = `circom could not compile \`${mainFile}\``;
  if (OUT_OF_MEMORY.test(plain)) {
    return (
      `${what}: it ran out of the 4 GiB that WebAssembly can address, which happens at about ` +
      `a million constraints. Choose a smaller instance, or compile with a native circom.\n${plain}`
    );
  }
  return `${what} (exit code ${code}).\n${plain}`;
}
