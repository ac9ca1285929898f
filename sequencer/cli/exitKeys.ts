/** Where the exit circuit's program and keys are. */
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

export function addKeyOptions(command: Command): Command {
  return command
    .option("--wasm <file>", "exit circuit's witness program (default: of build/)")
    .option("--zkey <file>", "exit circuit's proving key (default: of build/)")
    .option("--vkey <file>", "exit circuit's verification key (default: of build/)");
}

/** Throws {@link UsageError} for what is neither named nor in build/. */
export function exitKeys({ io }: Session, instance: string, options: KeyOptions) {
  const find = (name: "wasm" | "zkey" | "vkey", pattern: string) => {
    const given = options[name];
    if (given !== undefined) return path.resolve(io.folder, given);
    const files = globSync(pattern, { cwd: io.folder }).map((file) => path.join(io.folder, file));
    const [newest] = files.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
    if (newest !== undefined || io.proveExit !== undefined) return newest ?? "";
    throw new UsageError(`there is no \`${pattern}\` here: name the file with --${name}.`);
  };
  return {
    wasm: find("wasm", `build/circuits/exit-${instance}/*_js/*.wasm`),
    zkey: find("zkey", `build/keys/*exit-${instance}-*.zkey`),
    vkey: find("vkey", `build/keys/*exit-${instance}-*.vkey.json`),
  };
}
