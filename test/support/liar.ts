/** A member whose key, identity and stream are the test's: it says what it is told to say. */
import { type Block, blockHash } from "../../sequencer/consensus/block.ts";
import type { Message, Proposal } from "../../sequencer/consensus/message.ts";
import { type SignedVote, type Vote, voteDigest } from "../../sequencer/consensus/vote.ts";
import { createMemberNetwork, type MemberMesh } from "../../sequencer/gossip/memberNetwork.ts";
import type { Logger } from "../../sequencer/ports.ts";
import type { Committee } from "./committee.ts";

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export interface Liar {
  readonly mesh: MemberMesh;
  readonly received: readonly { readonly from: number; readonly message: Message }[];
  vote(vote: Vote): SignedVote;
  propose(block: Block, reason?: Proposal["reason"]): Proposal;
}

/** What a liar must know of the set that it is a member of. */
export type LiarSeat = Pick<
  Committee,
  "rules" | "signers" | "seeds" | "peers" | "addressOf" | "setAddress"
>;

export async function createLiar(committee: LiarSeat, index: number): Promise<Liar> {
  const { rules, signers, seeds, peers } = committee;
  const mesh = await createMemberNetwork({
    ...{ listen: "/ip4/127.0.0.1/tcp/0", seed: seeds[index]!, peers, self: index },
    addressOf: (member) => committee.addressOf(member),
    source: { record: async function* () {} },
    logger: SILENT,
  });
  committee.setAddress(index, mesh.addresses()[0]!);
  const received: { from: number; message: Message }[] = [];
  mesh.onMessage((from, message) => {
    received.push({ from, message });
    return undefined;
  });
  const vote = (content: Vote): SignedVote => {
    const digest = voteDigest(rules.validators.session, content);
    return { ...content, validator: index, signature: signers[index]!.sign(digest) };
  };
  return {
    ...{ mesh, received, vote },
    propose: (block, reason = null) => {
      const { view } = block;
      const content = { kind: "notarize", term: view.term, view, block: blockHash(block) } as const;
      return { type: "proposal", block, vote: vote(content), reason };
    },
  };
}
