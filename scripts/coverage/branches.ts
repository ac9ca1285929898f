/**
 * Makes branches visible to a tool that counts statements: every condition passes through a
 * function of its own, in a file of such functions, which returns true in one statement and false
 * in another. Lines stay where they are.
 */
import {
  applyEdits,
  child,
  childList,
  children,
  descendants,
  type Edit,
  isNode,
  lineAt,
  rangeOf,
  type SourceText,
  type SyntaxNode,
  sourceText,
  textIn,
} from "../mutation/soliditySyntax.ts";

/** A way that the code can take: a condition that holds, or does not, or a clause of a `try`. */
export interface Outcome {
  readonly sourceName: string;
  readonly line: number;
  readonly text: string;
  /** Where it is counted: a line of the file of functions. */
  readonly countedAt: number;
}

export interface Instrumented {
  readonly content: string;
  readonly outcomes: readonly Outcome[];
  /** Lines on which a statement begins. */
  readonly statementLines: ReadonlySet<number>;
}

export const PROBES_FILE = "Branches.sol";
const HEAD = "// SPDX-License-Identifier: GPL-3.0-or-later\npragma solidity 0.8.37;\n";
const HEAD_LINES = 2;
const PROBE_LINES = 6;

/** Hands out functions, numbered over all sources. */
export function createProbes() {
  let count = 0;
  return {
    next: () => count++,
    /** The file of functions. */
    source: () => HEAD + Array.from({ length: count }, (_, index) => probe(index)).join(""),
  };
}

type Probes = ReturnType<typeof createProbes>;

function probe(index: number): string {
  const head = `function branch${index}(bool holds) pure returns (bool) {`;
  return `${head}\n    if (holds) {\n        return true;\n    }\n    return false;\n}\n`;
}

const lineOfTrue = (index: number) => HEAD_LINES + index * PROBE_LINES + 3;
const lineOfFalse = (index: number) => HEAD_LINES + index * PROBE_LINES + 5;

const CONDITIONAL = new Set(["IfStatement", "Conditional", "ForStatement", "WhileStatement"]);

/** What decides: whole conditions, and each operand of `&&` and `||`, wherever they stand. */
function decisionsOf(node: SyntaxNode): SyntaxNode[] {
  if (CONDITIONAL.has(node.nodeType)) return isNode(node.condition) ? [node.condition] : [];
  const isLogical = node.operator === "&&" || node.operator === "||";
  if (node.nodeType !== "BinaryOperation" || !isLogical) return [];
  const operands = [child(node, "leftExpression"), child(node, "rightExpression")];
  // `a || b || c` is `(a || b) || c`: the inner one's operands are enough.
  return operands.filter((operand) => operand.operator !== node.operator);
}

export function instrument(
  sourceName: string,
  content: string,
  tree: SyntaxNode,
  probes: Probes,
): Instrumented {
  const source = sourceText(content);
  const wrapped = new Set(descendants(tree).flatMap(decisionsOf));
  const outcomes: Outcome[] = [];
  const opening: Edit[] = [];
  const closing: Edit[] = [];
  const visit = (node: SyntaxNode): void => {
    const { start, end } = rangeOf(node);
    const place = { sourceName, line: lineAt(source, start) };
    const text = textIn(source, { start, end }).replace(/\s+/g, " ");
    const isClause = node.nodeType === "TryCatchClause";
    const index = wrapped.has(node) || isClause ? probes.next() : -1;
    if (wrapped.has(node)) {
      opening.push({ start, end: start, text: `branch${index}(` });
      outcomes.push({ ...place, text: `${text} holds`, countedAt: lineOfTrue(index) });
      outcomes.push({ ...place, text: `${text} does not hold`, countedAt: lineOfFalse(index) });
    }
    if (isClause) {
      const inside = rangeOf(child(node, "block")).start + 1;
      opening.push({ start: inside, end: inside, text: `branch${index}(true);` });
      outcomes.push({ ...place, text: text.slice(0, 60), countedAt: lineOfTrue(index) });
    }
    for (const below of children(node)) visit(below);
    // After what it contains: brackets that end at one place close from the inside.
    if (wrapped.has(node)) closing.push({ start: end, end, text: ")" });
  };
  visit(tree);
  const edits = [importOfProbes(sourceName, tree), ...opening, ...closing];
  const statementLines = statementLinesIn(tree, source);
  return { content: applyEdits(source, edits), outcomes, statementLines };
}

/** On the line of the pragma, so that no line moves. */
function importOfProbes(sourceName: string, tree: SyntaxNode): Edit {
  const pragma = childList(tree, "nodes").find(({ nodeType }) => nodeType === "PragmaDirective");
  if (pragma === undefined) throw new Error(`\`${sourceName}\` has no pragma`);
  const { end } = rangeOf(pragma);
  const path = sourceName.includes("/libraries/") ? `../${PROBES_FILE}` : `./${PROBES_FILE}`;
  return { start: end, end, text: ` import "${path}";` };
}

function statementLinesIn(tree: SyntaxNode, source: SourceText): Set<number> {
  const lists = descendants(tree).flatMap((node) => [
    ...childList(node, "statements"),
    ...["trueBody", "falseBody", "body"].flatMap((field) => {
      const body = node[field];
      return isNode(body) ? [body] : [];
    }),
  ]);
  // Yul counts as one statement: what is inside cannot be instrumented.
  const statements = lists.filter(({ nodeType }) => !/^Yul|Block$/.test(nodeType));
  return new Set(statements.map((node) => lineAt(source, rangeOf(node).start)));
}
