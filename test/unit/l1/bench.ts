/** A rollup's node behind a proxy that sees what the client sends, and changes what it is told. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "viem";
import {
  createSettlementLayer,
  type SettlementLayerOptions,
} from "../../../sequencer/l1/settlementLayer.ts";
import { silent } from "../roles/ports.ts";
import {
  operator,
  type RpcMessage,
  type RpcRequest,
  startProxy,
  startRollupNode,
} from "./rollupNode.ts";

export type Change = (request: RpcRequest, answer: RpcMessage) => void;

export const honest: Change = () => undefined;

export async function startBench(options: Parameters<typeof startRollupNode>[0] = {}) {
  const node = await startRollupNode(options);
  const bench = {
    node,
    /** Signed transactions that have left the client since the last {@link reset}. */
    sent: [] as Hex[],
    /** Methods of all requests since then. */
    asked: [] as string[],
    change: honest,
    url: "",
    nonce: () => node.test.getTransactionCount({ address: operator.address }),
    /** The client's first endpoint is the proxy. */
    connect: (overrides: Partial<SettlementLayerOptions> = {}) =>
      createSettlementLayer({
        ...{ rpcUrl: bench.url, rollup: node.rollup, account: operator, confirmations: 1 },
        ...{ logger: silent, replaceMs: 60_000, pollMs: 20, firstBlock: 1n },
        ...overrides,
      }),
    /** The chain as it was at first. */
    reset: async (): Promise<void> => {
      bench.change = honest;
      await node.test.setAutomine(true);
      await node.test.revert({ id: fresh });
      fresh = await node.test.snapshot();
      bench.sent = [];
      bench.asked = [];
    },
    /** From now on {@link reset} goes back to this. */
    keep: async (): Promise<void> => {
      fresh = await node.test.snapshot();
    },
    stop: async (): Promise<void> => {
      proxy.stop();
      await node.stop();
    },
  };
  const proxy = await startProxy(node.rpcUrl, (request, answer) => {
    bench.asked.push(request.method);
    if (request.method === "eth_sendRawTransaction") bench.sent.push(request.params?.[0] as Hex);
    bench.change(request, answer);
  });
  bench.url = proxy.url;
  let fresh = await node.test.snapshot();
  return bench;
}

export type Bench = Awaited<ReturnType<typeof startBench>>;

export async function until(condition: () => boolean): Promise<void> {
  for (let count = 0; count < 500 && !condition(); count++) await sleep(20);
  assert.ok(condition(), "waited in vain");
}
