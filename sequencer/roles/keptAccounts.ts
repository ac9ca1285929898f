/** What a node has left with its disk of accounts: read at the start, beside the log. */
import type { ExchangeEvent } from "../exchangeService.ts";
import type { AccountStore, Clock, Log } from "../ports.ts";
import type { MemoryState } from "../state/memoryState.ts";
import {
  type AccountPolicies,
  type AccountPolicyOptions,
  createAccountPolicies,
} from "./accountPolicy.ts";
import { loadAccountRecords } from "./accountRecords.ts";
import type { Effect } from "./effect.ts";
import { createHeldBook } from "./heldBook.ts";
import { createHeldTrail } from "./heldTrail.ts";

export interface KeptAccounts {
  /** An entry of the log was executed again: what it says of held words may not be stored yet. */
  replayed(state: MemoryState, effect: Effect, events: readonly ExchangeEvent[]): void;
  /** Once the state is that of the log's end. */
  policies(options: AccountPolicyOptions): AccountPolicies;
}

/** With the others a sequencer of another machine may have written since. */
const SOLE_WRITERS: ReadonlySet<string> = new Set(["embedded", "simulated"]);

export async function loadKeptAccounts(ports: {
  readonly accounts: AccountStore;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<KeptAccounts> {
  const { accounts, clock, log } = ports;
  const records = await loadAccountRecords(accounts);
  const isSoleWriter = SOLE_WRITERS.has(log.policy().engine);
  const book = createHeldBook(records);
  const trail = createHeldTrail(book);
  return {
    replayed: (state, effect, events) => {
      trail.executed(state, effect);
      trail.durable({ effects: [effect], events }, clock.now());
    },
    policies: (options) => createAccountPolicies({ records, book, trail, isSoleWriter }, options),
  };
}
