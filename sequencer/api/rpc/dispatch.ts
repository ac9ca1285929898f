/** From a body's text to the answer's text: JSON-RPC 2.0 in Deribit's envelope. */

import type { z } from "zod";
import { LogStoppedError } from "../../batch/logWriter.ts";
import type { Logger } from "../../ports.ts";
import { HaltedError } from "../../protocol/halted.ts";
import type { ApiLimits } from "../limits.ts";
import { check, REQUEST, type RequestId } from "../schemas.ts";
import { parseBody } from "../wire.ts";
import { RpcError, type RpcErrorName, rpcErrorObject } from "./errorTable.ts";
import { CALL_CREDITS, type CallContext } from "./method.ts";
import { METHODS } from "./methodTable.ts";
import { tooMany } from "./submissions.ts";

/** A call has ended, with the name of its error if it failed. No method of ours: `unknown`. */
export type CallObserver = (method: string, ms: number, error: RpcErrorName | undefined) => void;

export interface DispatchContext extends CallContext {
  readonly logger: Logger;
  readonly limits: ApiLimits;
  readonly onCall?: CallObserver | undefined;
}

/** Undefined: only notifications, so there is nothing to answer. Never rejects. */
export async function dispatch(
  text: string,
  context: DispatchContext,
): Promise<string | undefined> {
  const began = performance.now();
  let body: unknown;
  try {
    body = parseBody(text, context.limits.jsonDepth);
    if (Array.isArray(body)) assertBatch(body, context.limits.batchRequests);
  } catch (error) {
    return failure(error, null, began, context);
  }
  if (!Array.isArray(body)) return answer(body, began, context);
  // Every handler starts before any is awaited: a batch's words keep their order.
  const answers = await Promise.all(body.map((request) => answer(request, began, context)));
  const given = answers.filter((item) => item !== undefined);
  return given.length === 0 ? undefined : `[${given.join(",")}]`;
}

function assertBatch(batch: readonly unknown[], requestsMax: number): void {
  if (batch.length >= 1 && batch.length <= requestsMax) return;
  const text = `a batch holds 1 to ${requestsMax} requests. Got \`${batch.length}\`.`;
  throw new RpcError("invalid_request", text);
}

async function answer(
  value: unknown,
  began: number,
  context: DispatchContext,
): Promise<string | undefined> {
  let id: RequestId | undefined = null;
  try {
    const request = check(REQUEST, value, "request");
    id = request.id;
    const result = await call(request.method, request.params ?? {}, context);
    if (id === undefined) return undefined;
    return JSON.stringify({ jsonrpc: "2.0", id, result, ...times(began, context) });
  } catch (error) {
    if (id === undefined) return undefined;
    return failure(error, id ?? idOf(value), began, context);
  }
}

/** The method's result, JSON-safe. Throws {@link RpcError}, or what is a fault. */
export async function call(
  name: string,
  params: unknown,
  context: DispatchContext,
): Promise<unknown> {
  const { onCall, logger } = context;
  if (onCall === undefined) return callUnobserved(name, params, context);
  const began = performance.now();
  const method = METHODS.has(name) ? name : "unknown";
  try {
    const result = await callUnobserved(name, params, context);
    onCall(method, performance.now() - began, undefined);
    return result;
  } catch (error) {
    const known = rpcErrorOf(error, logger);
    onCall(method, performance.now() - began, known.reason);
    throw known;
  }
}

async function callUnobserved(
  name: string,
  params: unknown,
  context: DispatchContext,
): Promise<unknown> {
  const method = METHODS.get(name);
  const wait = context.bucket.take(method?.cost ?? CALL_CREDITS);
  if (wait > 0) throw tooMany("connection", wait);
  if (method === undefined) {
    const text = `no such method: \`${name}\`. \`rpc.discover\` tells which there are.`;
    throw new RpcError("method_not_found", text);
  }
  if (method.needsWebSocket && context.connection === undefined) {
    throw new RpcError("must_be_websocket_request");
  }
  const checked = check(method.params as z.ZodType, params, "params");
  try {
    return await method.call(checked, context);
  } catch (error) {
    // Checking a signature is dear and the sender unproven.
    if (error instanceof RpcError && method.scope !== "public") context.bucket.charge(method.cost);
    throw error;
  }
}

/** Microseconds, as Deribit tells them. */
function times(began: number, { clock, market }: DispatchContext) {
  const usDiff = Math.max(0, Math.round((performance.now() - began) * 1000));
  const usOut = clock.now() * 1000;
  const chainId = market.catalogues.latest()?.info.chainId;
  return { usIn: usOut - usDiff, usOut, usDiff, testnet: chainId !== MAINNET };
}

const MAINNET = 1;

/** The id of a request that is otherwise wrong, where it has a usable one. */
function idOf(value: unknown): RequestId {
  const id = typeof value === "object" && value !== null ? Reflect.get(value, "id") : null;
  return typeof id === "string" || Number.isSafeInteger(id) ? (id as RequestId) : null;
}

/** The caller learns nothing about the inside; the operator finds it in the log. */
export function rpcErrorOf(error: unknown, logger: Logger): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof HaltedError) return new RpcError("temporarily_unavailable", error.message);
  if (error instanceof LogStoppedError) return new RpcError("outcome_unknown");
  logger.error("a request failed", { error: error instanceof Error ? error.stack : error });
  return new RpcError("internal_server_error");
}

function failure(error: unknown, id: RequestId, began: number, context: DispatchContext): string {
  const object = rpcErrorObject(rpcErrorOf(error, context.logger));
  return JSON.stringify({ jsonrpc: "2.0", id, error: object, ...times(began, context) });
}

/** The same refusal to each request of a body; undefined: only notifications. */
export function refuseAll(
  text: string,
  error: RpcError,
  limits: Pick<ApiLimits, "jsonDepth" | "batchRequests">,
): string | undefined {
  let body: unknown;
  try {
    body = parseBody(text, limits.jsonDepth);
    if (Array.isArray(body)) assertBatch(body, limits.batchRequests);
  } catch {
    return bareRpcError(error);
  }
  const refusal = (value: unknown): string[] =>
    isNotification(value) ? [] : [bareRpcError(error, idOf(value))];
  if (!Array.isArray(body)) return refusal(body)[0];
  const answers = body.flatMap(refusal);
  return answers.length === 0 ? undefined : `[${answers.join(",")}]`;
}

function isNotification(value: unknown): boolean {
  return typeof value === "object" && value !== null && !("id" in value);
}

/** An error without a call, of a request or of none. */
export function bareRpcError(error: RpcError, id: RequestId = null): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: rpcErrorObject(error) });
}
