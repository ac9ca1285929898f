/** Child processes of the benchmark; they end with it. */
import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";

export function startChild(script: string, argument: string): ChildProcess {
  return fork(path.join(import.meta.dirname, script), [argument], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}
