/**
 * How contracts are broken. Each operator takes a node of the syntax tree and gives small changes
 * of the text that a programmer could have made by mistake and a test should notice.
 */
import {
  child,
  childList,
  type Edit,
  isNode,
  rangeOf,
  type SourceText,
  type SyntaxNode,
  textIn,
  typeOf,
} from "./soliditySyntax.ts";

export interface Change extends Edit {
  readonly operator: string;
}

export interface Place {
  readonly source: SourceText;
  readonly parent: SyntaxNode | undefined;
}

type Operator = (node: SyntaxNode, place: Place) => readonly Change[];

const RELATIONS: Readonly<Record<string, readonly string[]>> = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "==": ["!="],
  "!=": ["=="],
};

const ARITHMETIC: Readonly<Record<string, readonly string[]>> = {
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "<<": [">>"],
  ">>": ["<<"],
  "|": ["&"],
  "&": ["|"],
  "^": ["|"],
  "&&": ["||"],
  "||": ["&&"],
  "+=": ["-="],
  "-=": ["+="],
  "|=": ["&="],
  "&=": ["|="],
  "^=": ["|="],
  "<<=": [">>="],
  ">>=": ["<<="],
};

/** Yul has functions where Solidity has operators. */
const YUL_FUNCTIONS: Readonly<Record<string, string>> = {
  add: "sub",
  sub: "add",
  lt: "gt",
  gt: "lt",
  shl: "shr",
  shr: "shl",
  and: "or",
  or: "and",
  addmod: "mulmod",
  mulmod: "addmod",
};

const DELETED = "{}";

function change(operator: string, node: SyntaxNode, text: string): Change {
  return { operator, ...rangeOf(node), text };
}

/** A statement with the semicolon that the tree leaves out. */
function deletion(operator: string, node: SyntaxNode, { source }: Place): Change {
  const { start, end } = rangeOf(node);
  const rest = textIn(source, { start: end, end: source.bytes.length });
  const semicolon = /^\s*;/.exec(rest)?.[0].length ?? 0;
  return { operator, start, end: end + semicolon, text: DELETED };
}

function isCheck(node: SyntaxNode): boolean {
  if (isNode(node.falseBody)) return false;
  const body = child(node, "trueBody");
  if (body.nodeType === "RevertStatement") return true;
  const statements = childList(body, "statements");
  return statements.length === 1 && statements[0]?.nodeType === "RevertStatement";
}

const isRelation = (node: SyntaxNode) =>
  node.nodeType === "BinaryOperation" && String(node.operator) in RELATIONS;
const isNegation = (node: SyntaxNode) =>
  node.nodeType === "UnaryOperation" && node.operator === "!";

function negated(node: SyntaxNode, { source }: Place): readonly Change[] {
  // What a changed relation or a removed `!` would repeat.
  if (isRelation(node) || isNegation(node)) return [];
  return [change("negate", node, `!(${textIn(source, rangeOf(node))})`)];
}

const conditions: Operator = (node, place) => {
  if (node.nodeType !== "IfStatement" && node.nodeType !== "Conditional") return [];
  const condition = child(node, "condition");
  if (node.nodeType === "IfStatement" && isCheck(node)) {
    return [deletion("remove check", node, place), ...negated(condition, place)];
  }
  return [
    change("always", condition, "true"),
    change("never", condition, "false"),
    ...negated(condition, place),
  ];
};

/** The operator's place is between its operands, where comments and brackets may stand too. */
function replaceOperator(
  name: string,
  operator: string,
  between: { readonly start: number; readonly end: number },
  replacements: readonly string[],
  source: SourceText,
): readonly Change[] {
  const offset = textIn(source, between).indexOf(operator);
  const start = between.start + offset;
  const end = start + operator.length;
  return replacements.map((text) => ({ operator: name, start, end, text }));
}

const binaryOperators: Operator = (node, { source }) => {
  const isAssignment = node.nodeType === "Assignment";
  if (node.nodeType !== "BinaryOperation" && !isAssignment) return [];
  const operator = String(node.operator);
  const left = child(node, isAssignment ? "leftHandSide" : "leftExpression");
  const right = child(node, isAssignment ? "rightHandSide" : "rightExpression");
  const between = { start: rangeOf(left).end, end: rangeOf(right).start };
  const replace = (name: string, texts: readonly string[] = []) =>
    replaceOperator(name, operator, between, texts, source);
  return [
    ...replace("relation", RELATIONS[operator]),
    ...replace("arithmetic", ARITHMETIC[operator]),
  ];
};

