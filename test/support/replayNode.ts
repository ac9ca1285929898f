/** A node that executes a log and makes the inputs of its batches' circuits as it goes. */
import { logOrigin } from "../../sequencer/batch/log.ts";
import type { Checkpoint, InputDesk } from "../../sequencer/ports.ts";
import { openInputsInProcess } from "../../sequencer/roles/inputsInProcess.ts";
import {
  createNodeState,
  type Deployment,
  type NodeState,
} from "../../sequencer/roles/nodeState.ts";

export interface ReplayNode extends NodeState {
  readonly inputs: InputDesk;
}

export function createReplayNode(deployment: Deployment, checkpoint?: Checkpoint): ReplayNode {
  const { shape, sizes, oracles, domain } = deployment;
  let inputs!: InputDesk;
  const node = createNodeState(deployment, logOrigin(domain), checkpoint, (state, number) => {
    const origin = { shape, sizes, oracles, domain, number, state: state.exportState() };
    inputs = openInputsInProcess(origin);
    return inputs;
  });
  return { ...node, inputs };
}
