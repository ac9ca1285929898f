/**
 * A built folder under a stable name that several processes may build at once. Each build is made
 * aside and takes its place whole: the name is a link, and a link is replaced in one step.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import path from "node:path";

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
  if (!existsSync(folder)) await buildAside(folder, build);
  point(name, folder);
  return name;
}

/** What another process has put there meanwhile is of the same sources, and stays. */
async function buildAside(folder: string, build: (folder: string) => Promise<void>): Promise<void> {
  const aside = `${folder}.${process.pid}.${Date.now()}`;
  mkdirSync(aside, { recursive: true });
  try {
    await build(aside);
    renameSync(aside, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
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
