// A risk report is recomputed by the client: the same to the last bit, and no cheat passes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RiskError, snapshotFromWire, verifiedRisk } from "../../../sequencer/client/risk.ts";
import { createTrader } from "../../../sequencer/client/trader.ts";
import type { Info, Wire } from "../../../sequencer/exchangeService.ts";
import type { RiskAnswer } from "../../../sequencer/market/riskReport.ts";
import { startFixture } from "../api/apiFixture.ts";
import { signedSnapshot } from "../api/fakeMarket.ts";
import { ACCOUNT, DOMAIN, INFO, SECRET } from "../api/fakeService.ts";

type Answer = Wire<RiskAnswer>;

/** As they come over the wire. */
async function fetched(context: Parameters<typeof startFixture>[0]) {
  const { call } = await startFixture(context);
  const [risk, info] = [
    await call("straddle/get_risk", { account: ACCOUNT }),
    await call("straddle/get_info"),
  ];
  return { answer: risk.result as Answer, info: info.result as Wire<Info> };
}

test("the client's report is the server's, from the wire alone", async (context) => {
  const { answer, info } = await fetched(context);
  assert.deepEqual(verifiedRisk(answer, info), answer.report);
  assert.deepEqual(snapshotFromWire(answer.snapshot), signedSnapshot(DOMAIN));
});

/** What the node changes, and what the client says of it. */
const cheats: readonly (readonly [string, (answer: Answer) => unknown, RegExp])[] = [
  [
    "a smaller margin",
    ({ report }) => ({ report: { ...report, maintenanceMargin: 1 } }),
    /`maintenanceMargin` is not what its inputs give/,
  ],
  [
    "another profit in one scenario",
    ({ report }) => {
      const scenarios = report.scenarios.map((row) => ({ ...row, pnl: row.pnl + 1 }));
      return { report: { ...report, scenarios } };
    },
    /`scenarios.0.pnl` is not/,
  ],
  [
    "cash that does not fit the rest",
    ({ report }) => ({ report: { ...report, cash: report.cash + 1 } }),
    /is not what its inputs give/,
  ],
  [
    "another unit",
    ({ report }) => ({ report: { ...report, sizes: { ...report.sizes, unit: 1 } } }),
    /`sizes.unit` is not/,
  ],
  [
    "a position less",
    ({ report }) => ({ report: { ...report, positions: [] } }),
    /is not what its inputs give/,
  ],
  [
    "a row less",
    ({ report }) => ({ report: { ...report, scenarios: report.scenarios.slice(0, 17) } }),
    /`scenarios.17` is not/,
  ],
  [
    "a mark that nobody signed",
    ({ snapshot }) => {
      const slots = snapshot.slots.map((slot) => ({ ...slot, mark: slot.mark + 1 }));
      return { snapshot: { ...snapshot, slots } };
    },
    /no oracle quorum/,
  ],
  [
    "a change out of its range",
    ({ snapshot }) => {
      const slots = snapshot.slots.map((slot) => ({ ...slot, changes: [2 ** 30] }));
      return { snapshot: { ...snapshot, slots } };
    },
    /no oracle quorum/,
  ],
  [
    "one signature twice",
    ({ snapshot }) => {
      const [first] = snapshot.signatures;
      return { snapshot: { ...snapshot, signatures: [first, first] } };
    },
    /no oracle quorum/,
  ],
  [
    "one signature alone",
    ({ snapshot }) => {
      return { snapshot: { ...snapshot, signatures: snapshot.signatures.slice(0, 1) } };
    },
    /no oracle quorum/,
  ],
  [
    "a table that calls what is held something else",
    ({ series }) => {
      const [first, ...rest] = series;
      return { series: [{ ...first!, strike: first!.strike + 1 }, ...rest] };
    },
    /prices another series in slot 0/,
  ],
  ["a table of another size", ({ series }) => ({ series: series.slice(1) }), /another market/],
];

for (const [name, cheat, reason] of cheats) {
  test(`found out: ${name}`, async (context) => {
    const { answer, info } = await fetched(context);
    const changed = { ...answer, ...(cheat(answer) as object) };
    assert.throws(
      () => verifiedRisk(changed, info),
      (error: unknown) => error instanceof RiskError && reason.test(error.message),
    );
  });
}

test("oracles that are pinned elsewhere are those that count", async (context) => {
  const { answer, info } = await fetched(context);
  const oracles = [...info.oracles].reverse();
  assert.throws(() => verifiedRisk(answer, { ...info, oracles }), /no oracle quorum/);
  assert.throws(() => verifiedRisk(answer, { ...info, domain: "0x1" }), /no oracle quorum/);
});

test("a trader asks for risk, previews orders and takes positions over", async (context) => {
  const { server, service } = await startFixture(context);
  const now = () => 1_800_000_000_000;
  const options = { node: server.url, account: ACCOUNT, keyIndex: 0, key: { secret: SECRET }, now };
  const trader = await createTrader(options);
  context.after(() => trader.close());
  assert.equal((await trader.risk()).initialMargin, 206_250_000);
  const order = { book: 1, isSell: true, price: 1200, lots: 50 };
  const preview = await trader.preview(order);
  assert.deepEqual([preview.verdict, preview.fee], [null, 150_000]);
  assert.equal((await trader.preview({ ...order, lots: 2000 })).verdict, "insufficientMargin");
  assert.deepEqual(service.state.messages, [], "nothing was sent");
  const terms = { from: 9, slot: 0, lots: 5, amount: 2_500_000 };
  const receipt = await trader.takeOver(terms);
  assert.deepEqual([receipt.kind, receipt.outcome], ["backstop", "executed"]);
  const deadline = now() + 60_000;
  assert.deepEqual(service.state.messages, [{ kind: "backstop", ...terms, deadline }]);
  await assert.rejects(trader.takeOver({ ...terms, lots: 0 }), /not well formed/);
  assert.equal(INFO.oracleQuorum, 2);
});

test("a fee above an eighth of the premium makes a receipt invalid", async (context) => {
  const { server, service } = await startFixture(context);
  const key = { secret: SECRET };
  const trader = await createTrader({ node: server.url, account: ACCOUNT, keyIndex: 0, key });
  context.after(() => trader.close());
  const fill = { price: 16, lots: 3, makerSeq: 1 };
  const submit = service.submit;
  const answer = { fee: 6000 };
  Object.assign(service, {
    submit: async (submission: Parameters<typeof submit>[0]) => {
      const result = await submit(submission);
      if (!result.accepted) return result;
      const fills = [{ ...fill, ...answer }];
      return { ...result, receipt: { ...result.receipt, fills, restingLots: 0 } };
    },
  });
  const order = { book: 1, isSell: false, price: 16, lots: 3 };
  assert.equal((await trader.place(order)).fills[0]?.fee, 6000, "2 ticks for each of 3 lots");
  answer.fee = 6001;
  await assert.rejects(trader.place(order), /a fee is above its cap/);
});
