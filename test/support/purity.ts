/**
 * What code must not do whose result has to be the same on every machine and at every time: read a
 * clock, chance, the surroundings or a language, round a number, or wait for anything.
 */
import ts from "typescript";

/** Names that are not the same everywhere, or that act. */
const IMPURE_NAMES: ReadonlySet<string> = new Set([
  ...["Date", "performance", "Temporal", "crypto", "Intl", "console", "process", "globalThis"],
  ...["global", "window", "navigator", "fetch", "setTimeout", "setInterval", "setImmediate"],
  ...["queueMicrotask", "WeakRef", "FinalizationRegistry", "SharedArrayBuffer", "Atomics"],
  ...["Promise", "eval", "Function", "require"],
  ...["parseFloat", "Float16Array", "Float32Array", "Float64Array"],
]);

/** Members that follow the machine's language, or round. */
const IMPURE_MEMBERS =
  /^(toLocale\w*|localeCompare|toFixed|toPrecision|toExponential|parseFloat|EPSILON)$/;

/** What `Math` has that is exact on integers. */
const EXACT: ReadonlySet<string> = new Set([
  ...["abs", "ceil", "clz32", "floor", "imul", "max", "min", "sign", "trunc"],
]);
const ROUNDING: ReadonlySet<string> = new Set(["Math.floor", "Math.ceil", "Math.trunc"]);

/** Quotients without a remainder, which has been taken off or cannot be: each was looked at. */
const EXACT_QUOTIENTS: ReadonlySet<string> = new Set([
  "(loss - low) / AUCTION_DIVISOR",
  "assembly.wordBuffer() / BigUint64Array.BYTES_PER_ELEMENT",
]);

/** What is taken of Node's own: digests, and nothing that is drawn. */
const CRYPTO_ALLOWED: ReadonlySet<string> = new Set(["hash"]);

/** What is impure about the node itself, or undefined. */
export function impurityAt(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitKeyword) {
    return ts.tokenToString(node.kind);
  }
  if (ts.isAwaitExpression(node)) return "await";
  if (ts.isNumericLiteral(node)) return fraction(node);
  if (ts.isBinaryExpression(node)) return quotient(node);
  if (ts.isImportDeclaration(node)) return drawnImport(node);
  if (ts.isStringLiteral(node) && ts.isElementAccessExpression(node.parent)) {
    return IMPURE_MEMBERS.test(node.text) ? node.text : undefined;
  }
  return ts.isIdentifier(node) ? impureName(node) : undefined;
}

function impureName(node: ts.Identifier): string | undefined {
  const name = node.text;
  const { parent } = node;
  if (name === "Math") {
    const member = ts.isPropertyAccessExpression(parent) ? parent.name.text : "";
    return EXACT.has(member) ? undefined : `Math.${member}`;
  }
  if (isMember(node)) return IMPURE_MEMBERS.test(name) ? name : undefined;
  return IMPURE_NAMES.has(name) ? name : undefined;
}

/** A property or field that has such a name, as in `event.process`, is another thing. */
function isMember(node: ts.Identifier): boolean {
  const parent = node.parent as ts.Node & { name?: ts.Node };
  const isNamed =
    ts.isPropertyAccessExpression(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent);
  return isNamed && parent.name === node;
}

function fraction(node: ts.NumericLiteral): string | undefined {
  return Number.isInteger(Number(node.text)) ? undefined : node.getText();
}

/** A quotient of numbers may be a fraction unless it is rounded at once. */
function quotient(node: ts.BinaryExpression): string | undefined {
  const { operatorToken, left, right } = node;
  if (operatorToken.kind === ts.SyntaxKind.SlashEqualsToken) return "/=";
  if (operatorToken.kind !== ts.SyntaxKind.SlashToken) return undefined;
  if (ts.isBigIntLiteral(left) || ts.isBigIntLiteral(right)) return undefined;
  const { parent } = node;
  if (ts.isCallExpression(parent) && ROUNDING.has(parent.expression.getText())) return undefined;
  return EXACT_QUOTIENTS.has(node.getText()) ? undefined : node.getText();
}

function drawnImport({ moduleSpecifier, importClause }: ts.ImportDeclaration): string | undefined {
  if (!ts.isStringLiteral(moduleSpecifier)) return undefined;
  if (!/^(node:)?crypto$/.test(moduleSpecifier.text)) return undefined;
  const bindings = importClause?.namedBindings;
  if (bindings === undefined || !ts.isNamedImports(bindings)) return moduleSpecifier.text;
  const names = bindings.elements.map(({ propertyName, name }) => (propertyName ?? name).text);
  return names.find((name) => !CRYPTO_ALLOWED.has(name));
}
