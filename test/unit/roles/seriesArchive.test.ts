import assert from "node:assert/strict";
import { test } from "node:test";
import { emptySeries, type Series } from "../../../sequencer/protocol/state.ts";
import type { Effect } from "../../../sequencer/roles/effect.ts";
import { createSeriesArchive, LISTINGS_KEPT } from "../../../sequencer/roles/seriesArchive.ts";
import { CONFIG, createMarket } from "./market.ts";

const TERMS = { status: "listed", isCall: true, strike: 100, expiry: 50 } as const;

function stateOf(...series: Series[]) {
  return { table: series, series: () => series };
}

function effect(operation: object, time: number): Effect {
  const record = { operation, outcome: "executed", publicWords: [] };
  return { operation: record, batch: { number: 1, kind: "ledger", time } } as unknown as Effect;
}

test("a listing stays with what it paid when its slot has another one", () => {
  const state = stateOf({ ...emptySeries(), ...TERMS, generation: 1 });
  const archive = createSeriesArchive(state);
  state.table[0] = { ...state.table[0]!, status: "settled", mark: 70 };
  archive.observe(effect({ kind: "settleSeries", slot: 0 }, 60_000));
  state.table[0] = { ...emptySeries(), ...TERMS, strike: 200, generation: 2 };
  archive.observe(effect({ kind: "listSeries", slot: 0 }, 61_000));
  const [first, second] = archive.listings();
  assert.deepEqual(
    [first?.strike, first?.settledAt, first?.settlementPrice, first?.listedAt],
    [100, 60_000, 70, null],
  );
  assert.deepEqual([second?.strike, second?.listedAt, second?.settledAt], [200, 61_000, null]);
  const again = createSeriesArchive(state, JSON.parse(JSON.stringify(archive.listings())));
  assert.deepEqual(again.listings(), archive.listings(), "a checkpoint keeps it");
});

test("refused operations list nothing, and the oldest listings are forgotten", () => {
  const state = stateOf({ ...emptySeries() });
  const archive = createSeriesArchive(state);
  const refused = { ...effect({ kind: "listSeries", slot: 0 }, 1) };
  archive.observe({ ...refused, operation: { ...refused.operation!, outcome: "refused" } });
  assert.deepEqual(archive.listings(), []);
  for (let generation = 1; generation <= LISTINGS_KEPT + 5; generation++) {
    state.table[0] = { ...emptySeries(), ...TERMS, generation };
    archive.observe(effect({ kind: "listSeries", slot: 0 }, generation));
  }
  assert.equal(archive.listings().length, LISTINGS_KEPT);
  assert.equal(archive.listings()[0]?.generation, 6);
});

test("expired series are known after a restart from a checkpoint", async () => {
  const { world } = await createMarket();
  world.snapshotOptions = { finalSlots: [0, 1], marks: [1250, 0] };
  world.clock.advance(25 * 3_600_000);
  for (let count = 0; count < CONFIG.checkpointEvery + 6; count++) await world.step(11_000);
  const before = await world.sequencer.service.listings();
  assert.deepEqual(
    before.map(({ settlementPrice }) => settlementPrice),
    [1250, 0],
  );
  await world.sequencer.stop();
  const restarted = await world.restart();
  assert.deepEqual(await restarted.sequencer.service.listings(), before);
});
