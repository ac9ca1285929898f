#!/usr/bin/env node
/**
 * Runs one role of the network in this process. The composition root: this file and `node/` are
 * the only ones that construct adapters.
 */
import { setPriority } from "node:os";
import { exit, stderr, stdout } from "node:process";
import { parseArgs } from "node:util";
import type { MetricsConfig, Watched } from "./metrics/watch.ts";
import { ConfigError, type ConfigFile, ROLES, type Role, readConfig } from "./node/config.ts";
import { createLogger, type Level } from "./node/logger.ts";
import type { Logger } from "./ports.ts";

const HELP = `Runs one role of a Straddle network.

  npm run node -- --role <role> --config <file> [--log-json] [--log-level <level>]

  --role <role>         ${ROLES.join(", ")}
  --config <file>       JSON; npm start writes examples to .straddle/config/
  --name <name>         how log lines call this process (default: the role)
  --log-json            log lines as JSON
  --log-level <level>   debug, info (default), warn or error
  --nice <n>            scheduling priority, -20 to 19
  --help                this text

A keystore's password is in the \`passwordFile\` beside it in the configuration, or is asked for.
Ctrl-C stops the role cleanly; a second one ends it at once.
`;

const OPTIONS = {
  role: { type: "string" },
  config: { type: "string" },
  name: { type: "string" },
  "log-json": { type: "boolean", default: false },
  "log-level": { type: "string", default: "info" },
  nice: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

type Run = (configFile: string, logger: Logger, signal: AbortSignal) => Promise<void>;

/** A role whose process is watched where its configuration says so. */
function watchedRun<R extends Role>(
  role: R,
  load: () => Promise<(file: ConfigFile<R>, parts: Watched, signal: AbortSignal) => Promise<void>>,
): Run {
  return async (name, logger, signal) => {
    const run = await load();
    const file = readConfig(role, name);
    const { metrics } = file as { readonly metrics?: MetricsConfig };
    if (metrics === undefined) return run(file, { logger }, signal);
    const { watched } = await import("./metrics/watch.ts");
    await watched({ role, metrics, logger }, (parts) => run(file, parts, signal));
  };
}

// Imported on demand: a prover needs no libp2p and a validator no API server.
const RUN: Record<Role, Run> = {
  sequencer: watchedRun("sequencer", async () => {
    const { runSequencerNode } = await import("./node/sequencerNode.ts");
    return runSequencerNode;
  }),
  validator: watchedRun("validator", async () => {
    const { runValidatorNode } = await import("./node/validatorNode.ts");
    return (file, { logger }, signal) => runValidatorNode(file, logger, signal);
  }),
  prover: watchedRun("prover", async () => {
    const { runProverNode } = await import("./node/proverNode.ts");
    return (file, { logger }, signal) => runProverNode(file, logger, signal);
  }),
  oracle: watchedRun("oracle", async () => {
    const { runOracleNode } = await import("./node/oracleNode.ts");
    return (file, { logger }, signal) => runOracleNode(file, logger, signal);
  }),
};

function parse() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return undefined;
  const { role, config } = values;
  if (role === undefined || !(ROLES as readonly string[]).includes(role)) {
    throw new ConfigError(`--role must be one of ${ROLES.join(", ")}. Got \`${role ?? ""}\`.`);
  }
  if (config === undefined) throw new ConfigError("--config is missing; see --help");
  const levels = ["debug", "info", "warn", "error"];
  if (!levels.includes(values["log-level"])) {
    throw new ConfigError(`--log-level must be one of ${levels.join(", ")}`);
  }
  const nice = values.nice === undefined ? undefined : Number(values.nice);
  if (nice !== undefined && !(Number.isInteger(nice) && nice >= -20 && nice <= 19)) {
    throw new ConfigError(`--nice must be from -20 to 19. Got \`${values.nice}\`.`);
  }
  const level = values["log-level"] as Level;
  const name = values.name ?? role;
  return { role: role as Role, config, name, level, nice, isJson: values["log-json"] };
}

async function main(): Promise<void> {
  const options = parse();
  if (options === undefined) {
    stdout.write(HELP);
    return;
  }
  const { role, config, nice } = options;
  if (nice !== undefined) setPriority(nice);
  const logger = createLogger(options);
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) exit(1);
    logger.info("stopping");
    stopping.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  await RUN[role](config, logger, stopping.signal);
  logger.info("stopped");
}

if (import.meta.main) {
  main().then(
    // Libraries leave timers and threads behind; everything of ours has been closed.
    () => exit(0),
    (error: unknown) => {
      stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      exit(1);
    },
  );
}
