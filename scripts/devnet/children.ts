/** The processes of a devnet: started, watched, and ended one by one, by their own ids. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";
import path from "node:path";

/** How long a process may take to stop before it is killed (ms). */
const GRACE_MS = 10_000;
const TAIL_LINES = 15;
const END_WITH_PARENT = path.join(import.meta.dirname, "endWithParent.ts");

/** A process ended that should have gone on. */
export class ChildExitError extends Error {
  override name = "ChildExitError";
  readonly child: string;
  constructor(child: string, how: string, tail: string) {
    super(`${child} ended ${how}; the end of its log:\n${tail}`);
    this.child = child;
  }
}

export interface Children {
  /** Runs a node script. Its output goes to `logs/NAME.log`. */
  start(name: string, args: readonly string[], options?: { nice?: number }): ChildProcess;
  /** Ends one as a crash would. */
  kill(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  /** The last lines that it wrote. */
  tail(name: string): string;
  stopAll(): Promise<void>;
}

interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
}

/** `onExit`: a process has ended by itself. */
export function createChildren(options: {
  directory: string;
  root: string;
  onExit: (error: ChildExitError) => void;
}): Children {
  const { directory, root, onExit } = options;
  const running = new Map<string, Child>();
  const expected = new Set<ChildProcess>();
  const logFile = (name: string): string => path.join(directory, `${name}.log`);
  mkdirSync(directory, { recursive: true });

  function start(name: string, args: readonly string[], { nice = 0 } = {}): ChildProcess {
    const output = openSync(logFile(name), "a");
    const child = spawn(process.execPath, ["--import", END_WITH_PARENT, ...args], {
      cwd: root,
      // Not in the terminal's group: Ctrl-C is for this program, which then stops them in order.
      detached: true,
      stdio: ["ignore", output, output, "ipc"],
    });
    closeSync(output);
    const ended = new Promise<void>((resolve) => {
      child.once("error", () => resolve());
      child.once("exit", (code, signal) => {
        resolve();
        if (running.get(name)?.process === child) running.delete(name);
        if (expected.has(child)) return;
        const how = signal === null ? `with code ${code}` : `by ${signal}`;
        onExit(new ChildExitError(name, how, tail(name)));
      });
    });
    if (child.pid !== undefined && nice !== 0) setPriority(child.pid, nice);
    running.set(name, { process: child, ended });
    return child;
  }

  async function end(name: string, signal: NodeJS.Signals): Promise<void> {
    const child = running.get(name);
    if (child === undefined) return;
    expected.add(child.process);
    child.process.kill(signal);
    const timer = setTimeout(() => child.process.kill("SIGKILL"), GRACE_MS);
    await child.ended;
    clearTimeout(timer);
    running.delete(name);
  }

  function tail(name: string): string {
    try {
      const lines = readFileSync(logFile(name), "utf8").trimEnd().split("\n");
      return lines
        .slice(-TAIL_LINES)
        .map((line) => `  | ${line}`)
        .join("\n");
    } catch {
      return "  | (nothing)";
    }
  }

  return {
    start,
    tail,
    kill: (name) => end(name, "SIGKILL"),
    stop: (name) => end(name, "SIGTERM"),
    stopAll: async () => {
      await Promise.all([...running.keys()].map((name) => end(name, "SIGTERM")));
    },
  };
}
