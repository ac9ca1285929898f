/**
 * Processes on machines of their own, as far as the network goes: a network namespace for each, and
 * a bridge between them that can be split. What is cut off hears nothing, not even that a
 * connection has ended. Linux, the `ip` of iproute2 and the right to make namespaces are needed.
 */
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

export interface Namespaces {
  addressOf(name: string): string;
  /** Starts a Node script there, with a channel for messages. */
  start(name: string, script: string, argument: string): ChildProcess;
  /** Starts any other program there. */
  run(name: string, command: readonly string[]): ChildProcess;
  /** From now on only those of one group hear each other; names without a group are alone. */
  split(groups: readonly (readonly string[])[]): void;
  heal(): void;
  /** Ends all processes and removes the network. */
  stop(): Promise<void>;
}

/** Of a network that nothing else is in. */
const SUBNET = "10.77.0";

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync("ip", args, { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`\`ip ${args.join(" ")}\` failed: ${stderr.trim()}`);
}

const nameOf = (name: string): string => `straddle-${process.pid}-${name}`;

/** Why real partitions cannot be made here, or false. */
export const namespacesMissing: string | false = ((): string | false => {
  const hub = nameOf("probe");
  try {
    ip("netns", "add", hub);
  } catch (error) {
    const { message } = error as Error;
    return `SKIPPED: no network namespaces here (root and iproute2 are needed): ${message}`;
  }
  try {
    ip("-n", hub, "link", "add", "probe", "type", "bridge");
    return false;
  } catch (error) {
    return `SKIPPED: no bridges in network namespaces here: ${(error as Error).message}`;
  } finally {
    ip("netns", "del", hub);
  }
})();
if (namespacesMissing !== false) process.stderr.write(`${namespacesMissing}\n`);

/** A network of these machines, all connected. Names have at most ten characters. */
export function createNamespaces(names: readonly string[]): Namespaces {
  const hub = nameOf("hub");
  const made: string[] = [];
  const children = new Set<ChildProcess>();
  const bridgeOf = (index: number): string => `br${index}`;
  const portOf = (name: string): string => `to-${name}`;

  function make(namespace: string): void {
    ip("netns", "add", namespace);
    made.push(namespace);
  }

  function connect(name: string, index: number): void {
    const own = nameOf(name);
    make(own);
    ip("-n", own, "link", "set", "lo", "up");
    ip("-n", hub, "link", "add", bridgeOf(index), "type", "bridge");
    ip("-n", hub, "link", "set", bridgeOf(index), "up");
    const peer = ["peer", "name", "eth0", "netns", own];
    ip("-n", hub, "link", "add", portOf(name), "type", "veth", ...peer);
    ip("-n", hub, "link", "set", portOf(name), "up");
    ip("-n", own, "addr", "add", `${addressOf(name)}/24`, "dev", "eth0");
    ip("-n", own, "link", "set", "eth0", "up");
  }

  const addressOf = (name: string): string => `${SUBNET}.${names.indexOf(name) + 1}`;
  const attach = (name: string, bridge: number): void =>
    ip("-n", hub, "link", "set", portOf(name), "master", bridgeOf(bridge));
  const split = (groups: readonly (readonly string[])[]): void => {
    const lonely = names.filter((name) => !groups.flat().includes(name)).map((name) => [name]);
    for (const [index, group] of [...groups, ...lonely].entries()) {
      for (const name of group) attach(name, index);
    }
  };
  const exec = (name: string, command: readonly string[], stdio: StdioOptions): ChildProcess => {
    const child = spawn("ip", ["netns", "exec", nameOf(name), ...command], { stdio });
    children.add(child);
    child.once("exit", () => children.delete(child));
    return child;
  };
  const removeAll = (): void => {
    for (const namespace of made.splice(0)) ip("netns", "del", namespace);
  };

  try {
    make(hub);
    names.forEach(connect);
    split([names]);
  } catch (error) {
    removeAll();
    throw error;
  }
  return {
    addressOf,
    split,
    heal: () => split([names]),
    start: (name, script, argument) =>
      exec(name, [process.execPath, script, argument], ["ignore", "inherit", "inherit", "ipc"]),
    run: (name, command) => exec(name, command, "ignore"),
    stop: async () => {
      await Promise.all(
        [...children].map(async (child) => {
          const gone = once(child, "exit");
          child.kill("SIGKILL");
          await gone;
        }),
      );
      removeAll();
    },
  };
}
