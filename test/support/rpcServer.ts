/** A simulated chain behind a JSON-RPC port, which may be made to lie. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

interface Provider {
  request(call: { method: string; params?: unknown }): Promise<unknown>;
}

/** Replaces what the chain answers to a call. */
export type Liar = (method: string, result: unknown, params: readonly unknown[]) => unknown;

/** Thrown by a liar: the endpoint answers that it has been asked too much. */
export class TooManyRequests extends Error {
  override name = "TooManyRequests";
}

export async function serveRpc(
  context: Pick<TestContext, "after">,
  provider: Provider,
  lie: Liar = (_method, result) => result,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const body = await new Response(request as never).json();
    const { id, method, params = [] } = body as { id: number; method: string; params?: unknown[] };
    const answer = await provider.request({ method, params }).then(
      (result) => ({ result }),
      (error: { code: number; message: string; data: unknown }) => ({
        error: { code: error.code, message: error.message, data: error.data },
      }),
    );
    try {
      const told = "result" in answer ? { result: lie(method, answer.result, params) } : answer;
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...told }));
    } catch (error) {
      if (!(error instanceof TooManyRequests)) throw error;
      response.writeHead(429).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
