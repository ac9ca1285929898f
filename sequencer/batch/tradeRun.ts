/** A trade batch under way. Twin: circuits/trade.circom. */

import { checkSequenced } from "../engine/door.ts";
import type { StepRecord } from "../engine/records.ts";
import type { Risk } from "../engine/risk.ts";
import { proceed, purge, sequenceMessage, type TradeContext } from "../engine/trade.ts";
import { checkLiquidation, liquidate } from "../engine/transactions/liquidate.ts";
import { isTradeMessage, messageFromWord } from "../protocol/messages.ts";
import { nextHeadOnce, verifyOnce } from "../protocol/remembered.ts";
import type { BatchRun } from "./batchRun.ts";
import type { ExecutorOptions } from "./executor.ts";
import { requireEntry } from "./invalidEntry.ts";
import type { LiquidateEntry, MessageEntry, OpenEntry, PurgeEntry } from "./log.ts";
import { fokSteps } from "./sizes.ts";
import { draftSteps, fillWords } from "./tradeWitness.ts";
import { add, additionOfSteps, createWorkingSet, fits, fitsAll } from "./workingSet.ts";

export interface RunContext extends ExecutorOptions {
  readonly entry: OpenEntry;
  readonly risk: Risk;
}

export function createTradeRun(context: RunContext): BatchRun {
  const { state, entry: opening, risk } = context;
  const sizes = context.sizes.trade;
  const set = createWorkingSet();
  const records: StepRecord[] = [];
  const rules: TradeContext = { risk, time: opening.time, fokSteps: fokSteps(sizes) };
  const carried = state.carry();
  if (carried !== undefined) {
    // The circuit opens the carried order's account whether or not it goes on.
    add(set, { steps: 0, fills: 0, accounts: [carried.account], books: [] });
  }

  /** Runs steps, or undoes them where the circuit has no room for what they touch. */
  function attempt(act: () => StepRecord[], entry?: MessageEntry): StepRecord[] | "full" {
    const point = state.checkpoint();
    const steps = act();
    const addition = additionOfSteps(steps);
    if (!fits(set, addition, sizes)) {
      state.rollback(point);
      return "full";
    }
    add(set, addition, entry?.signature);
    records.push(...steps);
    return steps;
  }

  function goOn(): StepRecord[] {
    const steps: StepRecord[] = [];
    while (state.carry() !== undefined && set.used < sizes.steps) {
      const step = attempt(() => [proceed(state, rules)]);
      if (step === "full") break;
      steps.push(...step);
    }
    return steps;
  }

  return {
    used: () => set.used,
    capacity: sizes.steps,
    proceed: goOn,
    message(entry) {
      const message = checkedMessage(context, entry);
      if (state.carry() !== undefined || set.used >= sizes.steps) return "full";
      const signed = { author: entry.author, message, word: entry.word };
      const first = attempt(() => sequenceMessage(state, signed, rules), entry);
      return first === "full" ? first : [...first, ...goOn()];
    },
    purge(entry) {
      checkPurge(context, entry);
      if (state.carry() !== undefined || set.used >= sizes.steps) return "full";
      const steps = attempt(() => [purge(state, entry)]);
      return steps === "full" ? steps : steps[0]!;
    },
    liquidate(entry) {
      if (state.carry() !== undefined || set.used >= sizes.steps) return "full";
      checkLiquidate(context, entry, rules);
      const steps = attempt(() => [liquidate(state, entry, rules)]);
      return steps === "full" ? steps : steps[0]!;
    },
    hasRoom: (done) =>
      state.carry() === undefined && fitsAll(set, done.map(additionOfSteps), sizes),
    stepWords: () => fillWords(records, sizes.fills),
    draft: () => ({ set, work: { kind: "trade", steps: draftSteps(records) } }),
  };
}

/** The message in an entry, after everything that the circuit demands of it. */
function checkedMessage({ state, entry: { time } }: RunContext, entry: MessageEntry) {
  const { author, word, signature } = entry;
  const message = messageFromWord(word);
  requireEntry(
    message !== undefined && isTradeMessage(message),
    `the word \`${word}\` is not a trade message`,
  );
  const reject = checkSequenced(state, { author, message, word }, time);
  requireEntry(reject === undefined, `the message must not be sequenced: ${reject}`);
  const key = state.session(author.account).keys[author.keyIndex]!;
  requireEntry(
    verifyOnce(key, nextHeadOnce(key.head, word), signature),
    `the signature of account \`${author.account}\`, key \`${author.keyIndex}\` is wrong`,
  );
  return message;
}

function checkPurge({ state }: RunContext, { book, isSell, price, seq }: PurgeEntry): void {
  const side = isSell ? state.book(book)?.asks : state.book(book)?.bids;
  const order = side?.find((entry) => entry.price === price && entry.seq === seq);
  requireEntry(order !== undefined, `no order \`${seq}\` at \`${price}\` in book \`${book}\``);
  const { watermark } = state.session(order.account);
  requireEntry(order.seq < watermark, `order \`${seq}\` is not void`);
}

/** Everything that the circuit demands of a liquidation, that ids have a place in the trees too. */
function checkLiquidate(
  { state, sizes }: RunContext,
  entry: LiquidateEntry,
  rules: TradeContext,
): void {
  const { account } = entry;
  const inTree = Number.isSafeInteger(account) && account >= 0;
  requireEntry(
    inTree && account < 4 ** sizes.trade.accountLevels,
    `there is no account \`${account}\``,
  );
  const reason = checkLiquidation(state, entry, rules);
  requireEntry(reason === undefined, `the liquidation must not be sequenced: ${reason}`);
}
