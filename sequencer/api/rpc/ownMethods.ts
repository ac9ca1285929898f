/** Methods of what only this venue has: receipts' log, batches, proofs, keys, oracles. */
import { z } from "zod";
import type { AccountInfo, BatchStatus, KeyInfo } from "../../exchangeService.ts";
import { USDC } from "../../protocol/usdc.ts";
import { ROWS_MAX } from "../limits.ts";
import { amountOf, priceOf, rounded, usdcOf } from "./amounts.ts";
import * as fields from "./fieldSchemas.ts";
import { WHO } from "./ledgerSchemas.ts";
import { LIQUIDATION_OFFER } from "./marketSchemas.ts";
import { found, type Method, method } from "./method.ts";
import * as schemas from "./ownSchemas.ts";
import { wire } from "./wireValue.ts";

const nothing = z.strictObject({});
const { account, address, count, keyIndex, natural } = fields;

/** Records are read from the disk, and the last of them is signed. */
const LOG_CALLS = 5;

export const OWN_METHODS: readonly Method[] = [
  method("straddle/get_info", {
    summary: "What the deployment is: domain, sizes, oracles, validators, rule of order.",
    params: nothing,
    result: schemas.INFO,
    call: async (_, { service }) => mutable(wire(await service.info())),
  }),
  method("straddle/get_status", {
    summary: "How the node is doing: log, batches, validators, layer one.",
    params: nothing,
    result: schemas.STATUS,
    call: async (_, { service }) => mutable(wire(await service.status())),
  }),
  method("straddle/get_key", {
    summary: "A trading key and the head of its chain.",
    params: z.strictObject({ account, key_index: keyIndex }),
    result: schemas.KEY,
    call: async ({ account: id, key_index }, { service }) =>
      keyShape(found(await service.session(id, key_index), `trading key ${id}/${key_index}`)),
  }),
  method("straddle/get_account", {
    summary: "An account by its id or its owner, with its keys.",
    params: WHO,
    result: schemas.ACCOUNT,
    call: async ({ account: id, owner }, { service }) => {
      const who = owner === undefined ? { id: id ?? 0 } : { owner: BigInt(owner) };
      return accountShape(found(await service.account(who), `account ${owner ?? id}`));
    },
  }),
  method("straddle/get_snapshot", {
    summary: "Marks and scenario changes in use, with the oracles' signatures.",
    calls: 2,
    params: nothing,
    result: schemas.SNAPSHOT,
    call: async (_, { service }) => mutable(wire(found(await service.snapshot(), "snapshot"))),
  }),
  method("straddle/get_stage", {
    summary: "How far a log record has come: sequenced, certified, proven, anchored.",
    params: z.strictObject({ log_position: natural }),
    result: schemas.STAGE,
    call: async ({ log_position }, { service }) => {
      const stage = found(await service.stages(log_position), `log position ${log_position}`);
      const { batchNumber: batch_number, isSealed: is_sealed, transaction } = stage;
      return { log_position, batch_number, is_sealed, stage: stage.stage, transaction };
    },
  }),
  method("straddle/get_batch", {
    summary: "A sealed batch and its stage.",
    params: z.strictObject({ number: z.union([z.int().min(1), z.literal("latest")]) }),
    result: schemas.BATCH,
    call: async ({ number }, { service }) =>
      batchShape(found(await service.batch(number), `batch ${number}`)),
  }),
  method("straddle/get_batches", {
    summary: "Sealed batches, the latest first.",
    calls: 2,
    params: z.strictObject({ from: z.int().min(1).optional(), count: count.default(20) }),
    result: z.array(schemas.BATCH),
    call: async ({ from, count: limit }, { service }) =>
      (await service.batches(from ?? null, limit)).map(batchShape),
  }),
  method("straddle/get_batch_proof", {
    summary: "A batch's public data, its Groth16 proof, and the validators' certificate.",
    calls: 10,
    params: z.strictObject({ number: z.int().min(1) }),
    result: schemas.BATCH_PROOF,
    call: async ({ number }, { service }) => {
      const batch = wire(found(await service.batchProof(number), `batch ${number}`));
      return {
        ...{ number, kind: batch.kind, root_before: batch.rootBefore, root_after: batch.rootAfter },
        ...{ words: [...batch.words], commitment: batch.commitment },
        proof: batch.proof === null ? null : [...batch.proof],
        certificate: batch.attestations.map((attestation) => ({
          validator: attestation.validator,
          root: attestation.root,
          words_hash: attestation.wordsHash,
          log_hash: attestation.logHash,
          signature: attestation.signature,
        })),
      };
    },
  }),
  method("straddle/get_log", {
    summary: "Hashes of the order log, the last one signed: for comparison with receipts.",
    calls: LOG_CALLS,
    params: z.strictObject({ from: natural, count: count.default(100) }),
    result: schemas.LOG,
    call: async ({ from, count: limit }, { service }) => mutable(await service.log(from, limit)),
  }),
  method("straddle/get_liquidations", {
    summary: "Accounts in liquidation, and what is offered of them.",
    calls: 10,
    params: nothing,
    result: z.array(LIQUIDATION_OFFER),
    call: async (_, { service, market }) => {
      const { catalogue } = await market.view();
      const { info } = catalogue;
      const nameOf = (slot: number) =>
        [...catalogue.byName.values()].find(({ series }) => series?.slot === slot)?.name ?? null;
      return (await service.liquidations()).map((locked) => ({
        account: locked.account,
        locked_since: locked.lockedSince,
        balance: usdcOf(locked.cash),
        equity: locked.equity === null ? null : usdcOf(locked.equity),
        maintenance_headroom: locked.maintenance === null ? null : usdcOf(locked.maintenance),
        offers: locked.offers.map((offer) => ({
          instrument_name: nameOf(offer.slot),
          slot: offer.slot,
          position: amountOf(offer.position, info),
          mark_price: priceOf(offer.mark, info),
          amount_max: amountOf(offer.lotsMax, info),
          lots_max: offer.lotsMax,
          payment_per_lot: rounded(offer.amountPerLot / USDC),
          payment_per_lot_max: rounded(offer.amountPerLotMax / USDC),
        })),
      }));
    },
  }),
  method("straddle/get_withdrawals", {
    summary: "Withdrawals of an owner and how far they are, the latest first.",
    calls: 2,
    params: z.strictObject({ owner: address }),
    result: z.array(schemas.WITHDRAWAL),
    call: async ({ owner }, { service }) => {
      const withdrawals = await service.withdrawals(BigInt(owner));
      return withdrawals.slice(0, ROWS_MAX).map((item) => ({
        account: item.account,
        owner: addressText(item.owner),
        amount: usdcOf(item.amount),
        is_forced: item.isForced,
        log_position: item.logPosition,
        batch_number: item.batchNumber,
        stage: item.stage,
        transaction: item.transaction,
      }));
    },
  }),
];

/** All 40 digits, as whoever asks for it must give them. */
function addressText(owner: bigint): string {
  return `0x${owner.toString(16).padStart(40, "0")}`;
}

/** Schemas describe plain arrays; what the service gives is read-only. */
type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;

function mutable<T>(value: T): Mutable<T> {
  return value as Mutable<T>;
}

function keyShape({ account: id, keyIndex: key_index, key, head, expiry, version }: KeyInfo) {
  const shape = { account: id, key_index, key, head, expires: expiry, version };
  return mutable(wire(shape));
}

function accountShape(info: AccountInfo) {
  const { account: id, owner, cash, equity, lockedSince, keys } = info;
  return {
    account: id,
    owner: addressText(owner),
    balance: usdcOf(cash),
    equity: equity === null ? null : usdcOf(equity),
    locked_since: lockedSince,
    keys: keys.map(keyShape),
  };
}

export function batchShape(batch: BatchStatus) {
  const { number, kind, time: timestamp, logPosition: log_position, stage, attestations } = batch;
  const root = `0x${batch.root.toString(16)}`;
  const place = { number, kind, timestamp, root, log_position };
  return { ...place, stage, attestations, transaction: batch.transaction };
}
