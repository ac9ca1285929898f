/**
 * Who may call what: the access of every external function that changes something, and its table
 * for people, contracts/ROLES.md. test/contracts/roles.test.ts asks the contracts whether each line
 * is true, caller by caller.
 */
import type { Abi, AbiFunction } from "viem";

/** Callers, each told apart from the others by the contracts somewhere. */
export const ROLES = [
  "anyone",
  "operator",
  "guardian",
  "proposer",
  "timelock",
  "validatorOwner",
  "rollup",
] as const;
export type Role = (typeof ROLES)[number];

/** `stops`: what makes the function revert for everybody. */
export interface Access {
  readonly who: readonly Role[];
  readonly stops?: readonly Stop[];
  readonly note?: string;
}
/** `live`: works only after the freeze. */
type Stop = "paused" | "frozen" | "live";

const anyone: readonly Role[] = ["anyone"];
const timelock: readonly Role[] = ["timelock"];

export const ACCESS: Readonly<Record<string, Readonly<Record<string, Access>>>> = {
  Rollup: {
    deposit: { who: anyone, stops: ["paused", "frozen"], note: "for the caller's account" },
    registerKey: { who: anyone, stops: ["frozen"], note: "for the caller's account" },
    forceWithdraw: { who: anyone, stops: ["frozen"], note: "for the caller's account" },
    forceCancelAll: { who: anyone, stops: ["frozen"], note: "for the caller's account" },
    forceClose: { who: anyone, stops: ["frozen"], note: "for the caller's account" },
    submitBatch: {
      who: ["operator"],
      stops: ["paused", "frozen"],
      note: "anyone once the queue has waited a day without a batch; the proof decides",
    },
    submitBatches: {
      who: ["operator"],
      stops: ["paused", "frozen"],
      note: "as `submitBatch`; anyone else with one batch only",
    },
    withdraw: { who: anyone, note: "pays the owner" },
    withdrawTo: { who: anyone, note: "pays out what is the caller's" },
    freeze: { who: anyone, stops: ["frozen"], note: "when an operation is overdue" },
    exit: { who: anyone, stops: ["live"], note: "the proof names the owner" },
    payExit: { who: anyone, stops: ["live"], note: "pays the owner" },
    exitLate: { who: anyone, stops: ["live"], note: "pays the owner that the proof names" },
    refundDeposit: { who: anyone, stops: ["live"], note: "pays the depositor" },
    setVerifiers: { who: timelock, stops: ["frozen"], note: "not while an operation is overdue" },
    setOracleSet: { who: timelock, stops: ["frozen"], note: "not while an operation is overdue" },
    setOperator: { who: timelock, stops: ["frozen"], note: "not while an operation is overdue" },
    setMinimumDeposit: {
      who: timelock,
      stops: ["frozen"],
      note: "not while an operation is overdue",
    },
    pause: { who: ["guardian"], note: "ends by itself; another only after a forced deadline" },
    unpause: { who: ["guardian"] },
  },
  CollateralVault: {
    receiveFrom: { who: ["rollup"] },
    pay: { who: ["rollup"] },
  },
  ValidatorRegistry: {
    admit: { who: timelock },
    expel: { who: timelock },
    bond: { who: ["validatorOwner"], note: "of an admitted validator" },
    requestLeave: { who: ["validatorOwner"], note: "leaves after the notice of a change" },
    finishLeave: { who: anyone, note: "of who asked long enough ago" },
    release: { who: anyone, note: "credits the owner, after the unbonding delay" },
    slash: { who: anyone, note: "with two signed roots, or words, of one batch" },
    slashReceipts: { who: anyone, note: "with two receipts of one key that are of two logs" },
    slashVotes: { who: anyone, note: "with two votes of one validator that exclude each other" },
    payCredit: { who: anyone, note: "pays whose credit it is" },
  },
  Governance: {
    schedule: { who: ["proposer"], note: "with the delay at least" },
    scheduleBatch: { who: ["proposer"], note: "with the delay at least" },
    cancel: { who: ["proposer", "guardian"] },
    execute: { who: anyone, note: "what is due, for two weeks" },
    executeBatch: { who: anyone, note: "what is due, for two weeks" },
    updateDelay: { who: timelock, note: "never below the floor" },
    grantRole: { who: timelock },
    revokeRole: { who: timelock },
    renounceRole: { who: anyone, note: "the caller's own role" },
    onERC721Received: { who: anyone, note: "does nothing" },
    onERC1155Received: { who: anyone, note: "does nothing" },
    onERC1155BatchReceived: { who: anyone, note: "does nothing" },
  },
};

const NAMES: Readonly<Record<Role, string>> = {
  anyone: "anyone",
  operator: "operator",
  guardian: "guardian",
  proposer: "proposer",
  timelock: "timelock",
  validatorOwner: "validator's owner",
  rollup: "rollup",
};
const STOPS: Readonly<Record<Stop, string>> = {
  paused: "a pause",
  frozen: "the freeze",
  live: "no freeze yet",
};

export function changingFunctions(abi: Abi): AbiFunction[] {
  return functionsOf(abi).filter(({ stateMutability }) => !isReading(stateMutability));
}

/** The table. Throws where ABIs and access do not name the same functions. */
export function rolesText(abis: Readonly<Record<string, Abi>>): string {
  const parts = Object.keys(ACCESS).map((contract) => contractText(contract, abis[contract] ?? []));
  return `${[HEAD, ...parts].join("\n\n")}\n`;
}

const HEAD = `<!-- GENERATED by scripts/generate.ts from ABIs and scripts/roles.ts — do not edit -->
# Who may call what

Every external function of the contracts that hold money or decide over it. None of them stands
behind a proxy. The *timelock* is \`Governance\` itself: what it calls was proposed by the proposer,
was public for longer than forced deadline and claim window together, and was not cancelled. A
deployment without governance has neither timelock, proposer nor guardian, and lacks those powers.
No function that takes money out of a live or a frozen rollup asks for a role, or for a pause.`;

function contractText(contract: string, abi: Abi): string {
  const table = ACCESS[contract] ?? {};
  const changing = changingFunctions(abi).map(({ name }) => name);
  const stated = Object.keys(table);
  const missing = changing.filter((name) => !stated.includes(name));
  const surplus = stated.filter((name) => !changing.includes(name));
  if (missing.length > 0 || surplus.length > 0) {
    const text = `missing \`${missing.join(", ")}\`, surplus \`${surplus.join(", ")}\``;
    throw new Error(`scripts/roles.ts and the ABI of \`${contract}\` differ: ${text}`);
  }
  const rows = Object.entries(table).map(([name, { who, stops = [], note = "" }]) => {
    const callers = who.map((role) => NAMES[role]).join(", ");
    const stopped = stops.map((stop) => STOPS[stop]).join(", ") || "nothing";
    return `| \`${name}\` | ${callers} | ${stopped} | ${note} |`;
  });
  const reading = functionsOf(abi).filter(({ stateMutability }) => isReading(stateMutability));
  const names = [...new Set(reading.map(({ name }) => `\`${name}\``))].sort();
  return [
    `## ${contract}`,
    "",
    "| function | called by | stopped by | |\n| --- | --- | --- | --- |",
    ...rows,
    "",
    `Read by anyone: ${names.join(", ")}.`,
  ].join("\n");
}

function functionsOf(abi: Abi): AbiFunction[] {
  return abi.filter((item): item is AbiFunction => item.type === "function");
}

function isReading(stateMutability: string): boolean {
  return stateMutability === "view" || stateMutability === "pure";
}
