// An exchange service that keeps one account and two books in memory, checks chains and
// signatures as the real one does, and writes real log records; nothing trades in it.
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { privateKeyToAddress } from "viem/accounts";
import {
  emptyHead,
  headAfter,
  type LogEntry,
  type LogHead,
  logOrigin,
  makeRecord,
} from "../../../sequencer/batch/log.ts";
import type { Author } from "../../../sequencer/engine/records.ts";
import type {
  ExchangeEvent,
  ExchangeService,
  Info,
  KeyInfo,
  Receipt,
  Submission,
  SubmitResult,
} from "../../../sequencer/exchangeService.ts";
import type { PreviewRequest } from "../../../sequencer/market/orderPreview.ts";
import type { BookChange, BookInfo } from "../../../sequencer/market/publicBook.ts";
import { publicKeyOf, secretFromSeed, verify } from "../../../sequencer/protocol/eddsa.ts";
import {
  firstHead,
  isTradeMessage,
  type LedgerMessage,
  type Message,
  messageFromWord,
  nextHead,
} from "../../../sequencer/protocol/messages.ts";
import { orderIdText } from "../../../sequencer/protocol/orderId.ts";
import { receiptDigest } from "../../../sequencer/protocol/receipt.ts";
import type { Status } from "../../../sequencer/protocol/status.ts";

import {
  BOOKS,
  bookOpenings,
  CASH,
  COSTS,
  chainInfo,
  historyOf,
  liquidations,
  listings,
  ORACLES,
  POSITIONS,
  previewOf,
  riskAnswer,
} from "./fakeMarket.ts";

export const DOMAIN = 12345n;
export const ACCOUNT = 7;
export const OWNER = 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266n;
export const SECRET = secretFromSeed(new Uint8Array(32).fill(9));
export const ROLLUP = "0x5fbdb2315678afecb367f032d93f642f64180aa3";

const SEQUENCER_KEY = new Uint8Array(32).fill(1);
export const SEQUENCER = privateKeyToAddress(`0x${bytesToHex(SEQUENCER_KEY)}`);

export const INFO: Info = {
  name: "straddle",
  version: "0.1.0",
  protocol: 1,
  chainId: 31337,
  rollup: ROLLUP,
  token: "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512",
  tokenDecimals: 6,
  domain: DOMAIN,
  shape: { slots: 4, depth: 4, accountLevels: 4, bookLevels: 2, unit: 1000 },
  underlying: "ETH",
  tickSize: 100_000,
  lotsPerContract: 100,
  stepsPerBatch: 8,
  fillsPerBatch: 4,
  operationsPerBatch: 4,
  oracles: ORACLES,
  oracleQuorum: 2,
  oracleSet: 5n,
  fairOrder: { roundMs: 2, bumpMs: 0 },
  sequencer: SEQUENCER,
  validators: [],
};

/** When every message comes (unix ms). */
const ARRIVED = 1_800_000_000_000;

const STATUS: Status = {
  time: 1_800_000_000_000,
  logPosition: 0,
  logHash: "0".repeat(64),
  logEpoch: 0,
  log: {
    engine: "embedded",
    durability: "synced to this machine's disk",
    ...{ lossWindowMs: 0, lossWindow: "none" },
  },
  openBatch: 1,
  sealed: 0,
  certified: 0,
  proven: 0,
  anchored: 0,
  snapshotTime: null,
  nextQueueId: 0,
  validatorsConnected: 0,
  certification: null,
  insuranceFund: 25_000_000,
  feeAccount: 1_500_000,
  feesUncollected: 30_000,
  lockedAccounts: 1,
  isOverloaded: false,
  trading: {
    ...{ mode: "open", reason: null, detail: null, since: null, opensAt: null },
    append: { latencyMs: 3, boundMs: 1000 },
    certification: { latencyMs: null, boundMs: 120_000 },
    dissenting: 0,
  },
  layerOne: {
    ...{ paused: null, stopped: null, frozenAt: null, head: 7, reorgs: 0, deepestReorg: 0 },
    ...{ confirmed: 3, replacements: 0, spentHour: 0n, spentDay: 0n },
  },
  halted: null,
};

