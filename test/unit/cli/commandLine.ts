// A command line against a real API server with the fake service behind it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { mnemonicToAccount } from "viem/accounts";
import { main } from "../../../sequencer/cli/straddle.ts";
import { deriveTradingKey } from "../../../sequencer/client/tradingKey.ts";
import type { ExchangeService } from "../../../sequencer/exchangeService.ts";
import { startFixture } from "../api/apiFixture.ts";
import { createFakeService, type FakeService, INFO, ROLLUP } from "../api/fakeService.ts";

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The service's answers may be replaced. */
type Replaceable = { -readonly [K in keyof ExchangeService]: ExchangeService[K] };

/** The trading key of the first development wallet at the fake service's venue. */
export async function walletSecret(): Promise<bigint> {
  const wallet = mnemonicToAccount("test test test test test test test test test test test junk");
  const scope = { chainId: INFO.chainId, rollup: ROLLUP, keyIndex: 0 } as const;
  return (await deriveTradingKey(wallet, scope)).secret;
}

export async function startCommandLine(context: TestContext) {
  const service: FakeService & Replaceable = createFakeService(await walletSecret());
  const { server, clock } = await startFixture(context, { service });
  clock.time = Date.now();
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const devnet = { apiUrl: server.url, rpcUrl: "http://127.0.0.1:9", rollup: ROLLUP };
  mkdirSync(path.join(folder, ".straddle"));
  const file = path.join(folder, ".straddle/devnet.json");
  writeFileSync(file, JSON.stringify({ ...devnet, chainId: 31337, token: INFO.token }));
  /** `onOut` is told what has come so far; `stopping` ends what would go on for ever. */
  const run = async (
    line: string,
    env: Record<string, string> = {},
    { stopping, onOut }: { stopping?: AbortSignal; onOut?: (out: string) => void } = {},
  ): Promise<Ran> => {
    let out = "";
    let err = "";
    const code = await main(line === "" ? [] : line.split(" "), {
      stdout: (text) => {
        out += text;
        onOut?.(out);
      },
      stderr: (text) => {
        err += text;
      },
      env,
      folder,
      ...(stopping && { stopping }),
    });
    return { code, out, err };
  };
  return { run, service, clock, folder, file, messages: () => service.state.messages };
}
