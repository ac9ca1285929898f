/** A command line between a real contract behind a JSON-RPC port and a node that is a fake. */
import { tmpdir } from "node:os";
import type { TestContext } from "node:test";
import { main } from "../../../sequencer/cli/straddle.ts";
import { deriveTradingKey } from "../../../sequencer/client/tradingKey.ts";
import { developmentAccount } from "../../../sequencer/l1/developmentAccount.ts";
import { chain, deployRollup, NO_PROOF, networkHelpers } from "../../contracts/rollupChain.ts";
import { serveRpc } from "../../support/rpcServer.ts";
import { startFixture } from "../api/apiFixture.ts";
import { createFakeService, INFO } from "../api/fakeService.ts";

/** Layer one opens 1 and 2 for the venue. */
export const FIRST = 3;
/** Where no node is. */
export const NOWHERE = "http://127.0.0.1:9";

export async function startOwnerLine(context: TestContext, config: Record<string, unknown> = {}) {
  // Some tests wait for weeks, and layer one takes no batch that is so old.
  const before = await networkHelpers.takeSnapshot();
  context.after(() => before.restore());
  const it = await deployRollup(config);
  const rollup = it.rollup.address.toLowerCase() as `0x${string}`;
  const wallet = developmentAccount(0, 31337);
  const scope = { chainId: 31337, rollup, keyIndex: 0 };
  const { secret } = await deriveTradingKey(wallet, scope);
  const service = createFakeService(secret);
  service.info = async () => ({ ...INFO, rollup });
  const { server, clock } = await startFixture(context, { service });
  clock.time = Date.now();
  const rpc = await serveRpc(context, chain.provider);
  const runPlain = async (line: string) => {
    let [out, err] = ["", ""];
    const code = await main(line.split(" "), {
      stdout: (text) => {
        out += text;
      },
      stderr: (text) => {
        err += text;
      },
      env: {},
      folder: tmpdir(),
      proveExit: async () => NO_PROOF,
    });
    return { code, out, err };
  };
  const run = (line: string, url = server.url) =>
    runPlain(`--url ${url} --rpc ${rpc} --rollup ${rollup} --dev-account 0 ${line}`);
  return { it, run, runPlain, rpc, rollup, service, wallet };
}
