/**
 * A trader's machine: the real key chain over a network that loses answers. It places, cancels,
 * withdraws and reads, and writes down what it asked and what it was told.
 */

import { DOOR_ERRORS } from "../../../sequencer/api/rpc/errorTable.ts";
import {
  createKeyChain,
  UncertainError,
  type WordAnswer,
} from "../../../sequencer/client/keyChain.ts";
import type { SentMessage } from "../../../sequencer/client/receipt.ts";
import { createReceiptBook } from "../../../sequencer/client/receiptBook.ts";
import { ConnectionError, ExchangeError } from "../../../sequencer/client/rpcErrors.ts";
import type {
  AccountInfo,
  KeyInfo,
  Wire as OnWire,
  OpenOrder,
  Receipt,
  Submission,
  SubmitResult,
} from "../../../sequencer/exchangeService.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";
import { parseOrderId } from "../../../sequencer/protocol/orderId.ts";
import { receiptDigest } from "../../../sequencer/protocol/receipt.ts";
import type { TestTrader } from "../../unit/roles/market.ts";
import type { Chance } from "../random.ts";
import { DOMAIN, isSignedReceipt } from "./deployment.ts";
import type { Ask } from "./dialling.ts";
import { balanceText, type Command, type Moment, ordersText, type Read } from "./history.ts";
import { sleep } from "./logWire.ts";
import type { Machine } from "./virtualTime.ts";

export interface ClientOptions {
  readonly machine: Machine;
  readonly ask: Ask;
  readonly chance: Chance;
  readonly trader: TestTrader;
  /** Times that each command is sent; more than once only one after the other. */
  readonly copies: number;
  /** What is known now, by whoever sees everything. */
  moment(): Moment;
  onAcknowledged(receipt: Receipt): void;
  onFault(reason: string): void;
}

export interface Client {
  readonly commands: readonly Command[];
  readonly reads: readonly Read[];
  /** Begins nothing new but one order, tried until it is taken. */
  finish(): void;
  /** Everything is answered, and the last order has its receipt. */
  isDone(): boolean;
}

const PAUSE_MS_MAX = 600;
/** Between the copies of a command; a crash and a start fit in between. */
const COPY_MS_MAX = 4_000;
const LIFETIME_MS = 60_000;
/** Beyond it the machine gives a word up whose answer is lost. */
const RESEND_MS = 10_000;
const ACTIVE_MAX = 2;

