/** All mutants of the contracts, each under a name that other changes of the code do not move. */
import { createHash } from "node:crypto";
import { OPERATORS } from "./operators.ts";
import {
  applyEdits,
  children,
  isNode,
  lineAt,
  parse,
  type SolcInput,
  type SourceText,
  type SyntaxNode,
  sourceText,
  textIn,
} from "./soliditySyntax.ts";

export interface Mutant {
  /** Of file, function, operator, text and how often that came before: not of the line. */
  readonly id: string;
  readonly operator: string;
  /** As the compiler names it: `project/contracts/Rollup.sol`. */
  readonly sourceName: string;
  /** `Rollup`: the file's name. */
  readonly contract: string;
  readonly functionName: string;
  readonly line: number;
  readonly original: string;
  readonly replacement: string;
  /** The whole source with the change in it. */
  readonly mutate: () => string;
}

/** The contracts whose tests are judged: not mocks, interfaces and generated files. */
export const JUDGED = /^(project\/)?contracts\/(libraries\/)?[A-Z]\w*\.sol$/;

interface Scope {
  readonly source: SourceText;
  readonly sourceName: string;
  readonly functionName: string;
}

type Draft = Omit<Mutant, "id">;

export function allMutants(input: SolcInput): Mutant[] {
  const trees = parse(input);
  const counts = new Map<string, number>();
  return Object.keys(input.sources)
    .filter((name) => JUDGED.test(name))
    .sort()
    .flatMap((sourceName) => {
      const source = sourceText(input.sources[sourceName]!.content);
      const tree = trees[sourceName]!.ast;
      return draftsIn(tree, undefined, { source, sourceName, functionName: "" });
    })
    .map((draft) => ({ ...draft, id: idOf(draft, counts) }));
}

/** `count` of them, drawn by the seed: each keeps its place when others come or go. */
export function sample(mutants: readonly Mutant[], seed: string, count: number): Mutant[] {
  const rank = ({ id }: Mutant) => createHash("sha256").update(`${seed}:${id}`).digest("hex");
  return mutants
    .map((mutant) => ({ mutant, rank: rank(mutant) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, count)
    .map(({ mutant }) => mutant);
}

function idOf(
  { sourceName, functionName, operator, original, replacement }: Draft,
  counts: Map<string, number>,
) {
  const name = JSON.stringify([sourceName, functionName, operator, original, replacement]);
  const nth = counts.get(name) ?? 0;
  counts.set(name, nth + 1);
  return createHash("sha256").update(`${name}${nth}`).digest("hex").slice(0, 8);
}

function draftsIn(node: SyntaxNode, parent: SyntaxNode | undefined, outer: Scope): Draft[] {
  // Names, types and documentation have no behaviour.
  if (/^(Import|Pragma|Struct|Event|Error|Documentation)|TypeName$/.test(node.nodeType)) return [];
  const scope = { ...outer, functionName: scopeName(node) ?? outer.functionName };
  const own = OPERATORS.flatMap((operator) => operator(node, { source: scope.source, parent })).map(
    (change) => {
      const { source, sourceName, functionName } = scope;
      return {
        operator: change.operator,
        sourceName,
        contract: sourceName.replace(/^.*\/|\.sol$/g, ""),
        functionName,
        line: lineAt(source, change.start),
        original: textIn(source, change),
        replacement: change.text,
        mutate: () => applyEdits(source, [change]),
      };
    },
  );
  const inner = children(node).flatMap((below) => draftsIn(below, node, scope));
  // A literal in a type, as in `uint256[8]`, would only fail to compile.
  return [...own, ...inner];
}

function scopeName(node: SyntaxNode): string | undefined {
  const { nodeType, name, kind } = node;
  if (nodeType === "FunctionDefinition") return String(name) || String(kind);
  if (nodeType === "ModifierDefinition") return String(name);
  const isConstant = nodeType === "VariableDeclaration" && node.stateVariable === true;
  return isConstant && isNode(node.value) ? String(name) : undefined;
}

/** Where a mutant stands, for people. */
export function describe({
  contract,
  functionName,
  line,
  operator,
  original,
  replacement,
}: Mutant) {
  const oneLine = (text: string) => text.replace(/\s+/g, " ");
  const change = `${oneLine(original)} → ${oneLine(replacement) || "(nothing)"}`;
  return `${contract}.sol:${line} ${functionName}: ${operator}: ${change}`;
}
