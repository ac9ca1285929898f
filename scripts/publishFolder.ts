/**
 * A built folder under a stable name that several processes may build at once. Each build is made
 * aside and takes its place whole: the name is a link, and a link is replaced in one step.
 */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import path from "node:path";

/** Builds that have not the name any more (ms): whoever reads one has read it by then. */
const KEPT_MS = 86_400_000;

/**
 * Resolves to `name`, which then leads to what `build` made of the sources with this hash, now or
 * earlier. Throws what `build` throws, and leaves what was there.
 */
export async function publishFolder(
  name: string,
  hash: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const builds = `${name}.builds`;
  const folder = path.join(builds, hash.slice(0, 16));
  if (!isWhole(folder)) await buildAside(folder, build);
  point(name, folder);
  removeOld(builds, path.basename(folder));
  return name;
}

/** A power cut may leave a folder without what was written into it. */
function isWhole(folder: string): boolean {
  const found = statSync(path.join(folder, "index.html"), { throwIfNoEntry: false });
  return (found?.size ?? 0) > 0;
}

/** Other builds, also ones that never came to their end, unless somebody may still be at them. */
function removeOld(builds: string, current: string): void {
  const others = readdirSync(builds).filter((name) => name !== current);
  for (const other of others) {
    const place = path.join(builds, other);
    const found = lstatSync(place, { throwIfNoEntry: false });
    if (found !== undefined && Date.now() - found.mtimeMs > KEPT_MS) {
      rmSync(place, { recursive: true, force: true });
    }
  }
}

/** What another process has put there meanwhile is of the same sources, and stays. */
async function buildAside(folder: string, build: (folder: string) => Promise<void>): Promise<void> {
  const aside = `${folder}.${process.pid}.${Date.now()}`;
  mkdirSync(aside, { recursive: true });
  try {
    await build(aside);
    if (!isWhole(folder)) rmSync(folder, { recursive: true, force: true });
    renameSync(aside, folder);
  } catch (error) {
    if (!isWhole(folder)) throw error;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function point(name: string, folder: string): void {
  const target = path.relative(path.dirname(name), folder);
  const found = lstatSync(name, { throwIfNoEntry: false });
  if (found?.isSymbolicLink() && readlinkSync(name) === target) return;
  if (found?.isDirectory()) rmSync(name, { recursive: true });
  const link = `${folder}.${process.pid}.link`;
  rmSync(link, { force: true });
  symlinkSync(target, link);
  renameSync(link, name);
}
