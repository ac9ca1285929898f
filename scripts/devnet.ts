/** `npm start`: a whole Straddle network on this machine, with traders. */
import { parseArgs } from "node:util";
import instances from "../circuits/instances.json" with { type: "json" };
import type { BotKind } from "../sequencer/bots/botSettings.ts";
import { createExchange } from "../sequencer/client/exchange.ts";
import { botKindsFor, runBots } from "./devnet/bots.ts";
import { openDataDirectory } from "./devnet/dataDirectory.ts";
import { fundInsurance, INSURANCE_DEPOSIT } from "./devnet/insurance.ts";
import { LADDER, replayedMarket, simulatedMarket } from "./devnet/marketPlan.ts";
import { type NatsPlace, natsFault, natsPlacesFrom, natsPortsOf } from "./devnet/nats.ts";
import { INSTANCE, type Network, startNetwork } from "./devnet/network.ts";
import { assertFree, PORT_BASE, portsFrom, sequencerPortsFrom } from "./devnet/ports.ts";
import { createReport } from "./devnet/report.ts";
import { finishRoundTrip } from "./devnet/roundTrip.ts";
import { fairTakings, tapeTakings } from "./devnet/takings.ts";
import { openTraders, type TradedOrder, trade } from "./devnet/traders.ts";

const HELP = `Runs a Straddle network on this machine: chain, contracts, oracles, sequencer, prover,
validators, and traders that use it.

  npm start -- [options]

  --once             exit 0 after the first full round trip, deposit to withdrawal
  --replay <dir>     market and trades from recorded Deribit data in <dir> (chain/ and trades/)
  --port-base <n>    port of the API (default: ${PORT_BASE}); jobs +1, validators' network +2,
                     oracles +10 and up, layer one's RPC -55, NATS servers +30 and up, more
                     sequencers +40 and up
  --log <engine>     where the order log is: embedded (default); jetstream, on three NATS servers
                     of this machine, with a second sequencer that stands by; or simplex, with
                     four sequencers, of which the one writes whose validator leads
  --bots <list>      who trades: maker, taker, arbitrageur, liquidator with commas between them
                     (default: all of them), or none: makers and takers by turns at fair prices,
                     or by the tape, as always with --once and --replay
  --data-dir <dir>   where configurations, logs and stores go (default: .straddle)
  --fresh            remove that folder first, with whatever else is in it
  --help             this text

The chain lives in memory and ends with the run, so every run begins anew: what nodes have stored
in an earlier one is cleared. Keys and circuits are built once and kept in build/.
`;

