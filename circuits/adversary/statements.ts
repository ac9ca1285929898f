/** As much of circom's syntax as tells statements apart. */

/** The text with comments blanked out; lines stay where they are. */
export function withoutComments(text: string): string {
  return text.replaceAll(/"[^"\n]*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (found) =>
    found.startsWith('"') ? found : found.replaceAll(/[^\n]/g, " "),
  );
}

/** Pieces that end at `;`, `{` or `}` outside parentheses; `end` excludes that character. */
export function* statementsOf(text: string): Generator<{ start: number; end: number }> {
  let start = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === "(" || character === "[") depth++;
    else if (character === ")" || character === "]") depth--;
    else if (depth === 0 && (character === ";" || character === "{" || character === "}")) {
      yield { start, end: at };
      start = at + 1;
    }
  }
}

/** How much of a statement is `else`, `if (...)`, `for (...)` and `while (...)` before it. */
export function controlLength(statement: string): number {
  let at = 0;
  for (;;) {
    const rest = statement.slice(at);
    const plain = /^\s*else\b/.exec(rest);
    if (plain !== null) {
      at += plain[0].length;
      continue;
    }
    const guarded = /^\s*(?:if|for|while)\s*\(/.exec(rest);
    if (guarded === null) return at;
    at += guarded[0].length;
    for (let depth = 1; depth > 0 && at < statement.length; at++) {
      if (statement[at] === "(") depth++;
      else if (statement[at] === ")") depth--;
    }
  }
}

/** The two sides of `target <-- value` or `value --> target`; undefined for other statements. */
export function splitAssignment(statement: string): { target: string; value: string } | undefined {
  const left = statement.indexOf("<--");
  if (left >= 0) {
    return { target: statement.slice(0, left).trim(), value: statement.slice(left + 3).trim() };
  }
  const right = statement.lastIndexOf("-->");
  if (right < 0) return undefined;
  return { target: statement.slice(right + 3).trim(), value: statement.slice(0, right).trim() };
}
