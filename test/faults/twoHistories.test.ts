// E21: a validator that sequences shows two traders two histories. Their receipts, with records
// that any validator has, are evidence that anybody checks offline and layer one punishes.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hex } from "viem";
import {
  checkEvidence,
  decodeEvidence,
  encodeEvidence,
} from "../../sequencer/consensus/evidence.ts";
import { createSigner } from "../../sequencer/consensus/signing.ts";
import { fitsLayerOne, slashReceiptsArgs } from "../../sequencer/l1/slashing.ts";
import { findTwoReceipts, type TwoReceipts } from "../../sequencer/protocol/evidence.ts";
import { alice, deployRollup, eve, insurance, STAKE, viem } from "../contracts/rollupChain.ts";
import { keyOf, partOf, receiptOf, twoReceipts } from "../support/histories.ts";
import { createMarket, createWorld, type TestTrader, type World } from "../unit/roles/market.ts";
import { createBatches, createCheckpoints } from "../unit/roles/ports.ts";

const SLASHED = 4;
const signer = createSigner(keyOf(1));

/** A registry with the sequencer's key as its bonded validator. */
async function deployRegistry() {
  const owner = alice.account.address;
  const candidates = [{ signer: signer.address as Hex, owner }];
  const terms = { stake: STAKE, evidenceWindow: 1_000n, unbondingDelay: 2_000n };
  const it = await deployRollup({ validators: { candidates, ...terms } });
  const registry = await viem.getContractAt("ValidatorRegistry", await it.rollup.read.validators());
  const as = { account: alice.account };
  await it.token.write.mint([owner, STAKE]);
  await it.token.write.approve([registry.address, STAKE], as);
  await registry.write.bond([signer.address as Hex], as);
  return { registry, domain: await it.rollup.read.domain() };
}

/** Positions of the records that the trader's orders are acknowledged with. */
async function trade(world: World, who: TestTrader, orders: number): Promise<number[]> {
  const positions: number[] = [];
  // A process that has just begun asks the oracles first.
  await world.step(400);
  for (let count = 0; count < orders; count++) {
    const placed = await world.place(who, { isSell: true, price: 505 + count, lots: 1 });
    positions.push(placed.logPosition);
    await world.step(200);
  }
  return positions;
}

test("E21 two histories are evidence that layer one punishes", async (context) => {
  const { registry, domain } = await deployRegistry();
  // The key signs for the chain's deployment what the sequencer has acknowledged.
  const receipts = (world: World, positions: readonly number[]) =>
    positions.map((position) => receiptOf(signer, domain, world.log.survivors()[position]!));
  const search = (world: World, held: ReturnType<typeof receipts>) => {
    const log = world.log.survivors();
    const history = partOf(log, 0, log.length - 1);
    return findTwoReceipts({ domain, receipts: held, position: 0, history });
  };
  const { world: before, maker, taker } = await createMarket();
  const early = await trade(before, maker, 2);
  const world = await before.restart();
  const shared = world.log.survivors();
  // From here on the sequencer is two: one log for each trader.
  const { clock, settlement } = world;
  const empty = { batches: createBatches(), checkpoints: createCheckpoints() };
  const twin = await createWorld({}, { clock, settlement, ...empty, records: shared });
  const [ofMaker, ofTaker] = [await trade(world, maker, 3), await trade(twin, taker, 2)];
  const honest = receipts(world, [...early, ...ofMaker]);
  assert.equal(search(world, honest), undefined);
  const held = [...honest, ...receipts(twin, ofTaker)];
  const found = search(world, held) ?? search(twin, held);
  assert.ok(found !== undefined);
  const evidence = decodeEvidence(encodeEvidence(found)) as TwoReceipts;
  const rules = { domain, sequencers: [signer.address], validators: [] };
  const verdict = checkEvidence(evidence, rules);
  assert.deepEqual(verdict, {
    ...{ isProven: true, guilty: signer.address, offence: "two histories" },
  });
  assert.ok(fitsLayerOne(evidence));
  // What one log has acknowledged, before and after the restart, is none.
  const log = world.log.survivors();
  const [p, q] = [early[0]!, ofMaker[2]!];
  const none = twoReceipts({ signer, domain, logs: [log, log], p, q });
  assert.ok(!checkEvidence(none, rules).isProven);
  await assert.rejects(registry.write.slashReceipts(slashReceiptsArgs(none)), /HistoriesEqual/);
  await registry.write.slashReceipts(slashReceiptsArgs(evidence), { account: eve.account });
  const { status } = await registry.read.validator([signer.address as Hex]);
  assert.equal(status, SLASHED);
  assert.equal(await registry.read.credit([eve.account.address]), STAKE / 10n);
  assert.equal(await registry.read.credit([insurance.account.address]), (STAKE * 9n) / 10n);
  context.diagnostic(`E21: evidence of ${evidence.records.length + 1} records, punished at once`);
});
