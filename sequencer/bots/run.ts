#!/usr/bin/env node
/** Runs one bot against a node: `node sequencer/bots/run.ts maker --key FILE`. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createExchange } from "../client/exchange.ts";
import { type KeyFile, parseKeyFile } from "../client/keyFile.ts";
import { createTrader } from "../client/trader.ts";
import {
  BOT_KINDS,
  type BotKind,
  FlagError,
  type FlagName,
  NUMBER_FLAGS,
  numbersOf,
  quotedOf,
} from "./botSettings.ts";
import { messageOf } from "./desk.ts";
import { startBot } from "./startBot.ts";

const DEFAULT_URL = "http://127.0.0.1:8600";
const FLAG_WIDTH = 30;

function flagLine(flag: string, help: string): string {
  return `  ${flag.padEnd(FLAG_WIDTH)}${help}`;
}

function helpText(): string {
  const numbers = Object.entries(NUMBER_FLAGS).map(([name, { value, kinds, help }]) => {
    const of = kinds.length === BOT_KINDS.length ? "" : ` [${kinds.join(", ")}]`;
    return flagLine(`--${name} <n>`, `${help} (${value})${of}`);
  });
  return [
    "Runs a bot on one account of a Straddle node, until Ctrl-C. It then leaves no order behind.",
    "",
    `  npm run bots -- ${BOT_KINDS.join("|")} --key <file> [options]`,
    "",
    flagLine("--key <file>", "made by `straddle key --export`; its first key trades, its second"),
    flagLine("", "one (`--guard-index`) signs what the venue holds for a maker"),
    flagLine("--url <url>", `the node's API (STRADDLE_URL, or ${DEFAULT_URL}); may be repeated`),
    flagLine("--quotes <which>", "all, options or forwards (all) [maker]"),
    ...numbers,
    flagLine("--help", "this text"),
    "",
    "Maker and liquidator hedge by forwards (calls of strike 0). Where none is listed they do not",
    "hedge, and say so once: --position-max and --loss-max bound what they hold.",
    "",
    "Exit codes: 0 stopped, 1 failed, 2 wrong command line, 3 its loss limit or a liquidation.",
    "",
  ].join("\n");
}

const OPTIONS = {
  key: { type: "string" },
  url: { type: "string", multiple: true },
  quotes: { type: "string", default: "all" },
  help: { type: "boolean", default: false },
} as const;

/** Resolves with the exit code; never rejects. */
export async function main(
  args: readonly string[],
  io: {
    readonly stdout: (text: string) => void;
    readonly stderr: (text: string) => void;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly signal: AbortSignal;
    readonly now?: () => number;
  },
): Promise<number> {
  try {
    const numberOptions = Object.fromEntries(
      Object.keys(NUMBER_FLAGS).map((name) => [name, { type: "string" as const }]),
    );
    const { values, positionals } = parseArgs({
      ...{ args: [...args], options: { ...OPTIONS, ...numberOptions }, allowPositionals: true },
    });
    if (values.help === true) {
      io.stdout(helpText());
      return 0;
    }
    const kind = kindOf(positionals);
    const given = values as Partial<Record<FlagName, string>>;
    const numbers = numbersOf(kind, given);
    const quotes = quotedOf(values.quotes as string);
    const file = readKeyFile(values.key as string | undefined);
    const url = (values.url as string[] | undefined) ?? [io.env.STRADDLE_URL ?? DEFAULT_URL];
    const { signal, now } = io;
    const say = (what: string, line: string): void => {
      const time = new Date().toISOString().slice(11, 19);
      io.stdout(`${time} ${kind} ${what.padEnd(8)} ${line}\n`);
    };
    return await run({ kind, numbers, quotes, file, url, say, signal, ...(now && { now }) });
  } catch (error) {
    io.stderr(`bots: ${messageOf(error)}\n`);
    const code = (error as { code?: unknown }).code;
    const isUsage = error instanceof FlagError || String(code).startsWith("ERR_PARSE_ARGS");
    return isUsage ? 2 : 1;
  }
}

type RunOptions = Omit<Parameters<typeof startBot>[0], "trader"> & {
  readonly file: KeyFile;
  readonly url: readonly string[];
};

async function run({ file, url, ...options }: RunOptions): Promise<number> {
  const { kind, now, say } = options;
  const exchange = createExchange({ url });
  try {
    const info = await exchange.info();
    const { chainId, rollup, account, keys } = file;
    if (info.chainId !== chainId || info.rollup.toLowerCase() !== rollup.toLowerCase()) {
      const is = `\`${info.rollup}\` on chain \`${info.chainId}\``;
      throw new Error(`the keys are of \`${rollup}\` on chain \`${chainId}\`, the node of ${is}.`);
    }
    const [key, guardKey] = keys;
    const { index, secret } = key!;
    const own = { account, keyIndex: index, key: { secret }, ...(now && { now }) };
    const trader = await createTrader({ node: exchange, ...own });
    say("starts", `account ${account}, key ${index}, ${url.join(" ")}`);
    if (kind === "maker" && guardKey === undefined) {
      say("guard", "the key file has no second key: nothing cancels when the connection is lost");
    }
    const ending = await startBot({ ...options, trader, guardKey });
    return ending === "stopped" ? 0 : 3;
  } finally {
    exchange.close();
  }
}

function kindOf(positionals: readonly string[]): BotKind {
  const [text, ...rest] = positionals;
  const kind = BOT_KINDS.find((each) => each === text);
  if (kind !== undefined && rest.length === 0) return kind;
  const got = positionals.length === 0 ? "none" : `\`${positionals.join(" ")}\``;
  throw new FlagError(`name one bot: ${BOT_KINDS.join(", ")}. Got ${got}. See --help.`);
}

function readKeyFile(name: string | undefined): KeyFile {
  if (name === undefined) throw new FlagError("--key must name a file. See --help.");
  let text: string;
  try {
    text = readFileSync(name, "utf8");
  } catch {
    throw new FlagError(`--key names \`${name}\`, which cannot be read.`);
  }
  return parseKeyFile(text);
}

if (path.resolve(process.argv[1] ?? "") === fileURLToPath(import.meta.url)) {
  const stopping = new AbortController();
  const stop = (): void => {
    // Whoever asks twice does not want to wait until all orders are known to be gone.
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, stop);
  process.exitCode = await main(process.argv.slice(2), {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    env: process.env,
    signal: stopping.signal,
  });
}
