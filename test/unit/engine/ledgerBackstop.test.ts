import assert from "node:assert/strict";
import { test } from "node:test";
import type { LedgerOperation } from "../../../sequencer/engine/records.ts";
import {
  backstopScenario,
  checkBackstop,
} from "../../../sequencer/engine/transactions/backstop.ts";
import {
  assertRefused,
  backstop,
  createDistress,
  type DistressOptions,
  insure,
  LOCKED,
  messageOf,
  TRADER,
} from "./ledgerDistress.ts";
import { NOW, paymentBy, slotRisk } from "./market.ts";

const MALFORMED: readonly (readonly [LedgerOperation, RegExp])[] = [
  [insure({ slot: 4 }), /`slot` must be below 4/],
  [insure({ slot: -1 }), /`slot` must be below 4/],
  [insure({ lots: 0 }), /`lots` must be/],
  [insure({ lots: 1.5 }), /`lots` must be/],
  [insure({ lots: 2 ** 22 }), /`lots` must be/],
  [insure({ scenario: 17 }), /`scenario` must be below 17/],
  [insure({ scenario: Number.NaN }), /`scenario` must be below 17/],
  [insure({ amount: -1 }), /`amount` must be/],
  [insure({ amount: 2 ** 50 }), /`amount` must be/],
  [paymentBy(TRADER, messageOf()), /`scenario` must be stated/],
  [{ ...backstop(), kind: "withdraw" } as LedgerOperation, /`message` must be of kind withdraw/],
];
for (const [operation, reason] of MALFORMED) {
  test(`no takeover: ${operation.kind} ${reason.source}`, () => {
    assertRefused(createDistress(), operation, reason);
  });
}

test("the door finds the scenario of a backstop, or refuses it", () => {
  const { state, ledger } = createDistress({
    slots: [slotRisk(100, -20), slotRisk(100, 20), slotRisk(100, 20), slotRisk(100, 20)],
  });
  const author = { account: TRADER };
  assert.equal(backstopScenario(state, author, messageOf(), ledger), 1);
  assert.equal(checkBackstop(state, author, messageOf(), ledger), undefined);
  assert.equal(checkBackstop(state, author, messageOf({ lots: 41 }), ledger), "takeoverRefused");
  assert.equal(checkBackstop(state, { account: LOCKED }, messageOf(), ledger), "takeoverRefused");
  const noRisk = { risk: undefined, time: NOW };
  assert.equal(checkBackstop(state, author, messageOf(), noRisk), "noSnapshot");
});

test("the door keeps room for what an author's orders may add to position and cash", () => {
  const rich = { cash: { [TRADER]: 2 ** 50 } };
  const short = (lots: number): DistressOptions => ({
    ...rich,
    positions: { 6: [-lots, 0, 0, 0], 4: [60 + lots, 0, 0, 0] },
  });
  const author = { account: TRADER };
  const near = createDistress(short(2 ** 21 - 11));
  assert.equal(checkBackstop(near.state, author, messageOf(), near.ledger), undefined);
  const over = createDistress(short(2 ** 21 - 10));
  assert.equal(checkBackstop(over.state, author, messageOf(), over.ledger), "limitExceeded");
  const full = createDistress({ cash: { [TRADER]: 2 ** 51 - 1_000_000 } });
  assert.equal(checkBackstop(full.state, author, messageOf(), full.ledger), "limitExceeded");
});
