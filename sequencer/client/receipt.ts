/** Checks a receipt against what was sent: the sequencer can convict itself, but not lie. */
import { feeCap } from "../engine/fees.ts";
import type { Receipt, Submission, Wire } from "../exchangeService.ts";
import { SCENARIOS } from "../protocol/constants.ts";
import { recordHash as historyHash, logJson } from "../protocol/evidence.ts";
import { isTradeMessage, type Message } from "../protocol/messages.ts";
import { receiptDigest } from "../protocol/receipt.ts";
import { recoverAddress } from "../protocol/recovery.ts";
import type { SeenHead } from "../protocol/seenHead.ts";

/** The receipt does not prove what it should. Keep it: it may convict the sequencer. */
export class ReceiptError extends Error {
  override name = "ReceiptError";
  readonly receipt: Wire<Receipt>;
  constructor(reason: string, receipt: Wire<Receipt>) {
    super(`the receipt of log position \`${receipt.logPosition}\` is not valid: ${reason}.`);
    this.receipt = receipt;
  }
}

export interface SentMessage extends Submission {
  readonly message: Message;
  /** The chain head after the message. */
  readonly head: bigint;
}

export interface ReceiptContext {
  readonly domain: bigint;
  /** Addresses of the sequencers: one, unless they take turns. */
  readonly sequencers: readonly string[];
  /** 1e-6 USDC of one tick for one lot. */
  readonly unit: number;
}

/** Throws {@link ReceiptError}. */
export function checkReceipt(
  receipt: Wire<Receipt>,
  sent: SentMessage,
  { domain, sequencers, unit }: ReceiptContext,
): void {
  const fail = (reason: string): never => {
    throw new ReceiptError(reason, receipt);
  };
  const { account, keyIndex, logHash } = receipt;
  if (account !== sent.account || keyIndex !== sent.keyIndex) fail("it is of another key");
  if (BigInt(receipt.head) !== sent.head) fail("its chain head is not the message's");
  if (receipt.kind !== sent.message.kind) fail(`its kind is \`${receipt.kind}\``);
  if (!isPlace(receipt) || !recordHashes(sent, receipt).includes(logHash)) {
    fail("the log record at its position is not of the message");
  }
  const signer = receiptSigner(receipt, domain);
  if (!sequencers.some((sequencer) => sequencer.toLowerCase() === signer)) {
    const expected = sequencers.join("` or `");
    fail(`it is signed by \`${signer ?? "nobody"}\`, not by the sequencer \`${expected}\``);
  }
  checkFills(receipt, sent.message, fail);
  const most = ({ price, lots }: { price: number; lots: number }) => unit * lots * feeCap(price);
  if (receipt.fills.some((fill) => fill.fee > most(fill))) fail("a fee is above its cap");
}

/** Who has signed it, lower case; undefined: nobody. What it is of, {@link checkReceipt} tells. */
export function receiptSigner(
  receipt: Pick<Wire<Receipt>, "logPosition" | "logHash" | "signature">,
  domain: bigint,
): string | undefined {
  const { logPosition, logHash, signature } = receipt;
  if (!/^[0-9a-f]{64}$/.test(logHash)) return undefined;
  return recoverAddress(receiptDigest(domain, logPosition, logHash), signature);
}

function checkFills(
  receipt: Wire<Receipt>,
  message: Message,
  fail: (reason: string) => never,
): void {
  if (message.kind !== "place") {
    if (receipt.fills.length > 0) fail("only orders have fills");
    return;
  }
  const { isSell, price, lots } = message;
  const isWorse = (paid: number) => (isSell ? paid < price : paid > price);
  if (receipt.fills.some((fill) => isWorse(fill.price))) fail("a fill is beyond the limit price");
  const filled = receipt.fills.reduce((sum, fill) => sum + fill.lots, 0);
  if (filled + receipt.restingLots > lots) fail("it fills more than was ordered");
}

/**
 * Hashes that the message's log record may have: twin of `recordHash` in batch/log.ts, which a
 * client does not carry: the tests against the real sequencer hold the two together. The record of
 * a backstop also states the scenario that the sequencer has found it to be due in.
 */
function recordHashes(sent: SentMessage, place: RecordPlace): string[] {
  if (sent.message.kind !== "backstop") return [recordHash(sent, place, {})];
  return Array.from({ length: SCENARIOS }, (_, scenario) => recordHash(sent, place, { scenario }));
}

function isPlace({ logPosition, logEpoch, logPrevious }: RecordPlace): boolean {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
  return isCount(logPosition) && isCount(logEpoch) && /^[0-9a-f]{64}$/.test(logPrevious);
}

type RecordPlace = Pick<Wire<Receipt>, "logPosition" | "logEpoch" | "logPrevious" | "arrived">;

function recordHash(
  sent: SentMessage,
  { logPosition, logEpoch, logPrevious, arrived }: RecordPlace,
  found: { readonly scenario?: number },
): string {
  const { account, keyIndex, word, message } = sent;
  const { r8x, r8y, s } = sent.signature;
  const author = { account, keyIndex };
  const signature = { r8x, r8y, s };
  const seen = sent.seen && { seen: seenEntry(sent.seen) };
  const entry = isTradeMessage(message)
    ? { type: "message", author, word, signature, arrived, ...seen }
    : {
        type: "operation",
        operation: { kind: message.kind, author, message, word, ...found },
        signature,
        ...seen,
      };
  return historyHash(logPosition, logPrevious, { epoch: logEpoch, entry: logJson(entry) });
}

function seenEntry({ position, hash, signature }: SeenHead): SeenHead {
  const { r8x, r8y, s } = signature;
  return { position, hash, signature: { r8x, r8y, s } };
}
