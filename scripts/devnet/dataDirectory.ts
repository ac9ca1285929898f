/**
 * The folder of a devnet. Its chain lives in memory and ends with the run, so what nodes have
 * stored about it is worth nothing afterwards: every run clears it and begins anew.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Another devnet runs in the folder. */
export class DirectoryInUseError extends Error {
  override name = "DirectoryInUseError";
}

const PID_FILE = "devnet.pid";
/** What a run leaves behind. Anything else in the folder is left alone, unless asked for. */
const RUN_PARTS = ["nodes", "config", "circuits", "logs", "devnet.json"] as const;

export interface DataDirectory {
  readonly path: string;
  /** Whether there was a state of an earlier run. */
  readonly wasCleared: boolean;
  file(...parts: string[]): string;
  /** Readable by its owner only: configurations hold tokens and seeds. */
  writeJson(value: unknown, ...parts: string[]): string;
  writeText(text: string, ...parts: string[]): string;
  release(): void;
}

/** `isFresh`: removes the whole folder first. Throws {@link DirectoryInUseError}. */
export function openDataDirectory(directory: string, isFresh: boolean): DataDirectory {
  const root = path.resolve(directory);
  const file = (...parts: string[]): string => path.join(root, ...parts);
  assertFree(file(PID_FILE), root);
  const wasCleared = existsSync(file("nodes"));
  if (isFresh) rmSync(root, { recursive: true, force: true });
  for (const part of RUN_PARTS) rmSync(file(part), { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  writeFileSync(file(PID_FILE), `${process.pid}\n`);
  const writeText = (text: string, ...parts: string[]): string => {
    const name = file(...parts);
    mkdirSync(path.dirname(name), { recursive: true });
    writeFileSync(name, text, { mode: 0o600 });
    return name;
  };
  return {
    path: root,
    wasCleared,
    file,
    writeText,
    writeJson: (value, ...parts) => {
      const text = JSON.stringify(value, (_key, item) =>
        typeof item === "bigint" ? `${item}` : item,
      );
      return writeText(`${text}\n`, ...parts);
    },
    release: () => rmSync(file(PID_FILE), { force: true }),
  };
}

function assertFree(pidFile: string, root: string): void {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8"));
  if (!Number.isInteger(pid) || pid < 1 || pid === process.pid) return;
  try {
    process.kill(pid, 0);
  } catch {
    // The process is gone: it was killed and could not clear up.
    return;
  }
  throw new DirectoryInUseError(`a devnet (process ${pid}) runs in \`${root}\`; see --data-dir`);
}
