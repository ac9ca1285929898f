/** What a batch costs when it is anchored together with others, in one transaction. */
import type { BenchLine } from "./benchLine.ts";
import {
  createWorld,
  gasOf,
  ledgerWords,
  submit,
  submitTogether,
  tradeWords,
  VALIDATORS,
  type World,
} from "./gasWorld.ts";

export const GROUP_SIZES = [1, 2, 4, 8] as const;

/** Gas of full large batches together, without and with certificates: of all, and of each. */
export async function groupLines(): Promise<BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const [name, validators] of [
    ["gas.group.large", 0],
    ["gas.group.large.certified", VALIDATORS],
  ] as const) {
    const world = await createWorld("large", validators);
    // The first batch fills storage that was empty.
    await submit(world, await fullBatch(world, 0));
    const single = await gasOf(world, submit(world, await fullBatch(world, 0)));
    for (const size of GROUP_SIZES) lines.push(...(await sizeLines(world, { name, size, single })));
  }
  return [...lines, await mixedLine()];
}

async function sizeLines(
  world: World,
  { name, size, single }: { name: string; size: number; single: number },
): Promise<BenchLine[]> {
  const batches: bigint[][] = [];
  for (let ahead = 0; ahead < size; ahead++) batches.push(await fullBatch(world, ahead));
  const together = await gasOf(world, submitTogether(world, batches));
  // What one transaction for each is dearer by says which of the two a single batch goes by.
  const gas = size === 1 ? single : together;
  const unit = { unit: "gas", better: "lower" } as const;
  const note = size === 1 ? `by itself; \`submitBatches\` of one: ${together}` : `${size} batches`;
  return [
    { name: `${name}.${size}`, value: gas, ...unit, note },
    { name: `${name}.${size}.each`, value: Math.round(gas / size), ...unit },
  ];
}

/** Two keys in one check: three trade batches around a ledger batch. */
async function mixedLine(): Promise<BenchLine> {
  const world = await createWorld("large");
  await submit(world, await fullBatch(world, 0));
  const batches = [
    await fullBatch(world, 0),
    await ledgerWords(world, [], 1),
    await fullBatch(world, 2),
    await fullBatch(world, 3),
  ];
  const value = await gasOf(world, submitTogether(world, batches));
  const note = "4 batches, one of them an idle ledger batch";
  return { name: "gas.group.large.mixed", value, unit: "gas", better: "lower", note };
}

function fullBatch(world: World, ahead: number): Promise<bigint[]> {
  return tradeWords(world, world.trade.fills, "usual", ahead);
}
