/**
 * The web terminal's files, read once and answered from memory: a path is looked up among those
 * that there are, so none leads anywhere else.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { gzipSync } from "node:zlib";

export interface SiteOptions {
  /** What `npm run web` has built. */
  readonly folder: string;
  /** Verification keys of the batches' proofs, files of JSON: `/keys/trade.json` and so on. */
  readonly vkeys?: Readonly<Record<string, string>>;
  /** Layer one's RPC as browsers reach it; absent: the visitor's wallet knows one. */
  readonly layerOneUrl?: string | undefined;
}

export interface Site {
  /** Whether it has answered: not for another's path. */
  answer(request: IncomingMessage, response: ServerResponse): boolean;
}

interface Page {
  readonly type: string;
  readonly body: Buffer;
  readonly zipped: Buffer | undefined;
  readonly tag: string;
  /** Its name says its content. */
  readonly isLasting: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
};

/** Files of a folder, and bytes of one, beyond which it is no build of the terminal. */
const FILES_MAX = 500;
const BYTES_MAX = 8 * 1024 * 1024;
const ZIPPED_FROM = 1024;

/** Throws where the folder cannot be read, or is none of the terminal's. */
export function readSite({ folder, vkeys = {}, layerOneUrl }: SiteOptions): Site {
  const pages = new Map<string, Page>();
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  if (names.length > FILES_MAX) throw new RangeError(`\`${folder}\` has over ${FILES_MAX} files`);
  for (const name of names) {
    const place = `/${name.split(path.sep).join("/")}`;
    const page = pageOf(readFileSync(path.join(folder, name)), place);
    if (page !== undefined) pages.set(place, page);
  }
  const start = pages.get("/index.html");
  if (start === undefined) throw new RangeError(`\`${folder}\` has no index.html: build it first`);
  pages.set("/", start);
  for (const [circuit, file] of Object.entries(vkeys)) {
    const place = `/keys/${circuit}.json`;
    pages.set(place, pageOf(readFileSync(file), place)!);
  }
  const settings = Buffer.from(JSON.stringify({ layerOneUrl: layerOneUrl ?? null }));
  pages.set("/terminal.json", pageOf(settings, "/terminal.json")!);
  const headers = securityHeaders(layerOneUrl);
  return {
    answer(request, response) {
      if (request.method !== "GET" && request.method !== "HEAD") return false;
      const page = pages.get((request.url ?? "").split("?")[0] ?? "");
      if (page === undefined) return false;
      for (const [name, value] of headers) response.setHeader(name, value);
      send(page, request, response);
      return true;
    },
  };
}

function pageOf(body: Buffer, place: string): Page | undefined {
  const type = TYPES[path.posix.extname(place)];
  if (type === undefined || body.length > BYTES_MAX) return undefined;
  const isText = !type.startsWith("font/");
  const zipped = isText && body.length >= ZIPPED_FROM ? gzipSync(body) : undefined;
  const tag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return { type, body, zipped, tag, isLasting: place.startsWith("/assets/") };
}

/** Nothing from elsewhere is loaded, run, framed or told of. WebAssembly is what hashes are of. */
function securityHeaders(layerOneUrl: string | undefined): readonly [string, string][] {
  const chain = layerOneUrl === undefined ? "" : ` ${new URL(layerOneUrl).origin}`;
  const policy = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    ...["style-src 'self'", "img-src 'self' data:", "font-src 'self'"],
    `connect-src 'self'${chain}`,
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
    "require-trusted-types-for 'script'",
  ];
  return [
    ["content-security-policy", policy.join("; ")],
    ["x-content-type-options", "nosniff"],
    ["referrer-policy", "no-referrer"],
    ["cross-origin-opener-policy", "same-origin"],
    ["cross-origin-resource-policy", "same-origin"],
    ["permissions-policy", "camera=(), microphone=(), geolocation=(), payment=()"],
  ];
}

function send(page: Page, request: IncomingMessage, response: ServerResponse): void {
  const accepted = String(request.headers["accept-encoding"] ?? "");
  const isZipped = page.zipped !== undefined && /\bgzip\b/.test(accepted);
  const body = isZipped ? page.zipped! : page.body;
  const tag = isZipped ? page.tag.replace(/"$/, '-z"') : page.tag;
  const age = page.isLasting ? "public, max-age=31536000, immutable" : "no-cache";
  response.setHeader("cache-control", age);
  response.setHeader("vary", "accept-encoding");
  response.setHeader("etag", tag);
  if (request.headers["if-none-match"] === tag) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader("content-type", page.type);
  if (isZipped) response.setHeader("content-encoding", "gzip");
  response.setHeader("content-length", body.length);
  response.writeHead(200);
  if (request.method === "HEAD") response.end();
  else response.end(body);
}
