/** Single templates as targets of the adversary, with the inputs that their tests have tried. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadTarget, type Target } from "../../circuits/adversary/target.ts";
import { ROOT } from "../../scripts/keys/circom.ts";
import { type GadgetSource, mainSourceOf } from "./gadget.ts";

const FOLDER = join(ROOT, "build", "adversary");

/** Compiles (cached) and loads a template. */
export function loadTemplate(source: GadgetSource): Promise<Target> {
  const text = mainSourceOf(source, `circuits/${source.file}`);
  const name = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const mainFile = join(FOLDER, "mains", `${name}.circom`);
  if (!existsSync(mainFile)) {
    mkdirSync(join(FOLDER, "mains"), { recursive: true });
    writeFileSync(mainFile, text);
  }
  return loadTarget(mainFile, {
    libraries: [ROOT, join(ROOT, "node_modules")],
    cacheFolder: join(FOLDER, "targets"),
    // As the proving keys are made: each constraint is one that a proof shows.
    simplification: "--O2",
    isPartial: true,
  });
}