export interface FakeService extends ExchangeService {
  readonly state: {
    key: KeyInfo;
    messages: Message[];
    book: BookInfo;
    /** Runs before a submission is looked at; a result replaces the normal one. */
    before: (submission: Submission) => Promise<SubmitResult | undefined>;
    /** Runs after a submission has been sequenced, before its receipt is given. */
    after: () => Promise<void>;
    /** Runs before `book` answers. */
    beforeBook: () => Promise<void>;
    status: Status;
    nextStage: "sequenced" | "proven" | "anchored";
  };
  publish(event: ExchangeEvent): void;
  /** Publishes the book change with the next id. */
  change(lots: number): BookChange;
}

/** Nothing is held here. */
const NO_POLICY: ExchangeService["policy"] = {
  hold: async () => ({ accepted: false, code: "heldFull", reason: null, data: {} }),
  withdraw: async () => [],
  held: async () => [],
  heldHistory: async () => [],
  joined: () => undefined,
  left: () => undefined,
  protect: async () => undefined,
  protection: async () => null,
  resetProtection: async () => undefined,
  setScope: async () => null,
  scope: () => "full",
  allows: () => true,
  onScope: () => undefined,
};

/** Nor does anybody quote. */
const CLOSED = { accepted: false, code: "rfqClosed", reason: null, data: {} } as const;
const NO_PACKAGES: ExchangeService["packages"] = {
  openCombo: async () => CLOSED,
  request: async () => CLOSED,
  cancelRequest: async () => CLOSED,
  quote: async () => CLOSED,
  editQuote: async () => CLOSED,
  cancelQuotes: async () => [],
  accept: async () => CLOSED,
  checkBlock: async () => CLOSED,
  block: async () => CLOSED,
  requests: async () => [],
  quotes: async () => [],
  rfqTrades: async () => [],
};

const FIXED = {
  orders: async (account: number) => {
    const order = { book: 1, isSell: false, price: 100, seq: 4, lots: 25, isCarried: false };
    return [{ orderId: "1-B-100-4", account, ...order }];
  },
  withdrawals: async () => [],
  history: async (account: number, limit: number) => historyOf(account).slice(0, limit),
  books: async () => BOOKS,
  bookOpenings: async () => bookOpenings(),
  trades: async () => [],
  batch: async () => null,
  batches: async () => [],
  batchProof: async () => null,
  ledgerProof: async () => null,
  snapshot: async () => null,
  chain: async () => chainInfo(),
  listings: async () => listings(),
  liquidations: async () => liquidations(DOMAIN),
  risk: async (account: number) => (account === ACCOUNT ? riskAnswer(account, DOMAIN) : null),
  preview: async (request: PreviewRequest) => previewOf(request, DOMAIN),
  policy: NO_POLICY,
  packages: NO_PACKAGES,
};

