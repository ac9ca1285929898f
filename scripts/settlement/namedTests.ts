/** Which tests carry a property's name, read from the sources: a run must report each of them. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { nameInFunction, nameInTitle } from "./properties.ts";

export type Runner = "node" | "solidity";

export interface NamedTest {
  /** Of the property, as `B1`. */
  readonly name: string;
  readonly runner: Runner;
  /** From the project's folder, with forward slashes. */
  readonly file: string;
  /** Where the call or function begins. */
  readonly line: number;
  /** `*` stands for what is only known when it runs; such a test may have several results. */
  readonly title: string;
}

/** Whether a result is one of this test's: by title, since lines move when a file is edited. */
export function isResultOf(test: NamedTest, result: { file: string; title: string }): boolean {
  if (test.file !== result.file) return false;
  if (test.runner === "solidity") return test.title === result.title;
  const parts = test.title.split(ANYTHING).map((part) => part.replaceAll(/\W/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(result.title);
}

const ANYTHING = "*";
const RUNNERS = new Set(["test", "it"]);
/** Parsing takes long, and most files have no name that it could find. */
const NAME_IN_QUOTES = /["'`][A-E]\d/;
const SOLIDITY_FUNCTION = /^[ \t]*function[ \t]+(\w+)/gm;

/** Every named test below `test/` of the project at `root`. */
export function findNamedTests(root: string): NamedTest[] {
  const files = (pattern: string) =>
    globSync(pattern, { cwd: root })
      .map((file) => file.split(path.sep).join("/"))
      .sort();
  const read = (file: string) => readFileSync(path.join(root, file), "utf8");
  return [
    ...files("test/**/*.test.ts").flatMap((file) => inTypeScript(file, read(file))),
    ...files("test/contracts/**/*.t.sol").flatMap((file) => inSolidity(file, read(file))),
  ];
}

function inTypeScript(file: string, text: string): NamedTest[] {
  if (!NAME_IN_QUOTES.test(text)) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: NamedTest[] = [];
  const visit = (node: ts.Node): void => {
    const title = ts.isCallExpression(node) ? titleOf(node) : undefined;
    const name = title === undefined ? undefined : nameInTitle(title);
    if (title !== undefined && name !== undefined) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      found.push({ name, runner: "node", file, line, title });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** A test's title as the source has it. */
function titleOf({ expression, arguments: given }: ts.CallExpression): string | undefined {
  if (!ts.isIdentifier(expression) || !RUNNERS.has(expression.text)) return undefined;
  const [title] = given;
  if (title === undefined) return undefined;
  if (ts.isStringLiteralLike(title)) return title.text;
  if (!ts.isTemplateExpression(title)) return undefined;
  const { head, templateSpans } = title;
  return [head.text, ...templateSpans.map(({ literal }) => literal.text)].join(ANYTHING);
}

function inSolidity(file: string, text: string): NamedTest[] {
  return [...text.matchAll(SOLIDITY_FUNCTION)].flatMap((match) => {
    const title = match[1]!;
    const name = nameInFunction(title);
    const line = text.slice(0, match.index).split("\n").length;
    return name === undefined ? [] : [{ name, runner: "solidity", file, line, title }];
  });
}
