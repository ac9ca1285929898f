/** A day on which a sequencer has a friend: the real one, by the rule that it is given. */
import assert from "node:assert/strict";
import type { LogRecord, MessageEntry } from "../../sequencer/batch/log.ts";
import type { Receipt } from "../../sequencer/exchangeService.ts";
import type { FairOrder } from "../../sequencer/protocol/fairOrder.ts";
import type { Message } from "../../sequencer/protocol/messages.ts";
import { createFakeTimers } from "../support/fakeTimers.ts";
import { logOf } from "../support/histories.ts";
import {
  createMarket,
  createTrader,
  DOMAIN,
  deployment,
  PLACE,
  type TestTrader,
  turns,
  type World,
} from "../unit/roles/market.ts";

export const RULE: FairOrder = { roundMs: 10, bumpMs: 30 };
export const FIRST_COME: FairOrder = { roundMs: 0, bumpMs: 0 };

export interface Day {
  readonly world: World;
  readonly records: readonly LogRecord[];
  /** Of the messages, in the order in which they came. */
  readonly receipts: readonly Receipt[];
}

/**
 * A maker quotes; a friend of the sequencer's, then a stranger, take; and the maker cancels, in
 * time if the rule holds. The sequencer is the real one, by the rule that it is given.
 */
export async function day(fairOrder: FairOrder): Promise<Day> {
  const timers = createFakeTimers({ advance: (ms) => opened.world.clock.advance(ms) });
  const config = { deployment: { ...deployment, fairOrder } };
  const opened: { world: World; maker: TestTrader; taker: TestTrader } = await createMarket(
    config,
    { scheduler: timers },
  );
  const { world, maker, taker } = opened;
  const stranger = createTrader(5);
  world.open(stranger, 1_000_000_000);
  for (let count = 0; count < 5; count++) await world.step(400);
  const deadline = world.clock.now() + 60_000;
  const sending: Promise<Receipt>[] = [];
  const send = (who: TestTrader, message: Message) => {
    const sent = world.submit(who, message);
    sending.push(sent.then((result) => (result.accepted ? result.receipt : assert.fail())));
  };
  send(maker, { ...PLACE, isSell: true, price: 505, lots: 4, postOnly: true, deadline });
  await timers.pass(40, turns);
  send(taker, { ...PLACE, price: 505, lots: 2, deadline });
  await timers.pass(15, turns);
  send(maker, { kind: "cancelAll", deadline });
  await timers.pass(15, turns);
  send(stranger, { ...PLACE, price: 490, lots: 1, deadline });
  await timers.pass(60, turns);
  const receipts = await Promise.all(sending);
  await world.finish();
  return { world, records: world.log.survivors(), receipts };
}

/** The same log with other words of when messages came: no signature and no root changes. */
export function retold(
  { records }: Day,
  change: (entry: MessageEntry, position: number) => number,
): LogRecord[] {
  const entries = records.map(({ entry, position }) =>
    entry.type === "message" ? { ...entry, arrived: change(entry, position) } : entry,
  );
  return logOf(DOMAIN, entries);
}
