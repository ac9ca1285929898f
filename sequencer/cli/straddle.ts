#!/usr/bin/env node
/**
 * The command line. Every command is in a file of its name, but `buy` and `sell` are in order.ts,
 * `takeover` is in auctions.ts, and `batch` in verify.ts.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { KEYS_PER_ACCOUNT } from "../protocol/constants.ts";
import { addAuctionCommands } from "./auctions.ts";
import { addBookCommand } from "./book.ts";
import { addCancelCommand } from "./cancel.ts";
import { addChainCommand } from "./chain.ts";
import { addDepositCommand } from "./deposit.ts";
import { addEvidenceCommands } from "./evidence.ts";
import { addExitCommand } from "./exit.ts";
import { EXIT_CODES, failureOf } from "./failure.ts";
import { addForceCommands } from "./force.ts";
import { addHeldCommands } from "./held.ts";
import { addHistoryCommand } from "./history.ts";
import { addKeyCommand } from "./key.ts";
import { addOrderCommands } from "./order.ts";
import { addOrdersCommand } from "./orders.ts";
import type { Io } from "./output.ts";
import { addPositionsCommand } from "./positions.ts";
import { addProofCommand } from "./proof.ts";
import { addRebuildCommand } from "./rebuild.ts";
import { addRfqCommands } from "./rfq.ts";
import { addRiskCommand } from "./risk.ts";
import { createRun } from "./run.ts";
import { DEVNET_FILE } from "./settings.ts";
import { addStatusCommand } from "./status.ts";
import { addVerifyCommands } from "./verify.ts";
import { addWithdrawCommand } from "./withdraw.ts";

/** Runs one command line (without node and script). Resolves with the exit code; never rejects. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  const program = createProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // commander has written its own message; help and version are not errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage;
    const { exitCode: code, ...failure } = failureOf(error);
    const isJson = program.opts().json === true;
    const { message, next } = failure;
    const text = next === undefined ? message : `${message} (${next})`;
    io.stderr(isJson ? `${JSON.stringify({ error: failure })}\n` : `error: ${text}\n`);
    return code;
  }
}

function createProgram(io: Io, onExitCode: (code: number) => void): Command {
  const program = new Command("straddle");
  program
    .description("Trade on a Straddle exchange.")
    .option("--url <url>", "the node's API (or STRADDLE_URL)")
    .option("--rpc <url>", "layer one (or STRADDLE_RPC)")
    .option("--rollup <address>", "the rollup contract (or STRADDLE_ROLLUP)")
    .option("--keystore <file>", "encrypted wallet (or STRADDLE_KEYSTORE)")
    .option("--password-file <file>", "its password (or STRADDLE_PASSWORD)")
    .option("--dev-account <n>", "a ready-made wallet, on a local chain only", smallInteger(99))
    .option("--key-index <n>", "trading key", smallInteger(KEYS_PER_ACCOUNT - 1), 0)
    .option("--config <file>", "what `npm start` or `npm run deploy` has written", DEVNET_FILE)
    .option("--from-block <n>", "block of the rollup's creation", smallInteger(2 ** 40))
    .option("--receipts <file>", "keep receipts there (or STRADDLE_RECEIPTS)")
    .option("--json", "JSON for programs")
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .exitOverride()
    .showHelpAfterError("(see --help)");
  const run = createRun(io, onExitCode);
  addKeyCommand(program, run);
  addDepositCommand(program, run);
  addChainCommand(program, run);
  addBookCommand(program, run);
  addOrderCommands(program, run);
  addCancelCommand(program, run);
  addHeldCommands(program, run);
  addPositionsCommand(program, run);
  addOrdersCommand(program, run);
  addRiskCommand(program, run);
  addHistoryCommand(program, run);
  addRfqCommands(program, run);
  addAuctionCommands(program, run);
  addWithdrawCommand(program, run);
  addForceCommands(program, run);
  addStatusCommand(program, run);
  addVerifyCommands(program, run);
  addProofCommand(program, run);
  addEvidenceCommands(program, run);
  addExitCommand(program, run);
  addRebuildCommand(program, run);
  program.addHelpText(
    "after",
    "\nExit codes: 1 failed, 2 wrong command line, 3 sequenced but without the wished effect,\n" +
      "a --dry-run of an order that would be refused, or a file or evidence that proves nothing.",
  );
  return program;
}

function smallInteger(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value <= max) return value;
    throw new InvalidArgumentError(`It must be an integer from 0 to ${max}.`);
  };
}

if (path.resolve(process.argv[1] ?? "") === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2), {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    env: process.env,
    folder: process.cwd(),
    isTerminal: process.stdout.isTTY,
  });
}
