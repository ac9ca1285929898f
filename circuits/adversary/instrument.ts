/**
 * A circuit's sources, copied into one folder: as they are, or *bare*: without `===`, `assert` and
 * `log`, and with every hint (`<--`) open to interference (hintFrames.ts). A bare circuit computes
 * every signal whatever its inputs and hints; what the constraints of the real one say to that is
 * asked of its R1CS afterwards.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { HINT_MARK } from "./hintFrames.ts";
import { controlLength, splitAssignment, statementsOf, withoutComments } from "./statements.ts";

/** A place in the sources where a prover's value comes in. */
export interface HintSite {
  readonly site: number;
  readonly file: string;
  readonly line: number;
  readonly template: string;
  readonly signal: string;
}

export interface CopiedSources {
  readonly mainFile: string;
  /** All hints of all files, whether their templates are used or not; none where not bare. */
  readonly sites: readonly HintSite[];
}

interface CopyOptions {
  /** Where includes are looked for that are not beside their file. */
  readonly libraries: readonly string[];
  readonly isBare: boolean;
}

const HINT_FILE = "adversaryHint.circom";
const HINT_SOURCE = `pragma circom 2.0.0;
function adversary_hint(site, value, mark) {
    log(mark);
    return value;
}
`;
const FILES_MAX = 500;

export function copySources(mainFile: string, folder: string, options: CopyOptions): CopiedSources {
  const names = new Map<string, string>();
  const waiting = [resolve(mainFile)];
  const nameOf = (file: string): string => {
    const known = names.get(file);
    if (known !== undefined) return known;
    if (names.size >= FILES_MAX) throw new Error(`more than \`${FILES_MAX}\` files are included`);
    const name = names.size === 0 ? "main.circom" : `${names.size}_${basename(file)}`;
    names.set(file, name);
    waiting.push(file);
    return name;
  };
  mkdirSync(folder, { recursive: true });
  const sites: HintSite[] = [];
  nameOf(waiting.pop()!);
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    let text = withoutComments(readFileSync(file, "utf8"));
    if (options.isBare) text = bare(text, file, sites);
    const from = file;
    text = text.replaceAll(/include\s+"([^"]+)"\s*;/g, (whole, path: string) => {
      if (path === HINT_FILE) return whole;
      return `include "${nameOf(findIncluded(path, from, options.libraries))}";`;
    });
    writeFileSync(join(folder, names.get(file)!), text);
  }
  if (options.isBare) writeFileSync(join(folder, HINT_FILE), HINT_SOURCE);
  return { mainFile: join(folder, "main.circom"), sites };
}

function findIncluded(path: string, from: string, libraries: readonly string[]): string {
  const places = [dirname(from), ...libraries].map((folder) => resolve(folder, path));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) {
    throw new Error(`\`${from}\` includes \`${path}\`, which is in none of ${places.join(", ")}`);
  }
  return found;
}

/** The text of a file with its assertions gone and its hints open. */
function bare(text: string, file: string, sites: HintSite[]): string {
  let result = "";
  let at = 0;
  let template = "";
  let dimensions = new Map<string, readonly string[]>();
  for (const { start, end } of statementsOf(text)) {
    const statement = text.slice(start, end);
    const declared = /\btemplate\s+(?:(?:custom|parallel|extern_c)\s+)*(\w+)/.exec(statement);
    if (declared !== null) {
      template = declared[1]!;
      dimensions = new Map();
    }
    for (const [name, sizes] of signalsDeclared(statement)) dimensions.set(name, sizes);
    const body = start + controlLength(statement);
    const blank = /^\s*/.exec(text.slice(body, end))![0].length;
    const line = text.slice(0, body + blank).split("\n").length;
    const site = sites.length + 1;
    const changed = changedStatement(text.slice(body, end), { site, dimensions });
    if (changed === undefined) continue;
    result += text.slice(at, body) + changed.text;
    at = end;
    // The semicolon goes with the statement that it ended.
    if (text[at] === ";") at++;
    if (changed.signal !== undefined) {
      sites.push({ site, file, line, template, signal: changed.signal });
    }
  }
  result += text.slice(at);
  // Behind the pragmas: nothing else may stand before them.
  const head = /^(?:\s*pragma[^;]*;)*/.exec(result)![0].length;
  return `${result.slice(0, head)}\ninclude "${HINT_FILE}";${result.slice(head)}`;
}

interface Changed {
  readonly text: string;
  /** Of a hint. */
  readonly signal?: string;
}

function changedStatement(
  statement: string,
  context: { site: number; dimensions: ReadonlyMap<string, readonly string[]> },
): Changed | undefined {
  if (/^\s*(?:assert|log)\s*\(/.test(statement)) return { text: "{}" };
  if (statement.includes("===")) return { text: "{}" };
  const hint = splitAssignment(statement);
  if (hint === undefined || hint.target === "_") return undefined;
  if (hint.target.startsWith("(")) {
    throw new Error(`a hint of several signals at once is not understood: \`${statement.trim()}\``);
  }
  const { site, dimensions } = context;
  const declaration = /^signal\s+((?:input|output)\s+)?/.exec(hint.target)?.[0];
  const target = hint.target.slice(declaration?.length ?? 0).trim();
  const value = `adversary_value_${site}`;
  const name = /^\w+/.exec(target)?.[0] ?? target;
  const given = indicesOf(target);
  // A declaration's brackets are its sizes; elsewhere they choose, and what is left is assigned.
  const sizes =
    declaration === undefined ? (dimensions.get(name) ?? []).slice(given.length) : given;
  const places = sizes.map((_, depth) => `[adversary_${site}_${depth}]`).join("");
  const loops = sizes.map((size, depth) => {
    const index = `adversary_${site}_${depth}`;
    return `for (var ${index} = 0; ${index} < ${size}; ${index}++) `;
  });
  const assigned = declaration === undefined ? target : name;
  const call = `adversary_hint(${site}, ${value}${places}, ${HINT_MARK})`;
  const compute = `var ${value}${sizes.map((size) => `[${size}]`).join("")} = ${hint.value};`;
  const assign = `${loops.join("")}{ ${assigned}${places} <-- ${call}; }`;
  const text =
    declaration === undefined
      ? `{ ${compute} ${assign} }`
      : `${declaration}${target}; ${compute} ${assign}`;
  return { text, signal: target };
}

/** `[i]`, `[j]` at the end of `x[i][j]`. */
function indicesOf(target: string): string[] {
  return [...target.matchAll(/\[([^\]]+)\]/g)].map(([, index]) => index!);
}

/** Names and sizes of `signal output a[n], b;`. */
function signalsDeclared(statement: string): [string, readonly string[]][] {
  const match = /^\s*signal\s+(?:(?:input|output)\s+)?([^<=]+)/.exec(statement);
  if (match === null) return [];
  return [...match[1]!.matchAll(/(\w+)((?:\[[^\]]+\])*)\s*(?:,|$)/g)].map(([, name, sizes]) => [
    name!,
    indicesOf(sizes!),
  ]);
}
