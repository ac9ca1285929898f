/**
 * A Chromium with one page, and as little beside it as a visitor has: nobody follows its network,
 * for whom the browser would copy every message that comes (as Playwright has it do for each page).
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { WebSocket } from "ws";
import { BROWSER_FLAGS, browserProgram } from "../../../test/web/browser.ts";

const START_MS = 60_000;
const POLL_MS = 50;

export interface Visitor {
  /** Begins `url` with these scripts before its own. */
  open(url: string, scripts: readonly string[]): Promise<void>;
  /** The value, as JSON, of an expression in the page. Rejects with what it throws. */
  evaluate<T>(expression: string): Promise<T>;
  /** Resolves when the expression is true; rejects after a minute. */
  until(condition: string): Promise<void>;
  close(): Promise<void>;
}

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

type Call = (method: string, params?: object, sessionId?: string) => Promise<never>;

/** Of the protocol that Chromium's own tools speak. */
function speak(socket: WebSocket): Call {
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  socket.on("message", (data) => {
    const answer = JSON.parse(String(data)) as Answer;
    if (answer.id === undefined) return;
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  return (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, ({ result, error }) => {
        if (error === undefined) resolve(result as never);
        else reject(new Error(`Chromium refuses \`${method}\`: ${error.message}`));
      });
      socket.send(JSON.stringify({ id: last, method, params, ...(sessionId && { sessionId }) }));
    });
}

/** @param size of the page, in pixels. */
export async function startVisitor(size: { width: number; height: number }): Promise<Visitor> {
  const { executablePath, env } = browserProgram();
  const profile = mkdtempSync(path.join(tmpdir(), "straddle-visitor-"));
  const own = ["--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`];
  const child = spawn(executablePath, [...BROWSER_FLAGS, ...own, "about:blank"], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const close = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const socket = await connected(await addressOf(child.stderr));
    const call = speak(socket);
    const { targetId } = (await call("Target.createTarget", { url: "about:blank" })) as Target;
    const attached = await call("Target.attachToTarget", { targetId, flatten: true });
    const { sessionId } = attached as { sessionId: string };
    const tell = (method: string, params?: object) => call(method, params, sessionId);
    const metrics = { ...size, deviceScaleFactor: 1, mobile: false };
    await tell("Emulation.setDeviceMetricsOverride", metrics);
    await tell("Page.enable");
    return { ...pageOf(tell), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Target {
  readonly targetId: string;
}

/** Where Chromium says that its tools may connect. */
function addressOf(errors: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (): void => reject(new Error(`Chromium does not start:\n${said}`));
    const timer = setTimeout(fail, START_MS);
    errors.on("end", fail);
    errors.on("data", (chunk: Buffer) => {
      // Read on to the end: a full pipe would stop it.
      said = (said + chunk.toString("utf8")).slice(-10_000);
      const address = /^DevTools listening on (ws:\S+)/m.exec(said)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
  });
}

function connected(address: string): Promise<WebSocket> {
  const socket = new WebSocket(address, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly text: string };
}

function pageOf(
  tell: (method: string, params?: object) => Promise<never>,
): Pick<Visitor, "open" | "evaluate" | "until"> {
  const evaluate: Visitor["evaluate"] = async (expression) => {
    const options = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails: fault } = (await tell(
      "Runtime.evaluate",
      options,
    )) as Evaluated;
    if (fault !== undefined) throw new Error(`\`${expression.slice(0, 80)}\`: ${fault.text}`);
    return result.value as never;
  };
  return {
    evaluate,
    async open(url, scripts) {
      const source = scripts.join("\n");
      await tell("Page.addScriptToEvaluateOnNewDocument", { source });
      await tell("Page.navigate", { url });
    },
    async until(condition) {
      const end = performance.now() + START_MS;
      while (!(await evaluate<boolean>(`Boolean(${condition})`))) {
        if (performance.now() > end) throw new Error(`never in a minute: \`${condition}\``);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
}