const OPTIONS = {
  once: { type: "boolean", default: false },
  replay: { type: "string" },
  log: { type: "string", default: "embedded" },
  bots: { type: "string" },
  "port-base": { type: "string", default: `${PORT_BASE}` },
  "data-dir": { type: "string", default: ".straddle" },
  fresh: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** The round trip of --once takes a minute; longer than this, once all is built, it has failed. */
const ONCE_MS_MAX = 600_000;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

async function run(values: Values, stopping: AbortController): Promise<void> {
  const base = Number(values["port-base"]);
  if (!Number.isInteger(base) || base < 1100 || base > 65_000) {
    throw new Error(`--port-base must be from 1100 to 65000. Got \`${values["port-base"]}\`.`);
  }
  const kinds = botKindsFor(values);
  const { oracles, slots } = instances.trade[INSTANCE];
  const ports = portsFrom(base, oracles);
  const nats = natsFor(values.log, base);
  const others = sequencerPortsFrom(ports).slice(1).flatMap(Object.values);
  await assertFree(ports, values.log === "simplex" ? others : nats?.flatMap(natsPortsOf));
  const directory = openDataDirectory(values["data-dir"], values.fresh);
  if (directory.wasCleared) say("cleared the state of an earlier run: its chain ended with it");
  const startedAt = Date.now();
  const market =
    values.replay === undefined
      ? { ...simulatedMarket(startedAt), ...(values.once ? {} : { ladder: LADDER }) }
      : replayedMarket(values.replay, startedAt, slots);
  for (const note of market.notes) say(`data         ${note}`);
  const { signal } = stopping;
  const onExit = (error: Error): void => stopping.abort(error);
  const onBuilt = (): void => {
    if (values.once) limitTime(stopping);
  };
  const movesSequencer = values.log === "simplex";
  const places = { directory, ports, nats, movesSequencer };
  const options = { ...places, market, signal, say, onExit, onBuilt };
  let network: Network | undefined;
  try {
    network = await startNetwork(options);
    const { apiUrl, rpcUrl, deployment } = network;
    directory.writeJson({ ...deployment, apiUrl, rpcUrl }, "devnet.json");
    const nextTaking = market.tape.length > 0 ? tapeTakings(market.tape) : fairTakings();
    const { once: isOnce } = values;
    await runTraders({ network, signal, startedAt, nextTaking, isOnce, kinds });
  } finally {
    await network?.children.stopAll();
    directory.release();
  }
}

/** Throws where the engine is unknown, or its servers are not on this machine. */
function natsFor(engine: string, base: number): NatsPlace[] | undefined {
  if (engine === "embedded" || engine === "simplex") return undefined;
  if (engine !== "jetstream") {
    throw new Error(`--log must be embedded, jetstream or simplex. Got \`${engine}\`.`);
  }
  const fault = natsFault();
  if (fault !== undefined) throw new Error(fault);
  return natsPlacesFrom(base);
}

async function runTraders(options: {
  network: Network;
  signal: AbortSignal;
  startedAt: number;
  nextTaking: ReturnType<typeof fairTakings>;
  isOnce: boolean;
  kinds: readonly BotKind[];
}): Promise<void> {
  const { network, signal, startedAt, nextTaking, isOnce, kinds } = options;
  const exchange = createExchange({ url: network.apiUrl });
  try {
    const report = await createReport(exchange, say);
    await fundInsurance(network);
    say(`insurance    ${INSURANCE_DEPOSIT / 1e6} USDC deposited for account 2`);
    const traders = await openTraders(network, exchange, signal);
    say(
      `traders      ${[...traders.makers, ...traders.takers].map(({ name }) => name).join(", ")}`,
    );
    let first: ((order: TradedOrder) => void) | undefined;
    const filled = new Promise<TradedOrder>((resolve) => {
      first = resolve;
    });
    const done = new AbortController();
    const until = AbortSignal.any([signal, done.signal]);
    const onFill = (order: TradedOrder): void => {
      first?.(order);
      // Every further batch would only stand in the round trip's way; bots begin after it.
      if (isOnce || kinds.length > 0) done.abort();
    };
    const trading = trade({ exchange, traders, report, signal: until, nextTaking, onFill });
    const roundTrip = filled.then((order) => finishRoundTrip(order, report, signal));
    await Promise.race([roundTrip, trading.then(() => untilAborted(signal)), untilAborted(signal)]);
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    say(`done         the first round trip, deposit to withdrawal, took ${seconds} s`);
    if (!isOnce && kinds.length === 0) await Promise.race([trading, untilAborted(signal)]);
    done.abort();
    await trading;
    // They end with the signal, and take their orders back before the network ends.
    if (kinds.length > 0) await runBots({ network, exchange, traders, kinds, report, signal });
    signal.throwIfAborted();
    report.stop();
  } finally {
    exchange.close();
  }
}

/** Rejects with the signal's reason. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

function say(line: string): void {
  console.log(line);
}

/** Ctrl-C, which is no failure. */
class StoppedError extends Error {
  override name = "StoppedError";
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return void process.stdout.write(HELP);
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    say("\nstopping");
    stopping.abort(new StoppedError("stopped"));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    await run(values, stopping);
  } catch (error) {
    // What fails after the stop has been asked for fails because of it.
    const cause: unknown = stopping.signal.aborted ? stopping.signal.reason : error;
    if (!(cause instanceof StoppedError)) throw cause;
    if (values.once) process.exitCode = 1;
  }
}

function limitTime(stopping: AbortController): void {
  const error = new Error(`no full round trip within ${ONCE_MS_MAX / 60_000} minutes`);
  setTimeout(() => stopping.abort(error), ONCE_MS_MAX).unref();
}

if (import.meta.main) {
  main().then(
    // Libraries leave sockets and threads behind; every process of ours has ended.
    () => process.exit(),
    (error: unknown) => {
      console.error(`devnet: ${error instanceof Error ? error.message : String(error)}`);
      process.exit(1);
    },
  );
}
