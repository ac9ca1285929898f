/**
 * What a deployment has done so far, written before each transaction is sent: whoever starts it
 * again goes on where it stopped, and nothing is sent twice.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { DeployError } from "../deployVerifiers.ts";

const VERSION = 1;
const hex = z
  .string()
  .regex(/^0x[0-9a-fA-F]*$/)
  .transform((text) => text as `0x${string}`);
const decimal = z.string().regex(/^[0-9]+$/);

const stepSchema = z.strictObject({
  name: z.string(),
  /** Else it calls the contract at `address`. */
  isCreation: z.boolean(),
  /** Of the call, or of creation code with arguments. */
  dataHash: hex,
  /** The newest block then: it is in a later one. */
  begunAt: z.int().min(0),
  nonce: z.int().min(0),
  address: hex,
  /** Every transaction signed for this nonce: at most one of them is mined. */
  attempts: z.array(
    z.strictObject({ hash: hex, maxFeePerGas: decimal, maxPriorityFeePerGas: decimal }),
  ),
  /** Once it is mined. */
  mined: z.strictObject({ hash: hex.nullable(), block: z.int(), gasUsed: decimal }).optional(),
});
export type JournalStep = z.output<typeof stepSchema>;

const journalSchema = z.strictObject({
  version: z.literal(VERSION),
  chainId: z.int(),
  from: hex,
  steps: z.array(stepSchema),
});
type JournalData = z.output<typeof journalSchema>;

export interface Journal {
  /** In the order in which they were begun. */
  readonly steps: () => readonly JournalStep[];
  /** Adds it, or replaces the one at `index`; durable when it returns. */
  put(index: number, step: JournalStep): void;
  /** Forgets steps from `index` on. */
  cut(index: number): void;
  /** The deployment is complete and recorded elsewhere. */
  remove(): void;
}

/** Without a file nothing outlives the process. Throws {@link DeployError} for another's. */
export function openJournal(
  file: string | undefined,
  owner: { readonly chainId: number; readonly from: `0x${string}` },
): Journal {
  const data = (file && read(file)) || { version: VERSION, ...owner, steps: [] };
  const isOwn = data.chainId === owner.chainId && same(data.from, owner.from);
  if (!isOwn) {
    throw new DeployError(
      `\`${file}\` is of an unfinished deployment by \`${data.from}\` on chain ` +
        `\`${data.chainId}\`: finish it, or remove the file`,
    );
  }
  const save = () => file && write(file, data);
  return {
    steps: () => data.steps,
    put(index, step) {
      data.steps[index] = step;
      save();
    },
    cut(index) {
      data.steps.length = Math.min(data.steps.length, index);
      save();
    },
    remove() {
      if (file !== undefined) rmSync(file, { force: true });
    },
  };
}

function same(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

function read(file: string): JournalData | undefined {
  if (!existsSync(file)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new DeployError(`\`${file}\` is damaged: what was deployed must be looked up by hand`);
  }
  const result = journalSchema.safeParse(value);
  if (result.success) return result.data;
  throw new DeployError(`\`${file}\` is no journal: ${z.prettifyError(result.error)}`);
}

/** Whole or not at all, and on the disk. */
export function writeDurably(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  const descriptor = openSync(temporary, "w");
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}

function write(file: string, data: JournalData): void {
  writeDurably(file, `${JSON.stringify(data, null, 2)}\n`);
}
