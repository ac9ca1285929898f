/**
 * A circuit under attack: its constraints, unsimplified, so that each is one of the sources', and a
 * program that computes all of its signals for inputs and hints of any kind.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AssertionFailed, loadCalculator, type SignalValues } from "./calculator.ts";
import { compile } from "./compile.ts";
import { copySources, type HintSite } from "./instrument.ts";
import { type R1cs, readR1cs } from "./r1cs.ts";
import { readSymbols, type Symbols } from "./symbols.ts";

/** One hint of one component, as it was computed. */
export interface HintCall {
  readonly site: number;
  /** What an honest prover would have given, all that came before it as it was. */
  readonly value: bigint;
}

export interface Run {
  /** Every wire of the R1CS. */
  readonly witness: readonly bigint[];
  /** In the order of computation. */
  readonly calls: readonly HintCall[];
}

/** What a hint is replaced by, by its place in the order of computation. */
export type Overrides = ReadonlyMap<number, bigint>;

export interface Target {
  readonly r1cs: R1cs;
  readonly symbols: Symbols;
  readonly sites: ReadonlyMap<number, HintSite>;
  /** Nothing is asserted: what comes out may violate constraints. */
  run(inputs: SignalValues, overrides?: Overrides): Run;
  /** The same; undefined where even that cannot be computed (an integer divided by 0). */
  attempt(inputs: SignalValues, overrides?: Overrides): Run | undefined;
  /** Whether the program that an honest prover runs refuses the inputs. */
  refuses(inputs: SignalValues): boolean;
  /** What `circom --inspect` says of templates. */
  readonly warnings: readonly string[];
  /** The same circuit with signals that are equal as one wire. */
  readonly simplified: { readonly r1cs: R1cs; readonly symbols: Symbols };
}

export interface TargetOptions {
  /** Where includes are looked for that are not beside their file. */
  readonly libraries?: readonly string[];
  /** Compiled circuits are kept here, by the hash of their sources. */
  readonly cacheFolder?: string;
  /** Of circom; without simplification each constraint is one of the sources'. */
  readonly simplification?: "--O0" | "--O1" | "--O2";
  /** Only what constraints and hints take: no assertions of the real program, no ranges. */
  readonly isPartial?: boolean;
}

const COMPILER_PRIME = "bn128";
const HASH_DIGITS = 24;

export async function loadTarget(mainFile: string, options: TargetOptions = {}): Promise<Target> {
  const { folder, sites } = await build(mainFile, options);
  const r1cs = readR1cs(join(folder, "real", "main.r1cs"));
  const symbols = readSymbols(join(folder, "real", "main.sym"));
  const bareSymbols = readSymbols(join(folder, "bare", "main.sym"));
  let calls: HintCall[] = [];
  let overrides: Overrides = new Map();
  const calculator = await loadCalculator(
    join(folder, "bare", "main_js", "main.wasm"),
    (site, value) => {
      const taken = overrides.get(calls.length) ?? value;
      calls.push({ site, value });
      return taken;
    },
  );
  const places = placesIn(bareSymbols, r1cs.wires, symbols);
  const honest = options.isPartial
    ? undefined
    : await loadCalculator(join(folder, "real", "main_js", "main.wasm"));
  const run = (inputs: SignalValues, changed: Overrides = new Map()): Run => {
    calls = [];
    overrides = changed;
    const all = calculator.run(inputs);
    return { witness: places.map((place) => all[place]!), calls };
  };
  return {
    r1cs,
    symbols,
    run,
    attempt(inputs, changed) {
      try {
        return run(inputs, changed);
      } catch (error) {
        // A trap, or an index that a hint brought out of its array.
        if (error instanceof AssertionFailed || isTrap(error)) return undefined;
        throw error;
      }
    },
    get simplified() {
      const file = (extension: string) => join(folder, "simplified", `main.${extension}`);
      return { r1cs: readR1cs(file("r1cs")), symbols: readSymbols(file("sym")) };
    },
    warnings: warningsIn(readFileSync(join(folder, "output.txt"), "utf8")),
    refuses(inputs) {
      if (honest === undefined) throw new Error("a partial target has no honest program");
      try {
        honest.check(inputs);
        return false;
      } catch (error) {
        if (error instanceof AssertionFailed || isTrap(error)) return true;
        throw error;
      }
    },
    sites: new Map(sites.map((site) => [site.site, site])),
  };
}

