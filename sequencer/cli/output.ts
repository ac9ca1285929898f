/** Tables for people, JSON for programs; progress goes to stderr so that stdout stays parsable. */
import Table from "cli-table3";
import type { ExitProver } from "../node/exitProof.ts";

export interface Io {
  /** Replaces the exit proof, which takes long. */
  readonly proveExit?: ExitProver;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative files are in. */
  readonly folder: string;
  /** Ends what would go on for ever. Default: an interrupt of the process. */
  readonly stopping?: AbortSignal;
  /** Whether what is shown again takes the place of what was shown before. */
  readonly isTerminal?: boolean;
}

export interface Output {
  /** `people` is called only where people read. */
  result(data: unknown, people: () => string): void;
  /** One of several: JSON on one line. */
  frame(data: unknown, people: () => string): void;
  progress(line: string): void;
}

export function createOutput(io: Io, isJson: boolean): Output {
  return {
    result(data, people) {
      io.stdout(isJson ? `${JSON.stringify(data, null, 2)}\n` : `${people()}\n`);
    },
    frame(data, people) {
      if (isJson) io.stdout(`${JSON.stringify(data)}\n`);
      else io.stdout(`${io.isTerminal === true ? CLEAR : ""}${people()}\n\n`);
    },
    progress(line) {
      if (!isJson) io.stderr(`${line}\n`);
    },
  };
}

/** Cursor to the corner, and the screen empty. */
const CLEAR = "\u001b[H\u001b[2J";

export type Cell = string | number | null | undefined;

/** Right-aligned but for the first `leftColumns`; null and undefined are a dash. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  leftColumns = 1,
): string {
  const view = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column < leftColumns ? "left" : "right")),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) view.push(row.map((cell) => String(cell ?? "-")));
  return view.toString();
}

/** Names and values, one to a line. */
export function facts(rows: readonly (readonly [name: string, value: Cell])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value ?? "-"}`).join("\n");
}

/** Unix seconds as people read them. */
export function dateText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 16);
}
