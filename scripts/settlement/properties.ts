/** What the settlement layer and the circuits promise, by the names of their tests, in order. */

export interface Property {
  readonly statement: string;
  /** Takes too long for every run: without `--long` its tests skip themselves. */
  readonly isLong?: true;
  /** Of the circuits, not of the settlement layer: `npm run test:circuits` shows it. */
  readonly isOfCircuits?: true;
}

export const PROPERTIES: Readonly<Record<string, Property>> = {
  A1: { statement: "rebuilt from layer one alone, every one of 200 batches has its root" },
  A2: { statement: "no byte of a batch's data can be flipped or dropped unnoticed" },
  A3: { statement: "without sequencer, validators and council a user still gets out" },
  A4: { statement: "no pause stops an exit; every change comes a week later than one" },
  A5: { statement: "two clean builds are the same bytes, and those that are deployed" },
  A6: { statement: "keys without a ceremony are refused on chain, forged proofs with them" },
  B1: { statement: "freezes at the deadline and after it, never before, never if nothing waits" },
  B2: { statement: "frozen for good: no new state, each exit and each refund once" },
  B3: { statement: "exits never exceed custody; one haircut for all; claim = engine's equity" },
  B4: { statement: "a full queue shuts nobody out and is cleared in a tenth of the deadline" },
  B5: { statement: "every forced request that gets in can be served, as an effect or a no-op" },
  B6: { statement: "by layer one alone: cancel all, close, withdraw; no counterparty signs" },
  B7: { statement: "anybody freezes and exits for others; odd tokens stand in nobody's way" },
  B8: { statement: "a withheld batch holds nobody: exit from the last proven root" },
  B9: { statement: "gas: freeze 100k, exit 500k, batch 260k and 700 for each fill, at most" },
  B10: { statement: "a series that expires while frozen settles by the written rule" },
  C1: circuits("no single wire of a whole witness can be changed"),
  C2: circuits("nor any number of wires together: the Jacobian's kernel is 0"),
  C3: circuits("every hint replaced by 100 values and more: none with another output"),
  C4: circuits("constraints deleted one by one: 95 % noticed, the others reviewed"),
  C5: circuits("every public signal tampered with: no proof holds"),
  C6: circuits("what is compared is range-checked; the compiler's warnings are reviewed"),
  C7: circuits("boundaries: 0, 1, 2^n - 1, 2^n, p - 1, negative numbers"),
  C8: circuits("odd signatures, keys and Merkle paths refused"),
  C10: circuits("the adversary flags 80 % of known bugs, and no fixed circuit"),
  C9: { statement: "inputs beyond the field and 10,000 mangled proofs refused; no proof twice" },
  D1: { statement: "contracts' coverage: lines 95 %, branches 90 %, at least" },
  D2: { statement: "invariants of all contracts together, 256 runs of 128 calls" },
  D3: { statement: "mutants of the contracts killed: 90 % at least", isLong: true },
  D4: { statement: "every external function with every role: the table in the docs" },
  D5: { statement: "a signature of elsewhere, of another form, or of old counts nowhere" },
  D6: { statement: "storage layout, nothing to initialise or upgrade, linter clean" },
  E10: { statement: "reorgs of 1, 2, 7, 32 and 64 blocks: no credit lost or doubled" },
  E11: { statement: "stuck transactions, crashes, lying endpoints: never two for one batch" },
  E12: { statement: "a reverting batch stops and alarms; backlog presses back" },
};

function circuits(statement: string): Property {
  return { statement, isOfCircuits: true };
}

const NODE_TITLE = /^([A-E]\d{1,2})\b/;
const SOLIDITY_TITLE = /^(?:test|testFuzz|invariant)_([A-E]\d{1,2})_/;

/** The property that a test of Node's runner is named after. */
export function nameInTitle(title: string): string | undefined {
  return known(NODE_TITLE.exec(title)?.[1]);
}

/** The property that a Solidity test is named after. */
export function nameInFunction(title: string): string | undefined {
  return known(SOLIDITY_TITLE.exec(title)?.[1]);
}

function known(name: string | undefined): string | undefined {
  return name !== undefined && name in PROPERTIES ? name : undefined;
}
