/**
 * Where things are: options first, then the environment, then what `npm start` or `npm run deploy`
 * has written.
 */
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
  readonly receipts?: string;
  readonly config: string;
  readonly json?: boolean;
}

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text as `0x${string}`);

const contractFields = {
  rollup: address,
  chainId: z.int().min(1),
  /** Name of its circuits' sizes. */
  instance: z
    .string()
    .regex(/^[a-z]{1,20}$/)
    .optional(),
};

/** What `npm start` writes. Other fields of the file are not for this program. */
const devnetSchema = z.object({
  apiUrl: z.union([z.url(), z.array(z.url()).min(1)]),
  rpcUrl: z.url(),
  ...contractFields,
  /** Of the rollup's creation. */
  block: z.int().min(0).optional(),
});

/** What `npm run deploy` writes: `deployments/<network>.json`. It names no endpoint. */
const deploymentsSchema = z.object({
  current: z.object({ ...contractFields, block: z.int().min(0) }),
});

interface Known {
  readonly apiUrl?: string | readonly string[];
  readonly rpcUrl?: string;
  readonly rollup: `0x${string}`;
  readonly chainId: number;
  readonly instance?: string | undefined;
  readonly block?: number | undefined;
}

export interface Settings {
  /** Several, where the sequencer moves: one of them serves at a time. */
  readonly apiUrl: readonly string[];
  readonly rpcUrl: string;
  /** Known from the user's own side; a node's word for it is not enough to send money. */
  readonly rollup: `0x${string}` | undefined;
  readonly chainId: number | undefined;
  /** Layer-one block before which there is nothing to read. */
  readonly fromBlock: number | undefined;
  /** Of the circuits, where the file says it. */
  readonly instance: string | undefined;
  /** The folder of the file that says it; undefined where --rollup names another deployment. */
  readonly folder: string | undefined;
}

export const DEVNET_FILE = ".straddle/devnet.json";
const DEFAULT_API = "http://127.0.0.1:8600";
const DEFAULT_RPC = "http://127.0.0.1:8545";

export function readSettings(options: GlobalOptions, io: Io): Settings {
  const file = path.resolve(io.folder, options.config);
  const known = readKnown(file, options.config === DEVNET_FILE);
  const folder = path.dirname(file);
  const apiUrl = [options.url ?? io.env.STRADDLE_URL ?? known?.apiUrl ?? DEFAULT_API].flat();
  const rpcUrl = options.rpc ?? io.env.STRADDLE_RPC ?? known?.rpcUrl ?? DEFAULT_RPC;
  for (const url of apiUrl) assertUrl("--url", url, ["http:", "https:", "ws:", "wss:"]);
  assertUrl("--rpc", rpcUrl, ["http:", "https:"]);
  const rollup = options.rollup ?? io.env.STRADDLE_ROLLUP;
  if (rollup === undefined) {
    const fromBlock = options.fromBlock ?? known?.block;
    const { chainId, instance } = known ?? {};
    return { apiUrl, rpcUrl, rollup: known?.rollup, chainId, fromBlock, instance, folder };
  }
  const parsed = address.safeParse(rollup);
  if (!parsed.success) {
    throw new UsageError(`--rollup must be an address: 0x and 40 hex digits. Got \`${rollup}\`.`);
  }
  const { fromBlock } = options;
  // Nothing that the file says of its own deployment is of this one.
  const unknown = { chainId: undefined, instance: undefined, folder: undefined };
  return { apiUrl, rpcUrl, rollup: parsed.data, fromBlock, ...unknown };
}

/** Only the file that nobody has named may be missing. */
function readKnown(file: string, mayBeMissing: boolean): Known | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    if (mayBeMissing) return undefined;
    throw new UsageError(`--config names \`${file}\`, which cannot be read.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`\`${file}\` is not JSON. Remove it, or start the devnet again.`);
  }
  const deployments = deploymentsSchema.safeParse(value);
  if (deployments.success) return deployments.data.current;
  const { success, data, error } = devnetSchema.safeParse(value);
  if (success) return data;
  const kinds = `\`${file}\` is not of a devnet, nor of \`npm run deploy\``;
  throw new UsageError(`${kinds}: ${z.prettifyError(error)}`);
}

function assertUrl(name: string, text: string, protocols: readonly string[]): void {
  const url = URL.parse(text);
  if (url !== null && protocols.includes(url.protocol)) return;
  const allowed = protocols.map((protocol) => `${protocol}//`).join(", ");
  throw new UsageError(`${name} must be a URL that begins with ${allowed}. Got \`${text}\`.`);
}