export function startClient(options: ClientOptions): Client {
  const { machine, chance, trader, copies } = options;
  const { account, secret } = trader;
  const commands: Command[] = [];
  const reads: Read[] = [];
  const byMessage = new Map<Message, Command>();
  const resting = new Set<string>();
  const receipts = createReceiptBook({ domain: DOMAIN });
  const state = { isFinishing: false, isDone: false, active: 0 };
  const ask = <T>(method: string, content: unknown = account): Promise<T> =>
    options.ask<T>(method, content);

  async function submitOnce(submission: Submission): Promise<SubmitResult | undefined> {
    const { account, keyIndex, word, signature, seen } = submission;
    const sent = { account, keyIndex, word, signature, ...(seen && { seen }) };
    // Whatever else goes wrong on the way, nobody knows whether it was done.
    return ask<SubmitResult>("submit", sent).catch(() => undefined);
  }

  /** A refusal says nothing of copies that were sent before and have no answer. */
  async function submit([sent]: readonly SentMessage[]): Promise<readonly WordAnswer[]> {
    if (sent === undefined) return [];
    const command = byMessage.get(sent.message)!;
    if (!command.heads.includes(sent.head)) command.heads.push(sent.head);
    let refused: Extract<SubmitResult, { accepted: false }> | undefined;
    let accepted: Receipt | undefined;
    let isLost = false;
    for (let copy = 0; copy < copies; copy++) {
      if (copy > 0) await sleep(chance.pick(COPY_MS_MAX));
      command.copies += 1;
      const result = await submitOnce(sent);
      if (result === undefined) isLost = true;
      else if (!result.accepted) refused ??= result;
      else if (accepted === undefined) accepted = result.receipt;
      else options.onFault(`account ${account} has two receipts for one message`);
    }
    if (accepted !== undefined) return [{ receipt: accepted as unknown as OnWire<Receipt> }];
    if (isLost || refused === undefined) throw new ConnectionError("the answer is lost", true);
    return [new ExchangeError(0, DOOR_ERRORS[refused.code], { door: refused.code })];
  }

  const chain = createKeyChain({
    ...{ secret, account, keyIndex: 0, submit },
    fetchHead: async () => {
      const key = await ask<KeyInfo | null>("session").catch((error: Error) => {
        throw new ConnectionError(error.message, true);
      });
      if (key === null) throw new ConnectionError("no such key yet", true);
      return key.head;
    },
    checkReceipt: async (onWire, { head }) => {
      const receipt = onWire as unknown as Receipt;
      const { logPosition: position, logHash: hash, signature } = receipt;
      const isOurs = receipt.head === head && receipt.account === account;
      if (!isOurs || !isSignedReceipt(receiptDigest(DOMAIN, position, hash), signature)) {
        throw new Error("the receipt is not of the message, or not signed");
      }
      receipts.keep({ position, hash, signature });
    },
    lastSeen: receipts.newest,
    inFlightMax: copies > 1 ? 1 : ACTIVE_MAX,
    ...{ wordsMax: 1, resendMs: RESEND_MS, pause: sleep, now: () => machine.clock.now() },
  });

  async function send(message: Message): Promise<boolean> {
    const command: Command = {
      ...{ account, message, invoked: options.moment(), heads: [], copies: 0 },
      ...{ answer: undefined, isOver: false },
    };
    commands.push(command);
    byMessage.set(message, command);
    try {
      const receipt = (await chain.send(message)) as unknown as Receipt;
      command.answer = { receipt, moment: options.moment() };
      options.onAcknowledged(receipt);
      if (receipt.orderId !== null) resting.add(receipt.orderId);
      return true;
    } catch (error) {
      if (error instanceof ExchangeError) {
        command.answer = { refused: error.reason, moment: options.moment() };
      } else if (!(error instanceof UncertainError || error instanceof ConnectionError)) {
        options.onFault(`account ${account}: ${(error as Error).message}`);
      }
      return false;
    } finally {
      command.isOver = true;
    }
  }

  async function read(): Promise<void> {
    const what = chance.one(["balance", "orders"] as const);
    const invoked = options.moment();
    try {
      const found = what === "balance" ? await readBalance() : await readOrders();
      reads.push({ account, what, invoked, answered: options.moment(), found });
    } catch {
      // No answer, or a node that has stopped: nothing was read.
    }
  }

  async function readBalance(): Promise<string> {
    const found = await ask<AccountInfo | null>("account");
    return found === null ? "" : balanceText(found);
  }

  async function readOrders(): Promise<string> {
    return ordersText(await ask<readonly OpenOrder[]>("orders"));
  }

  const deadline = (): number => machine.clock.now() + LIFETIME_MS;

  function choose(): Message {
    const kind = chance.pick(100);
    if (kind < 5) return { kind: "cancelAll", deadline: deadline() };
    if (kind < 9)
      return { kind: "withdraw", amount: 1 + chance.pick(5_000_000), deadline: deadline() };
    if (kind < 30 && resting.size > 0) {
      const order = chance.one([...resting]);
      resting.delete(order);
      const { book, isSell, price, seq } = parseOrderId(order)!;
      return { kind: "cancel", book, isSell, price, seq, deadline: deadline() };
    }
    return place();
  }

  function place(): Message {
    const timeInForce = chance.one(["gtc", "gtc", "gtc", "ioc", "fok"] as const);
    const isResting = timeInForce === "gtc";
    return {
      ...{ kind: "place", book: chance.pick(2), isSell: chance.happens(50) },
      ...{ price: 497 + chance.pick(7), lots: 1 + chance.pick(20), timeInForce },
      postOnly: isResting && chance.happens(20),
      reduceOnly: !isResting && chance.happens(20),
      deadline: deadline(),
    };
  }

  async function act(): Promise<void> {
    state.active += 1;
    if (chance.happens(30)) await read();
    else await send(choose());
    state.active -= 1;
  }

  async function trade(): Promise<void> {
    while (!state.isFinishing) {
      await sleep(1 + chance.pick(PAUSE_MS_MAX));
      const limit = copies > 1 ? 1 : ACTIVE_MAX;
      if (state.active < limit) void act();
    }
    while (state.active > 0) await sleep(PAUSE_MS_MAX);
    while (!(await send(place()))) await sleep(PAUSE_MS_MAX);
    state.isDone = true;
  }

  machine.boot(() => void trade());
  return {
    commands,
    reads,
    finish: () => {
      state.isFinishing = true;
    },
    isDone: () => state.isDone,
  };
}