/** Where the bare circuit has what a wire of the real one holds: by the signal's number. */
function placesIn(bareSymbols: Symbols, wires: number, symbols: Symbols): readonly number[] {
  const byLabel = new Map(bareSymbols.signals.map((signal) => [signal.label, signal]));
  const places: number[] = new Array(wires).fill(-1);
  places[0] = 0;
  for (const { label, wire, name } of symbols.signals) {
    const place = byLabel.get(label);
    // Components without a name are named after their place in the text, which has moved.
    if (place === undefined || unplaced(place.name) !== unplaced(name)) {
      throw new Error(`the bare circuit has \`${place?.name}\` in place of \`${name}\``);
    }
    places[wire] = place.wire;
  }
  const missing = places.indexOf(-1);
  if (missing >= 0) throw new Error(`wire \`${missing}\` has no signal`);
  return places;
}

function unplaced(name: string): string {
  return name.replaceAll(/_\d+_\d+(?=[.[]|$)/g, "");
}

/** WebAssembly.RuntimeError, which the compiler's library does not declare. */
function isTrap(error: unknown): boolean {
  return error instanceof Error && error.name === "RuntimeError";
}

/** `In template "T(8)": ...`, one line each. */
function warningsIn(output: string): string[] {
  const plain = output.replaceAll(/\s+/g, " ");
  return [
    ...plain.matchAll(/warning\[CA\d+\]: (In template .*?)(?= warning\[| template instances|$)/g),
  ].map(([, text]) => text!.trim());
}

interface Built {
  readonly folder: string;
  readonly sites: readonly HintSite[];
}

async function build(mainFile: string, options: TargetOptions): Promise<Built> {
  const { libraries = [], simplification = "--O0", isPartial = false } = options;
  const cache = options.cacheFolder ?? join(tmpdir(), "circom-adversary");
  mkdirSync(cache, { recursive: true });
  const temporary = join(cache, `${process.pid}-${Math.random().toString(36).slice(2)}.tmp`);
  try {
    const copy = (name: string, isBare: boolean) =>
      copySources(mainFile, join(temporary, name), { libraries, isBare });
    const [real, simplified, bare] = [
      copy("real", false),
      copy("simplified", false),
      copy("bare", true),
    ];
    const kind = `${simplification} ${isPartial ? "partial" : "whole"}`;
    const folder = join(cache, hashOf([real.mainFile, bare.mainFile], kind));
    // Renamed as a whole: what is there is complete.
    if (!existsSync(folder)) {
      const common = ["--prime", COMPILER_PRIME, "--sym"];
      const program = isPartial ? [] : ["--wasm", "--inspect"];
      const [{ output }] = await Promise.all([
        compile(real.mainFile, ["--r1cs", simplification, ...program, ...common]),
        compile(bare.mainFile, ["--wasm", "--O0", ...common]),
        ...(isPartial ? [] : [compile(simplified.mainFile, ["--r1cs", "--O1", ...common])]),
      ]);
      writeFileSync(join(temporary, "output.txt"), output);
      if (!existsSync(folder)) renameSync(temporary, folder);
    }
    return { folder, sites: bare.sites };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function hashOf(mainFiles: readonly string[], simplification: string): string {
  const hash = createHash("sha256").update(simplification);
  for (const mainFile of mainFiles) {
    const folder = dirname(mainFile);
    for (const name of readdirSync(folder).sort()) {
      const text = readFileSync(join(folder, name), "utf8");
      hash.update(`${name}:${Buffer.byteLength(text)}:`).update(text);
    }
  }
  return hash.digest("hex").slice(0, HASH_DIGITS);
}
