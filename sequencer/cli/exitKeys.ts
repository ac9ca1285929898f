/** Where the exit circuit's program and keys are: named, or built here or in the repository. */
import { globSync, statSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { UsageError } from "./failure.ts";
import type { Session } from "./session.ts";

export interface KeyOptions {
  readonly wasm?: string;
  readonly zkey?: string;
  readonly vkey?: string;
}

export const REPOSITORY = path.join(import.meta.dirname, "..", "..");

export function addKeyOptions(command: Command): Command {
  const place = "(default: of build/, here or in the repository)";
  return command
    .option("--wasm <file>", `exit circuit's witness program ${place}`)
    .option("--zkey <file>", `exit circuit's proving key ${place}`)
    .option("--vkey <file>", `exit circuit's verification key ${place}`);
}

/** Throws {@link UsageError} for what is neither named nor built. */
export function exitKeys({ io }: Session, instance: string, options: KeyOptions) {
  const find = (name: "wasm" | "zkey" | "vkey", pattern: string) => {
    const given = options[name];
    if (given !== undefined) return path.resolve(io.folder, given);
    const found = newest(io.folder, pattern) ?? newest(REPOSITORY, pattern);
    if (found !== undefined || io.proveExit !== undefined) return found ?? "";
    throw new UsageError(
      `there is no \`${pattern}\`, neither here nor in the repository. Name the file that the ` +
        `rollup's setup has published with --${name}, or make one for a development rollup with ` +
        `\`npm run circuits -- --circuit exit --instance ${instance}\`.`,
    );
  };
  return {
    wasm: find("wasm", `build/circuits/exit-${instance}/*_js/*.wasm`),
    zkey: find("zkey", `build/keys/*exit-${instance}-*.zkey`),
    vkey: find("vkey", `build/keys/*exit-${instance}-*.vkey.json`),
  };
}

/** The file of the pattern that was written last, if there is any. */
export function newest(folder: string, pattern: string): string | undefined {
  const files = globSync(pattern, { cwd: folder }).map((file) => path.join(folder, file));
  return files.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}
