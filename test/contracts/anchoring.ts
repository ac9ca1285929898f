/** Puts batches of the test market on the simulated chain, with the queue that they serve. */
import { type Address, getAddress, toHex } from "viem";
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { unpack } from "../../sequencer/protocol/codec.ts";
import {
  LEDGER_KINDS,
  LEDGER_OP_WORDS,
  MARKS_PER_WORD,
} from "../../sequencer/protocol/constants.ts";
import { HEADER, LEDGER_OP } from "../../sequencer/protocol/layout.ts";
import { type Market, ownerOf } from "../support/market.ts";
import { networkHelpers, operator, submit, type World } from "./rollupChain.ts";

export function ownerAddress(account: number): Address {
  return getAddress(toHex(ownerOf(account), { size: 20 }));
}

/** The batch's words for this rollup: the market's own name another domain. */
export async function ownWords({ rollup }: World, { words }: SealedBatch): Promise<bigint[]> {
  return words.with(HEADER.indexOf("domain"), await rollup.read.domain());
}

/** Queues what the batch serves, waits for its time and submits it. */
export async function anchor(world: World, market: Market, batch: SealedBatch): Promise<void> {
  if (batch.kind === "ledger") await queueWhatIsServed(world, market, batch.words);
  const seconds = Math.ceil(Number(batch.words[HEADER.indexOf("time")]) / 1000);
  if ((await networkHelpers.time.latest()) < seconds) await networkHelpers.time.increaseTo(seconds);
  await submit(world, await ownWords(world, batch), batch.commitment);
}

async function queueWhatIsServed(world: World, market: Market, words: readonly bigint[]) {
  const first = HEADER.length + Math.ceil(market.sizes.trade.slots / MARKS_PER_WORD);
  for (let at = first; at < words.length; at += LEDGER_OP_WORDS) {
    await queue(world, words.slice(at, at + LEDGER_OP_WORDS));
  }
}

async function queue(world: World, [word, , x, y]: readonly bigint[]): Promise<void> {
  const { kind, account, to, slot, lots, keyIndex, keyExpiry, ...rest } = unpack(LEDGER_OP, word!);
  const { write } = world.rollup;
  const amount = BigInt(rest.amount);
  const owned = (id: number) => sender(ownerAddress(id));
  if (kind === LEDGER_KINDS.deposit) {
    await depositAs(world, account, amount, { index: keyIndex, expiry: keyExpiry, x: x!, y: y! });
  } else if (kind === LEDGER_KINDS.forcedWithdraw) {
    await write.forceWithdraw([amount], await owned(account));
  } else if (kind === LEDGER_KINDS.forcedCancelAll) {
    await write.forceCancelAll(await owned(account));
  } else if (kind === LEDGER_KINDS.forcedClose) {
    await write.forceClose([BigInt(slot), BigInt(lots)], await owned(to));
  }
}

type Key = Parameters<World["rollup"]["write"]["deposit"]>[0][1];

async function depositAs({ token, vault, rollup }: World, id: number, amount: bigint, key: Key) {
  const owner = ownerAddress(id);
  const from = await sender(owner);
  await token.write.mint([owner, amount], { account: operator.account });
  await token.write.approve([vault.address, amount], from);
  await rollup.write.deposit([amount, key], from);
}

const impersonated = new Set<Address>();

async function sender(account: Address) {
  if (!impersonated.has(account)) {
    impersonated.add(account);
    await networkHelpers.impersonateAccount(account);
    await networkHelpers.setBalance(account, 10n ** 20n);
  }
  return { account };
}

/** What a rollup must be made with for the market's batches to follow from its genesis. */
export function genesisOf({ sealed }: Market) {
  const probe = sealed[0]!;
  return {
    genesisRoot: probe.rootBefore,
    oracleSetHash: probe.words[HEADER.indexOf("oracleSet")]!,
    treasury: ownerAddress(1),
    insurance: ownerAddress(2),
  };
}
