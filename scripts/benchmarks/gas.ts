/** What layer one costs: whole transactions on a simulated chain, with all that they pay for. */
import { VALIDATORS_MAX } from "../../sequencer/consensus/validatorSet.ts";
import { instanceSizes } from "../deploy.ts";
import type { BenchLine } from "./benchLine.ts";
import { comparisonLines } from "./gasComparison.ts";
import { groupLines } from "./gasGroups.ts";
import { gasParts } from "./gasParts.ts";
import {
  createWorld,
  DEADLINE_SECONDS,
  DEPOSIT,
  depositGas,
  exitGas,
  gasOf,
  hasVerifiers,
  KEY,
  ledgerGas,
  ledgerWords,
  NO_KEY,
  operation,
  submit,
  submitGas,
  TRADER,
  tradeWords,
  VALIDATORS,
  WINDOW_SECONDS,
} from "./gasWorld.ts";

export const INSTANCES = ["tiny", "medium", "large", "wide"] as const;
/** What a batch may cost anyway, and what each fill may add. */
const OVERHEAD_TARGET = 260_000;
const FILL_ALLOWANCE = 700;

/** Gas of batches for every instance and of every call that a trader makes. */
export async function gasBenchmarks(): Promise<BenchLine[]> {
  const lines: BenchLine[] = [];
  const batches: { fills: number; gas: number }[] = [];
  for (const instance of INSTANCES) {
    const full = await batchGas(instance);
    batches.push({ fills: instanceSizes(instance).trade.fills, gas: full.gas });
    lines.push(...full.lines);
  }
  for (const instance of ["large", "wide"] as const) lines.push(...(await overheadLines(instance)));
  lines.push(...(await partLines()), ...(await groupLines()));
  lines.push(...(await traderLines()));
  lines.push(...comparisonLines(batches));
  return hasVerifiers() ? lines : lines.map(withoutProof);
}

function line(name: string, gas: number, details: Partial<BenchLine> = {}): BenchLine {
  return { name, value: gas, unit: "gas", better: "lower", ...details };
}

function withoutProof(found: BenchLine): BenchLine {
  const missing = "proof left out: no verifier is generated";
  return { ...found, note: found.note === undefined ? missing : `${found.note}; ${missing}` };
}

async function batchGas(instance: (typeof INSTANCES)[number]) {
  const world = await createWorld(instance);
  const { fills } = world.trade;
  // The first batch fills storage that was empty; every later one costs what the second does.
  await submit(world, await tradeWords(world, fills));
  const gas = await submitGas(world, await tradeWords(world, fills));
  const ledger = await ledgerGas(world);
  const lines = [
    line(`gas.batch.${instance}`, gas, { note: `${fills} fills`, target: 600_000 }),
    line(`gas.ledgerBatch.${instance}`, ledger),
  ];
  return { gas, lines };
}

/** What a full batch costs besides its fills, without and with certificates. */
async function overheadLines(instance: "large" | "wide"): Promise<BenchLine[]> {
  const { fills } = instanceSizes(instance).trade;
  const overhead = async (validators: number, size: "usual" | "largest"): Promise<number> => {
    const world = await createWorld(instance, validators);
    await submit(world, await tradeWords(world, fills, size));
    return (await submitGas(world, await tradeWords(world, fills, size))) - FILL_ALLOWANCE * fills;
  };
  const none = await overhead(0, "usual");
  const few = await overhead(VALIDATORS, "usual");
  const largest = await overhead(VALIDATORS, "largest");
  const most = await overhead(VALIDATORS_MAX, "usual");
  const name = `gas.batchOverhead.${instance}`;
  return [
    line(name, none, {
      target: OVERHEAD_TARGET,
      note: `a full batch of ${fills} less ${FILL_ALLOWANCE} a fill`,
    }),
    line(`${name}.certified`, few, {
      target: OVERHEAD_TARGET,
      note: `with the certificate of ${VALIDATORS} validators`,
    }),
    line(`${name}.largestFills`, largest, { note: "the same, every byte of every fill set" }),
    line(`gas.certificate.${instance}.${VALIDATORS}`, few - none, { note: "3 signatures" }),
    line(`gas.certificate.${instance}.${VALIDATORS_MAX}`, most - none, { note: "11 signatures" }),
  ];
}

/** Where the gas of a full, certified batch goes. */
async function partLines(): Promise<BenchLine[]> {
  const world = await createWorld("large");
  await submit(world, await tradeWords(world, world.trade.fills));
  const hash = await submit(world, await tradeWords(world, world.trade.fills));
  const parts = Object.entries(await gasParts(world, hash));
  return parts.map(([part, gas]) => line(`gas.part.${part}`, gas, { note: "of gas.batch.large" }));
}

async function traderLines(): Promise<BenchLine[]> {
  const world = await createWorld("tiny");
  const { chain, rollup, clients } = world;
  const [, alice, bob] = clients;
  const owner = alice!.account.address;
  const first = await depositGas(world, owner, KEY);
  const second = await depositGas(world, owner, NO_KEY);
  const forced = await gasOf(world, rollup.write.forceWithdraw([5n], { account: alice!.account }));
  const key = await gasOf(world, rollup.write.registerKey([KEY], { account: alice!.account }));
  const operations = [
    operation("deposit", DEPOSIT, KEY, owner),
    operation("deposit", DEPOSIT, NO_KEY, owner),
    operation("forcedWithdraw", 5n, NO_KEY, owner),
    operation("registerKey", 0n, KEY, owner),
  ];
  await submit(world, await ledgerWords(world, operations.flat()));
  const withdrawal = await gasOf(world, rollup.write.withdraw([owner]));
  const unserved = await rollup.read.queueEnd();
  await depositGas(world, bob!.account.address, NO_KEY);
  await chain.networkHelpers.time.increase(DEADLINE_SECONDS + 1);
  const freeze = await gasOf(world, rollup.write.freeze());
  const exit = await exitGas(world, owner, DEPOSIT);
  const refund = await gasOf(world, rollup.write.refundDeposit([unserved]));
  await chain.networkHelpers.time.increase(WINDOW_SECONDS);
  const payment = await gasOf(world, rollup.write.payExit([BigInt(TRADER)]));
  return [
    line("gas.deposit", first, { target: 300_000, note: "the first, with a key" }),
    line("gas.depositAgain", second, { note: "without a key" }),
    line("gas.registerKey", key),
    line("gas.forcedWithdraw", forced, { target: 150_000 }),
    line("gas.withdraw", withdrawal, { target: 100_000 }),
    line("gas.freeze", freeze, { target: 100_000 }),
    line("gas.exit", exit, { target: 500_000 }),
    line("gas.payExit", payment),
    line("gas.refundDeposit", refund),
  ];
}
