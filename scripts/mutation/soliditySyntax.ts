/** Solidity sources as the compiler's typed syntax tree, with places in the text. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** A node of solc's syntax tree; Yul nodes of inline assembly are of the same shape. */
export interface SyntaxNode {
  readonly nodeType: string;
  /** `start:length:file`, in bytes. */
  readonly src: string;
  readonly [key: string]: unknown;
}

export interface SolcInput {
  readonly language: string;
  readonly sources: Readonly<Record<string, { readonly content: string }>>;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface SolcCode {
  readonly object: string;
  readonly linkReferences: unknown;
}

export interface SolcOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly sources: Readonly<Record<string, { readonly ast: SyntaxNode }>>;
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<Record<string, { readonly evm: Record<"bytecode" | "deployedBytecode", SolcCode> }>>
    >
  >;
}

type ReadImport = (path: string) => { readonly contents: string };
interface Compiler {
  compile(input: string, callbacks?: { readonly import: ReadImport }): string;
}

let compiler: Compiler | undefined;

/** The compiler from npm, loaded once: loading takes as long as a small compilation. */
export function compile(input: SolcInput, readImport?: ReadImport): SolcOutput {
  compiler ??= require("solc") as Compiler;
  const callbacks = readImport && { import: readImport };
  return JSON.parse(compiler.compile(JSON.stringify(input), callbacks)) as SolcOutput;
}

/** Syntax trees of all sources. */
export function parse(
  { language, sources, settings }: SolcInput,
  readImport?: ReadImport,
): SolcOutput["sources"] {
  const outputSelection = { "*": { "": ["ast"] } };
  const input = { language, sources, settings: { ...settings, outputSelection } };
  const output = compile(input, readImport);
  const fatal = output.errors?.find(({ severity }) => severity === "error");
  if (fatal !== undefined) throw new Error(fatal.formattedMessage);
  return output.sources;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "nodeType" in value && "src" in value;
}

/** The node in a field that must hold one. */
export function child(node: SyntaxNode, field: string): SyntaxNode {
  const value = node[field];
  if (!isNode(value)) throw new Error(`\`${node.nodeType}\` has no \`${field}\``);
  return value;
}

export function childList(node: SyntaxNode, field: string): readonly SyntaxNode[] {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** Direct children, in whatever field they stand. */
export function children(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node).flatMap((value) => {
    if (isNode(value)) return [value];
    return Array.isArray(value) ? value.filter(isNode) : [];
  });
}

export function descendants(node: SyntaxNode): SyntaxNode[] {
  return [node, ...children(node).flatMap(descendants)];
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

export function rangeOf({ src }: SyntaxNode): Range {
  const [start, length] = src.split(":").map(Number) as [number, number];
  return { start, end: start + length };
}

/** solc as text: `uint256`, `contract IERC20`; empty where a node has no type. */
export function typeOf(node: SyntaxNode): string {
  const types = node.typeDescriptions as { typeString?: string | null } | undefined;
  return types?.typeString ?? "";
}

/** A source whose places are bytes, as solc counts. */
export interface SourceText {
  readonly bytes: Buffer;
}

export function sourceText(content: string): SourceText {
  return { bytes: Buffer.from(content, "utf8") };
}

export function textIn({ bytes }: SourceText, { start, end }: Range): string {
  return bytes.subarray(start, end).toString("utf8");
}

export function lineAt({ bytes }: SourceText, place: number): number {
  return textIn({ bytes }, { start: 0, end: place }).split("\n").length;
}

export interface Edit extends Range {
  readonly text: string;
}

/** Applies edits that do not overlap. Of two at one place the first given comes first. */
export function applyEdits(source: SourceText, edits: readonly Edit[]): string {
  const inOrder = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  const parts: string[] = [];
  let place = 0;
  for (const { start, end, text } of inOrder) {
    parts.push(textIn(source, { start: place, end: start }), text);
    place = end;
  }
  parts.push(textIn(source, { start: place, end: source.bytes.length }));
  return parts.join("");
}
