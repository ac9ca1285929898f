/** Runs the circom compiler, the npm package `circom2`, in a process of its own. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

export interface CompiledFiles {
  readonly r1csFile: string;
  readonly wasmFile: string;
  readonly symFile: string;
  /** What the compiler said. */
  readonly output: string;
}

const require = createRequire(import.meta.url);

/**
 * Compiles a main file that lies in `folder` together with all it includes: the compiler sees no
 * file above the folder it runs in.
 */
export async function compile(mainFile: string, flags: readonly string[]): Promise<CompiledFiles> {
  const folder = dirname(mainFile);
  const compiler = join(dirname(require.resolve("circom2/package.json")), "cli.js");
  const args = [compiler, basename(mainFile), ...flags];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours start with the escape.
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "").trim();
  if (code !== 0) throw new Error(`circom could not compile \`${mainFile}\` (${code}).\n${plain}`);
  const name = basename(mainFile, ".circom");
  return {
    r1csFile: join(folder, `${name}.r1cs`),
    wasmFile: join(folder, `${name}_js`, `${name}.wasm`),
    symFile: join(folder, `${name}.sym`),
    output: plain,
  };
}
