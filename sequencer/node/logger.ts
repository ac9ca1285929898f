/** Structured log lines on stderr: JSON for programs, or one readable line. */
import { stderr } from "node:process";
import type { Logger } from "../ports.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

export interface LoggerOptions {
  readonly name: string;
  readonly isJson: boolean;
  readonly level: Level;
}

export function createLogger({ name, isJson, level }: LoggerOptions): Logger {
  const threshold = LEVELS.indexOf(level);
  const write =
    (at: Level) =>
    (message: string, context: Record<string, unknown> = {}) => {
      if (LEVELS.indexOf(at) < threshold) return;
      const time = new Date();
      stderr.write(
        isJson
          ? `${JSON.stringify({ time, level: at, name, message, ...context }, safe)}\n`
          : `${clockOf(time)} ${at.padEnd(5)} ${name}: ${message}${tail(context)}\n`,
      );
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function tail(context: Record<string, unknown>): string {
  const parts = Object.entries(context).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${shown(value)}`],
  );
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function shown(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "object" ? JSON.stringify(value, safe) : String(value);
}

/** Big integers and errors have no JSON of their own. */
function safe(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}`;
  return value instanceof Error ? value.message : value;
}

/** Hours to milliseconds, UTC. */
function clockOf(time: Date): string {
  return time.toISOString().slice(11, 23);
}
