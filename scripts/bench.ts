/** `npm run bench -- NAME [--json]`: measures and prints. Timings belong here, not in tests. */
import { parseArgs } from "node:util";
import { type BenchLine, printLines } from "./benchmarks/benchLine.ts";

type Benchmark = (options: {
  instances: readonly string[] | undefined;
  minutes: number | undefined;
}) => Promise<BenchLine[]>;

interface Loaded {
  readonly run: Benchmark;
  /** What people read below the figures. */
  readonly below?: (lines: readonly BenchLine[]) => readonly string[];
}

/** Each is loaded only when it is asked for. */
const BENCHMARKS: Record<string, { about: string; load: () => Promise<Loaded> }> = {
  api: {
    about: "requests a second, place and cancel, fan-out of a book, beside a bare ws server",
    load: async () => ({ run: (await import("./benchmarks/api.ts")).apiBenchmarks }),
  },
  certify: {
    about: "order to certified by four validators, beside its bare writes and rounds; failover",
    load: async () => ({ run: (await import("./benchmarks/certify.ts")).certifyBenchmarks }),
  },
  circuits: {
    about: "constraints and public inputs of every circuit and instance (no key is made)",
    load: async () => ({ run: (await import("./benchmarks/circuits.ts")).circuitBenchmarks }),
  },
  prover: {
    about: "witness and proving seconds (wall and CPU) and peak memory, tiny and medium",
    load: async () => ({ run: (await import("./benchmarks/prover.ts")).proverBenchmarks }),
  },
  "end-to-end": {
    about: "signed order over WebSocket to durable, signed receipt at fixed rates, beside ws echo",
    load: async () => ({ run: (await import("./benchmarks/endToEnd.ts")).endToEndBenchmarks }),
  },
  engine: {
    about: "orders a second through the books and the whole engine, beside nodejs-order-book",
    load: async () => ({ run: (await import("./benchmarks/engine.ts")).engineBenchmarks }),
  },
  gas: {
    about: "gas of batches, of their parts, and of owners' calls, beside other exchanges",
    load: async () => {
      const { comparisonText } = await import("./benchmarks/gasComparison.ts");
      return { run: (await import("./benchmarks/gas.ts")).gasBenchmarks, below: comparisonText };
    },
  },
  hash: {
    about:
      "Poseidon, EdDSA, receipts' signatures a second, beside circomlibjs, poseidon-lite, noble",
    load: async () => ({ run: (await import("./benchmarks/hash.ts")).hashBenchmarks }),
  },
  ingest: {
    about: "messages read, unpacked, chained and checked, beside circomlibjs; with a second thread",
    load: async () => ({ run: (await import("./benchmarks/ingest.ts")).ingestBenchmarks }),
  },
  log: {
    about: "durable appends of each engine, beside LevelDB and JetStream alone; then certify",
    load: async () => {
      const { logBenchmarks } = await import("./benchmarks/log.ts");
      const { certifyBenchmarks } = await import("./benchmarks/certify.ts");
      return { run: async () => [...(await logBenchmarks()), ...(await certifyBenchmarks())] };
    },
  },
  order: {
    about: "what rounds cost: from a message's arrival to its turn, beside a bare timer",
    load: async () => ({ run: (await import("./benchmarks/order.ts")).orderBenchmarks }),
  },
  memory: {
    about: "live heap and resident memory over ten minutes of 300 orders a second (`--minutes`)",
    load: async () => ({ run: (await import("./benchmarks/memory.ts")).memoryBenchmarks }),
  },
  scale: {
    about: "CPU of an order at 1,000 to 1,000,000 accounts and at 10 to 1,000 books",
    load: async () => ({ run: (await import("./benchmarks/scale.ts")).scaleBenchmarks }),
  },
  state: {
    about: "tree updates of a block, beside circomlibjs, and sealing 1,000 touched accounts",
    load: async () => ({ run: (await import("./benchmarks/state.ts")).stateBenchmarks }),
  },
  terminal: {
    about:
      "the web terminal in Chromium: first view, and 1,700 streaming instruments to the screen",
    load: async () => ({ run: (await import("./benchmarks/terminal.ts")).terminalBenchmarks }),
  },
  risk: {
    about: "implied volatilities, margins and snapshots a second, beside packages of npm",
    load: async () => ({ run: (await import("./benchmarks/risk.ts")).riskBenchmarks }),
  },
};

const HELP = `Measures Straddle.

  npm run bench -- NAME [--json] [--instance tiny,medium] [--minutes 10]

${Object.entries(BENCHMARKS)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join("\n")}

  --json        one JSON object a line:
                {name, value, unit, better, target?, peer?, peerValue?, ratio?, note?}
  --instance    only these instances, separated by commas
  --minutes     how long \`memory\` runs
  --help        this text
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      instance: { type: "string" },
      minutes: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const [name] = positionals;
  if (values.help || name === undefined) {
    process.stdout.write(HELP);
    return;
  }
  const benchmark = BENCHMARKS[name];
  if (benchmark === undefined) {
    throw new Error(`there is no benchmark \`${name}\`; there are ${Object.keys(BENCHMARKS)}`);
  }
  const { run, below } = await benchmark.load();
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (minutes !== undefined && !(Number.isInteger(minutes) && minutes > 0)) {
    throw new Error(`\`--minutes\` must be a whole number above 0. Got \`${values.minutes}\``);
  }
  const lines = await run({ instances: values.instance?.split(","), minutes });
  printLines(lines, values.json);
  if (!values.json) for (const text of below?.(lines) ?? []) console.log(text);
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
