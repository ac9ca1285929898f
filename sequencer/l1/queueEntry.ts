/** One entry of the layer-one queue as its event tells it, and the hash of all up to it. */
import { encodePacked, type Hash, keccak256, zeroHash } from "viem";
import type { QueuedOperation } from "../ports.ts";
import { LEDGER_KINDS } from "../protocol/constants.ts";
import type { RollupEvents } from "./rollupReader.ts";
import { SettlementError } from "./settlementError.ts";

type QueueEvent = RollupEvents<"OperationQueued">[number];

export interface QueueEntry {
  readonly queued: QueuedOperation;
  /** Of this entry and all before it, without the blocks that they are in. */
  readonly digest: Hash;
  readonly block: bigint;
}

/** The digest of an empty queue. */
export const EMPTY_QUEUE: Hash = zeroHash;

/** Whether an entry's marks must not be older than it is. */
export function isPriced({ args }: QueueEvent): boolean {
  return Number(args.kind) === LEDGER_KINDS.forcedClose;
}

/** `before`: the digest of the entry before; `minedAt`: of a priced one, when (unix ms). */
export function queueEntryOf(event: QueueEvent, before: Hash, minedAt = 0): QueueEntry {
  const { queueId, account, owner, kind, amount, slot, lots, key } = event.args;
  const digest = keccak256(
    encodePacked(
      ["bytes32", "uint256[10]"],
      [before, [queueId, account, BigInt(owner), kind, amount, slot, lots, ...keyWords(key)]],
    ),
  );
  const queued = { queueId: Number(queueId), operation: operationOf(event), pricedFrom: minedAt };
  return { queued, digest, block: event.blockNumber };
}

type Key = QueueEvent["args"]["key"];

function keyWords({ x, y, index, expiry }: Key): [bigint, bigint, bigint] {
  // Index and expiry have 8 and 64 bits.
  return [x, y, (BigInt(index) << 64n) | BigInt(expiry)];
}

function operationOf({ args }: QueueEvent): QueuedOperation["operation"] {
  const account = Number(args.account);
  const owner = BigInt(args.owner);
  const amount = Number(args.amount);
  const { x, y, index, expiry } = args.key;
  const keyPart = { key: { x, y }, keyIndex: index, keyExpiry: expiry };
  switch (Number(args.kind)) {
    case LEDGER_KINDS.deposit:
      return { kind: "deposit", account, owner, amount, ...keyPart };
    case LEDGER_KINDS.registerKey:
      return { kind: "registerKey", account, owner, ...keyPart };
    case LEDGER_KINDS.forcedWithdraw:
      return { kind: "forcedWithdraw", account, owner, amount };
    case LEDGER_KINDS.forcedCancelAll:
      return { kind: "forcedCancelAll", account, owner };
    case LEDGER_KINDS.forcedClose: {
      const [slot, lots] = [Number(args.slot), Number(args.lots)];
      return { kind: "forcedClose", account, owner, slot, lots };
    }
    default:
      throw new SettlementError(`the queue holds an operation of unknown kind \`${args.kind}\``);
  }
}
