/**
 * What a receipt's signature costs the sequencer, by the signer that it has on this machine, beside
 * the same bytes by `@noble/curves` in the same run.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import { createSigner } from "../../sequencer/consensus/signing.ts";
import { createDigestSigner } from "../../sequencer/node/keys.ts";
import { loadVoteKeys } from "../../sequencer/node/voteKeys.ts";
import { receiptDigest } from "../../sequencer/protocol/receipt.ts";
import type { BenchLine } from "./benchLine.ts";
import { type Contestant, cpuClock, itemsPerSecond } from "./risk/throughput.ts";

const PEER = "@noble/curves@2.4.0";
const RECEIPTS = 2000;
/** The peer is slower: it gets fewer. */
const RECEIPTS_PEER = 200;
const DOMAIN = 123456789n;
const LOG_HASH = "5a".repeat(32);
const PRIVATE_KEY = `0x${"7b".repeat(32)}` as const;

export function receiptLines(): BenchLine[] {
  const { sign } = createDigestSigner(PRIVATE_KEY);
  const { sign: signByPeer } = createSigner(hexToBytes(PRIVATE_KEY.slice(2)));
  const digests = Array.from({ length: RECEIPTS_PEER }, (_, at) => digestAt(at));
  // Both must do the same work.
  if (digests.some((digest) => sign(digest) !== signByPeer(digest))) {
    throw new Error("the signers do not agree");
  }
  const [receipts = 0, theirReceipts = 0, signatures = 0, theirSignatures = 0] = itemsPerSecond(
    [
      signing(RECEIPTS, (at) => sign(digestAt(at))),
      signing(RECEIPTS_PEER, (at) => signByPeer(digestAt(at))),
      signing(RECEIPTS, (at) => sign(digests[at % RECEIPTS_PEER]!)),
      signing(RECEIPTS_PEER, (at) => signByPeer(digests[at]!)),
    ],
    cpuClock,
  );
  const library = loadVoteKeys().isNative ? "libsecp256k1" : "no libsecp256k1 here: JavaScript";
  return [
    { ...line("hash.receipt", receipts, theirReceipts), note: `${library}; its digest included` },
    { ...line("hash.receipt.signature", signatures, theirSignatures), note: library },
  ];
}

function line(name: string, value: number, peerValue: number): BenchLine {
  const ratio = value / peerValue;
  return { name, value, unit: "1/s", better: "higher", peer: PEER, peerValue, ratio };
}

/** As `roles/receipts.ts` has it for the record at that position. */
function digestAt(position: number): Uint8Array {
  return receiptDigest(DOMAIN, position, LOG_HASH);
}

function signing(items: number, sign: (at: number) => string): Contestant {
  const run = () => {
    let odd = 0;
    for (let at = 0; at < items; at++) odd += sign(at).charCodeAt(66) & 1;
    return odd;
  };
  return { run, items };
}
