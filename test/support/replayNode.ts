/** A node that executes a log and makes the inputs of its batches' circuits as it goes. */
import { logOrigin } from "../../sequencer/batch/log.ts";
import type { Checkpoint, InputDesk } from "../../sequencer/ports.ts";
import { openInputsInProcess } from "../../sequencer/roles/inputsInProcess.ts";
import {
  createNodeState,
  type Deployment,
  type NodeState,
} from "../../sequencer/roles/nodeState.ts";
import { createMemoryState } from "../../sequencer/state/memoryState.ts";

export interface ReplayNode extends NodeState {
  readonly inputs: InputDesk;
}

export function createReplayNode(deployment: Deployment, checkpoint?: Checkpoint): ReplayNode {
  const { shape, sizes, oracles, domain } = deployment;
  const number = checkpoint?.batchNumber ?? 0;
  const state = checkpoint?.state ?? createMemoryState(shape).exportState();
  const inputs = openInputsInProcess({ shape, sizes, oracles, domain, number, state });
  const node = createNodeState(deployment, logOrigin(domain), checkpoint, inputs);
  return { ...node, inputs };
}
