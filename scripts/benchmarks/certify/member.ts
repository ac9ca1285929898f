/**
 * One validator's process: replicates, stores and certifies; no engine, no batches. Any message
 * that it gets is answered with how far it has come.
 */
import { openMember, PATIENCE_MS_DEFAULT, TIMING_DEFAULT } from "../../../sequencer/node/member.ts";
import { openStore } from "../../../sequencer/store/store.ts";
import {
  benchSitting,
  DOMAIN,
  GENESIS_ROOT,
  type MemberProgress,
  type MemberStart,
  quiet,
} from "./sitting.ts";

const { index, directory, sequencer, listens } = JSON.parse(process.argv[2] ?? "") as MemberStart;
const { keys, seeds, signers, validators, genesis, peers } = await benchSitting();
const store = await openStore(directory, DOMAIN);
const member = await openMember({
  ...{ validators, genesis, timing: TIMING_DEFAULT, keys, store, sequencer, peers, logger: quiet },
  ...{ signer: signers[index]!, seed: seeds[index]!, listen: listens[index]! },
  patienceMs: PATIENCE_MS_DEFAULT,
  addressOf: (other) => `${listens[other]}/p2p/${peers[other]}`,
});
const progress = (): MemberProgress => {
  const { term, final } = member.report();
  return { term, head: store.log.head(), certified: final?.block.to ?? 0 };
};
const { signal } = new AbortController();
const { position: to, hash: logHash, epoch } = store.log.head();
const ended = member.certify({ to, logHash, epoch, root: GENESIS_ROOT }, signal);
ended.then((reason) => {
  console.error(`member ${index} ended: ${reason}`);
  process.exit(1);
});
// Ends with the process that measures.
process.on("disconnect", () => process.exit(0));
process.on("message", () => process.send?.(progress()));
process.send?.("ready");
for await (const record of member.follower.follow(to, signal)) {
  const written = store.log.copy([record]);
  written.then(() => member.executed(record, GENESIS_ROOT));
}
