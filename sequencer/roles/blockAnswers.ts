/** Final blocks for members who have missed them. */
import type { Block } from "../consensus/block.ts";
import { ANSWER_BLOCKS_MAX } from "../consensus/message.ts";
import type { CertificationStore, Logger, MemberNetwork } from "../ports.ts";
import { messageOf } from "./loop.ts";

export interface BlockAnswersOptions {
  readonly store: Pick<CertificationStore, "block">;
  readonly network: Pick<MemberNetwork, "send">;
  readonly logger: Logger;
}

/**
 * Sends a member the block that it asks for, and those before it. One answer at a time for each
 * member, who asks again for what it does not get: else a question would cost it less than us.
 */
export function createBlockAnswers({ store, network, logger }: BlockAnswersOptions) {
  const answering = new Set<number>();
  return async (to: number, target: string): Promise<void> => {
    if (answering.has(to)) return;
    answering.add(to);
    try {
      const blocks: Block[] = [];
      let block = await store.block(target);
      while (block !== undefined && blocks.length < ANSWER_BLOCKS_MAX) {
        blocks.push(block);
        block = await store.block(block.parent);
      }
      if (blocks.length > 0) network.send([to], { type: "blocks", blocks });
    } catch (error) {
      logger.warn("a block could not be read for another member", { error: messageOf(error) });
    } finally {
      answering.delete(to);
    }
  };
}
