/** JSON that comes in: hostile text stops here. */
import { RpcError } from "./rpc/errorTable.ts";

/** Keys that change what an object is where code merges it carelessly. */
const KEYS_FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Parses a request body. Depth is measured before parsing, so that no text can make the parser
 * or anything after it recurse deeply. Throws {@link RpcError}.
 */
export function parseBody(text: string, depthMax: number): unknown {
  const depth = depthOf(text);
  if (depth > depthMax) {
    throw new RpcError("invalid_request", `the body nests \`${depth}\` deep; at most ${depthMax}.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new RpcError("parse_error", `the body is not JSON: ${detail.slice(0, 200)}`);
  }
  assertPlainKeys(value);
  return value;
}

/** Deepest nesting of brackets outside strings; exact for JSON, harmless for anything else. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (isInString) {
      if (char === "\\") at++;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === "{" || char === "[") deepest = Math.max(deepest, ++depth);
    else if (char === "}" || char === "]") depth--;
  }
  return deepest;
}

function assertPlainKeys(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) {
    for (const key of Object.keys(value)) {
      if (!KEYS_FORBIDDEN.has(key)) continue;
      throw new RpcError("invalid_request", `the key \`${key}\` is not allowed anywhere.`);
    }
  }
  for (const item of Object.values(value)) assertPlainKeys(item);
}