export function createFakeService(secret = SECRET): FakeService {
  const listeners = new Set<(event: ExchangeEvent) => void>();
  const key0 = { account: ACCOUNT, keyIndex: 0, version: 1, expiry: 2 ** 31 };
  const head = firstHead({ domain: DOMAIN, ...key0 });
  const state = stateOf({ ...key0, key: publicKeyOf(secret), head });
  const log = { head: emptyHead(logOrigin(DOMAIN)), hashes: [] as string[] };
  const publish = (event: ExchangeEvent) => {
    for (const listener of listeners) listener(event);
  };
  return {
    ...FIXED,
    state,
    publish,
    change(lots) {
      const prevChangeId = state.book.changeId;
      const level = { price: 100, lots, orders: 1 };
      state.book = { ...state.book, changeId: prevChangeId + 1, bids: [level] };
      const action = prevChangeId === 10 ? "new" : "change";
      const bids = [{ action, ...level }] as const;
      const change = { book: 1, changeId: prevChangeId + 1, prevChangeId, time: 2, bids, asks: [] };
      publish({ type: "book", change });
      return change;
    },
    info: async () => INFO,
    status: async () => state.status,
    async submit(submission) {
      const early = await state.before(submission);
      if (early !== undefined) return early;
      const result = sequence(state, log, submission);
      if (result.accepted) await state.after();
      return result;
    },
    async account(who) {
      const isHere = "id" in who ? who.id === ACCOUNT : who.owner === OWNER;
      if (!isHere) return null;
      const { equity, initialHeadroom, maintenanceHeadroom } = riskAnswer(ACCOUNT, DOMAIN).report;
      const margins = { equity, headroom: initialHeadroom, maintenance: maintenanceHeadroom };
      const money = { cash: CASH, ...margins, lockedSince: null };
      const keys = [state.key];
      const place = { account: ACCOUNT, owner: OWNER, positions: POSITIONS, costs: COSTS };
      return { ...place, ...money, watermark: 0, keys };
    },
    session: async (account, keyIndex) =>
      account === ACCOUNT && keyIndex === 0 ? state.key : null,
    async book(id) {
      await state.beforeBook();
      return id === 1 ? state.book : null;
    },
    async log(from, limit) {
      const hashes = log.hashes.slice(from, from + limit);
      const last = from + hashes.length - 1;
      const digest = hashes.length > 0 && receiptDigest(DOMAIN, last, hashes.at(-1)!);
      return { from, hashes, signature: digest ? signDigest(digest) : null };
    },
    stages: async (logPosition) => ({
      logPosition,
      batchNumber: 1,
      isSealed: true,
      stage: state.nextStage,
      transaction: null,
    }),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function stateOf(key: KeyInfo): FakeService["state"] {
  return {
    key,
    messages: [],
    book: { book: 1, changeId: 10, time: 1, isOpen: true, bids: [], asks: [], implied: null },
    before: async () => undefined,
    after: async () => undefined,
    beforeBook: async () => undefined,
    status: STATUS,
    nextStage: "anchored",
  };
}

function sequence(
  state: FakeService["state"],
  log: { head: LogHead; hashes: string[] },
  { account, keyIndex, word, signature, seen }: Submission,
): SubmitResult {
  const refuse = (code: "unknownKey" | "malformed" | "badSignature"): SubmitResult => ({
    accepted: false,
    code,
    reason: null,
    data: code === "badSignature" ? { head: state.key.head } : {},
  });
  if (account !== ACCOUNT || keyIndex !== 0) return refuse("unknownKey");
  const message = messageFromWord(word);
  if (message === undefined) return refuse("malformed");
  const head = nextHead(state.key.head, word);
  if (!verify(state.key.key, head, signature)) return refuse("badSignature");
  state.key = { ...state.key, head };
  state.messages.push(message);
  const author = { account, keyIndex };
  const entry: LogEntry = isTradeMessage(message)
    ? { type: "message", author, word, signature, arrived: ARRIVED, ...(seen && { seen }) }
    : {
        ...{ type: "operation", operation: operationOf({ author, message, word }), signature },
        ...(seen && { seen }),
      };
  const record = makeRecord(log.head, entry);
  log.head = headAfter(record);
  log.hashes.push(record.hash);
  const seq = state.messages.length;
  const rests = message.kind === "place" && message.timeInForce === "gtc";
  const receipt: Receipt = {
    account,
    keyIndex,
    head,
    kind: message.kind,
    logPosition: record.position,
    logEpoch: record.epoch,
    logPrevious: record.previous,
    logHash: record.hash,
    seq: isTradeMessage(message) ? seq : null,
    orderId: rests ? orderIdText({ ...message, seq }) : null,
    outcome: outcomeOf(message),
    restingLots: rests ? message.lots : 0,
    fills: [],
    removed: [],
    arrived: isTradeMessage(message) ? ARRIVED : null,
    batchNumber: 1,
    time: 1,
    stage: "sequenced",
    signature: signDigest(receiptDigest(DOMAIN, record.position, record.hash)),
  };
  return { accepted: true, receipt };
}

/** A backstop's record states a scenario, which is not its author's. */
function operationOf(signed: { author: Author; message: LedgerMessage; word: bigint }) {
  const operation = { kind: signed.message.kind, ...signed };
  return operation.kind === "backstop" ? { ...operation, scenario: 12 } : operation;
}

function outcomeOf(message: Message): Receipt["outcome"] {
  if (message.kind === "place") return message.timeInForce === "gtc" ? "rested" : "killed";
  if (message.kind === "cancel") return "cancelled";
  return message.kind === "cancelAll" ? "allCancelled" : "executed";
}

export function signDigest(digest: Uint8Array): `0x${string}` {
  const bytes = secp256k1.sign(digest, SEQUENCER_KEY, { prehash: false, format: "recovered" });
  // noble puts the recovery bit first.
  const v = (27 + (bytes[0] ?? 0)).toString(16);
  return `0x${bytesToHex(bytes.slice(1))}${v}`;
}
