/** Where things are: options first, then the environment, then what `npm start` has written. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { UsageError } from "./failure.ts";
import type { Io } from "./output.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  readonly url?: string;
  readonly rpc?: string;
  readonly rollup?: string;
  readonly keystore?: string;
  readonly passwordFile?: string;
  readonly devAccount?: number;
  readonly keyIndex: number;
  readonly fromBlock?: number;
  readonly config: string;
  readonly json?: boolean;
}

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text as `0x${string}`);

/** Other fields of the file are not for this program. */
const devnetSchema = z.object({
  apiUrl: z.url(),
  rpcUrl: z.url(),
  rollup: address,
  chainId: z.int().min(1),
  /** Of the rollup's creation. */
  block: z.int().min(0).optional(),
});

export interface Settings {
  readonly apiUrl: string;
  readonly rpcUrl: string;
  /** Known from the user's own side; a node's word for it is not enough to send money. */
  readonly rollup: `0x${string}` | undefined;
  readonly chainId: number | undefined;
  /** Layer-one block before which there is nothing to read. */
  readonly fromBlock: number | undefined;
}

export const DEVNET_FILE = ".straddle/devnet.json";
const DEFAULT_API = "http://127.0.0.1:8600";
const DEFAULT_RPC = "http://127.0.0.1:8545";

export function readSettings(options: GlobalOptions, io: Io): Settings {
  const devnet = readDevnet(path.resolve(io.folder, options.config));
  const apiUrl = options.url ?? io.env.STRADDLE_URL ?? devnet?.apiUrl ?? DEFAULT_API;
  const rpcUrl = options.rpc ?? io.env.STRADDLE_RPC ?? devnet?.rpcUrl ?? DEFAULT_RPC;
  assertUrl("--url", apiUrl, ["http:", "https:", "ws:", "wss:"]);
  assertUrl("--rpc", rpcUrl, ["http:", "https:"]);
  const rollup = options.rollup ?? io.env.STRADDLE_ROLLUP;
  if (rollup === undefined) {
    const fromBlock = options.fromBlock ?? devnet?.block;
    return { apiUrl, rpcUrl, rollup: devnet?.rollup, chainId: devnet?.chainId, fromBlock };
  }
  const parsed = address.safeParse(rollup);
  if (!parsed.success) {
    throw new UsageError(`--rollup must be an address: 0x and 40 hex digits. Got \`${rollup}\`.`);
  }
  const { fromBlock } = options;
  return { apiUrl, rpcUrl, rollup: parsed.data, chainId: undefined, fromBlock };
}

function readDevnet(file: string): z.output<typeof devnetSchema> | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`\`${file}\` is not JSON. Remove it, or start the devnet again.`);
  }
  const { success, data, error } = devnetSchema.safeParse(value);
  if (success) return data;
  throw new UsageError(`\`${file}\` is not of a devnet: ${z.prettifyError(error)}`);
}

function assertUrl(name: string, text: string, protocols: readonly string[]): void {
  const url = URL.parse(text);
  if (url !== null && protocols.includes(url.protocol)) return;
  const allowed = protocols.map((protocol) => `${protocol}//`).join(", ");
  throw new UsageError(`${name} must be a URL that begins with ${allowed}. Got \`${text}\`.`);
}