const unaryOperators: Operator = (node, { source }) => {
  if (node.nodeType !== "UnaryOperation") return [];
  const operand = child(node, "subExpression");
  const inner = textIn(source, rangeOf(operand));
  switch (node.operator) {
    case "!":
    case "~":
      return [change("remove operator", node, inner)];
    case "++":
    case "--": {
      const other = node.operator === "++" ? "--" : "++";
      return [change("arithmetic", node, node.prefix === true ? other + inner : inner + other)];
    }
    default:
      return [];
  }
};

function numbersBeside(text: string): string[] {
  const digits = /^(0x[0-9a-fA-F]+|[\d_]+)(?![\d.])/.exec(text)?.[0];
  if (digits === undefined) return [];
  const rest = text.slice(digits.length);
  const value = BigInt(digits.replaceAll("_", ""));
  return (value === 0n ? [1n] : [value + 1n, value - 1n]).map((beside) => `${beside}${rest}`);
}

const literals: Operator = (node, { source }) => {
  if (node.nodeType !== "Literal" && node.nodeType !== "YulLiteral") return [];
  const text = textIn(source, rangeOf(node));
  switch (node.kind) {
    case "number":
      if (typeOf(node).startsWith("address")) return [];
      return numbersBeside(text).map((beside) => change("constant", node, beside));
    case "bool":
      return [change("constant", node, text === "true" ? "false" : "true")];
    case "string":
      return [change("constant", node, text === '""' ? '"x"' : '""')];
    default:
      return [];
  }
};

const DELETABLE = new Set([
  "ExpressionStatement",
  "EmitStatement",
  "YulAssignment",
  "YulExpressionStatement",
]);

const deletedStatements: Operator = (node, place) => {
  const { parent } = place;
  if (DELETABLE.has(node.nodeType)) {
    // A loop without its step does not end.
    if (parent?.nodeType === "ForStatement" && parent.loopExpression === node) return [];
    return [deletion("delete statement", node, place)];
  }
  const isAlone = node.nodeType === "RevertStatement" && parent?.nodeType === "Block";
  return isAlone && childList(parent, "statements").length > 1
    ? [deletion("delete statement", node, place)]
    : [];
};

const returns: Operator = (node, place) => {
  if (node.nodeType !== "Return") return [];
  const { expression } = node;
  if (!isNode(expression)) return [deletion("delete statement", node, place)];
  const type = typeOf(expression);
  if (expression.nodeType === "Literal") return [];
  if (type === "bool") return negated(expression, place);
  if (type.startsWith("uint")) return [change("return value", expression, "0")];
  return type === "address" ? [change("return value", expression, "address(0)")] : [];
};

const modifiers: Operator = (node) => {
  if (node.nodeType !== "FunctionDefinition" || node.kind === "constructor") return [];
  return childList(node, "modifiers").map((modifier) => change("remove modifier", modifier, ""));
};

const swappedArguments: Operator = (node, { source }) => {
  if (node.nodeType !== "FunctionCall") return [];
  if (Array.isArray(node.names) && node.names.length > 0) return [];
  const given = childList(node, "arguments");
  return given.slice(1).flatMap((second, index) => {
    const first = given[index]!;
    const [a, b] = [textIn(source, rangeOf(first)), textIn(source, rangeOf(second))];
    if (typeOf(first) !== typeOf(second) || a === b) return [];
    const [{ start, end }, after] = [rangeOf(first), rangeOf(second)];
    const between = textIn(source, { start: end, end: after.start });
    return [{ operator: "swap arguments", start, end: after.end, text: `${b}${between}${a}` }];
  });
};

const functionNames: Operator = (node, { source }) => {
  if (node.nodeType === "YulFunctionCall") {
    const name = child(node, "functionName");
    const other = YUL_FUNCTIONS[String(name.name)];
    return other === undefined ? [] : [change("arithmetic", name, other)];
  }
  if (node.nodeType !== "MemberAccess") return [];
  const text = textIn(source, rangeOf(node));
  if (text === "Math.min") return [change("arithmetic", node, "Math.max")];
  return text === "Math.max" ? [change("arithmetic", node, "Math.min")] : [];
};

export const OPERATORS: readonly Operator[] = [
  conditions,
  binaryOperators,
  unaryOperators,
  literals,
  deletedStatements,
  returns,
  modifiers,
  swappedArguments,
  functionNames,
];
