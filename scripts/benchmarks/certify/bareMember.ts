/**
 * One of four processes that do what certification cannot do without, and nothing else: records and
 * votes are written with a sync, votes are signed, sent to all others, checked and counted, two
 * rounds a block, the next one proposed as soon as the first round of the one before has ended.
 * Plain sockets and bytes; no log's hashes, no encryption, no terms, nobody who lies or fails.
 */
import { hash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { openTexts } from "../log/texts.ts";
import { dial, onFrame, sendFrame } from "./bareWire.ts";
import { benchSitting, MEMBERS } from "./sitting.ts";

/** What a bare member's process is started with. */
export interface BareStart {
  readonly index: number;
  readonly directory: string;
  /** Of all members, and of the sequencer. */
  readonly ports: readonly number[];
  readonly sequencer: number;
}

const LEADER = 0;
const QUORUM = 3;
const KINDS = { notarize: 1, finalize: 2 } as const;
type Kind = keyof typeof KINDS;
const SIGNED_BYTES = 10;

interface Block {
  readonly to: number;
  readonly notarize: Set<number>;
  readonly finalize: Set<number>;
  isVoted: boolean;
  isTip: boolean;
  isFinal: boolean;
}

const { index, directory, ports, sequencer } = JSON.parse(process.argv[2] ?? "") as BareStart;
const { keys, signers, validators } = await benchSitting();
const store = await openTexts(directory);
const blocks = new Map<number, Block>();
const others: Socket[] = [];
let head = 0;
let proposed = { height: 0, to: 0 };

function blockAt(height: number, to: number): Block {
  const known = blocks.get(height);
  if (known !== undefined) return known;
  const none = { isVoted: false, isTip: false, isFinal: false };
  const block = { to, notarize: new Set<number>(), finalize: new Set<number>(), ...none };
  blocks.set(height, block);
  return block;
}

/** Kind (1), member (1), height (4), end (4), signature (65). */
function written(kind: Kind, height: number, to: number): Buffer {
  const words = Buffer.alloc(SIGNED_BYTES);
  words.writeUInt8(KINDS[kind], 0);
  words.writeUInt8(index, 1);
  words.writeUInt32BE(height, 2);
  words.writeUInt32BE(to, 6);
  const signature = signers[index]!.sign(hash("sha256", words, "buffer"));
  return Buffer.concat([words, Buffer.from(signature.slice(2), "hex")]);
}

async function vote(kind: Kind, height: number, to: number): Promise<void> {
  const message = written(kind, height, to);
  await store.put(kind, message.toString("hex"));
  for (const socket of others) sendFrame(socket, message);
  count(kind, index, height, to);
}

function take(message: Buffer): void {
  const kind: Kind = message.readUInt8(0) === KINDS.notarize ? "notarize" : "finalize";
  const member = message.readUInt8(1);
  const digest = hash("sha256", message.subarray(0, SIGNED_BYTES), "buffer");
  const signature = `0x${message.toString("hex", SIGNED_BYTES)}`;
  if (!keys.verify(validators.members[member]!, digest, signature)) throw new Error("a bad vote");
  count(kind, member, message.readUInt32BE(2), message.readUInt32BE(6));
}

function count(kind: Kind, member: number, height: number, to: number): void {
  const block = blockAt(height, to);
  block[kind].add(member);
  goOn(height, block);
}

function goOn(height: number, block: Block): void {
  const { to, notarize, finalize } = block;
  if (!block.isVoted && notarize.has(LEADER) && head >= to) {
    block.isVoted = true;
    if (index !== LEADER) void vote("notarize", height, to);
  }
  if (block.isVoted && !block.isTip && notarize.size >= QUORUM) {
    block.isTip = true;
    void vote("finalize", height, to);
    propose();
  }
  if (block.isTip && !block.isFinal && finalize.size >= QUORUM) {
    block.isFinal = true;
    blocks.delete(height - MEMBERS);
    if (index === LEADER) report(to);
  }
}

/** The leader's vote is its proposal. */
function propose(): void {
  const isFree = proposed.height === 0 || blocks.get(proposed.height)?.isTip === true;
  if (index !== LEADER || !isFree || head <= proposed.to) return;
  proposed = { height: proposed.height + 1, to: head };
  void vote("notarize", proposed.height, proposed.to);
}

function report(to: number): void {
  const words = Buffer.alloc(4);
  words.writeUInt32BE(to);
  sendFrame(line, words);
}

const server = createServer({ noDelay: true }, (socket) => onFrame(socket, take));
server.listen(ports[index], "127.0.0.1");
await once(server, "listening");
for (const [member, port] of ports.entries()) {
  if (member !== index) others.push(await dial(port));
}
const line = await dial(sequencer);
onFrame(line, (record) => {
  store.append([record.toString("utf8")]).then(() => {
    head += 1;
    propose();
    for (const [height, block] of blocks) if (!block.isVoted) goOn(height, block);
  });
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
