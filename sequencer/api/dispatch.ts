/** From a body's text to the answer's text: JSON-RPC 2.0, single requests and batches. */

import { LogStoppedError } from "../batch/logWriter.ts";
import type { Logger } from "../ports.ts";
import { HaltedError } from "../protocol/halted.ts";
import { ApiError, errorObject } from "./errors.ts";
import type { ApiLimits } from "./limits.ts";
import { type CallContext, METHODS, rateLimited } from "./methods.ts";
import { check, REQUEST, type RequestId } from "./schemas.ts";
import { encodeWire, parseBody } from "./wire.ts";

export interface DispatchContext extends CallContext {
  readonly logger: Logger;
  readonly limits: ApiLimits;
}

/** Undefined: only notifications, so there is nothing to answer. Never rejects. */
export async function dispatch(
  text: string,
  context: DispatchContext,
): Promise<string | undefined> {
  let body: unknown;
  try {
    body = parseBody(text, context.limits.jsonDepth);
    if (Array.isArray(body)) assertBatch(body, context.limits.batchRequests);
  } catch (error) {
    return failure(error, null, context);
  }
  if (!Array.isArray(body)) return answer(body, context);
  // Every handler starts before any is awaited: a batch's messages keep their order.
  const answers = await Promise.all(body.map((request) => answer(request, context)));
  const given = answers.filter((item) => item !== undefined);
  return given.length === 0 ? undefined : `[${given.join(",")}]`;
}

function assertBatch(batch: readonly unknown[], requestsMax: number): void {
  if (batch.length >= 1 && batch.length <= requestsMax) return;
  const text = `a batch holds 1 to ${requestsMax} requests. Got \`${batch.length}\`.`;
  throw new ApiError("invalidRequest", text);
}

async function answer(value: unknown, context: DispatchContext): Promise<string | undefined> {
  let id: RequestId | undefined = null;
  try {
    const request = check(REQUEST, value, "request");
    id = request.id;
    const method = METHODS.get(request.method);
    const wait = context.bucket.take(method?.cost ?? 1);
    if (wait > 0) throw rateLimited("connection", wait);
    if (method === undefined) {
      const known = [...METHODS.keys()].join(", ");
      const text = `no such method: \`${request.method}\`. There are: ${known}.`;
      throw new ApiError("methodNotFound", text);
    }
    const params = check(method.params, request.params ?? {}, "params");
    const result = await method.call(params, context);
    if (id === undefined) return undefined;
    return encodeWire({ jsonrpc: "2.0", id, result });
  } catch (error) {
    if (id === undefined) return undefined;
    return failure(error, id ?? idOf(value), context);
  }
}

/** The id of a request that is otherwise wrong, where it has a usable one. */
function idOf(value: unknown): RequestId {
  const id = typeof value === "object" && value !== null ? Reflect.get(value, "id") : null;
  return typeof id === "string" || Number.isSafeInteger(id) ? (id as RequestId) : null;
}

function failure(error: unknown, id: RequestId, { logger }: DispatchContext): string {
  const known = asApiError(error);
  if (known.reason === "internalError") {
    // The caller learns nothing about the inside; the operator finds it in the log.
    logger.error("a request failed", { error: error instanceof Error ? error.stack : error });
  }
  return encodeWire({ jsonrpc: "2.0", id, error: errorObject(known) });
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof HaltedError) return new ApiError("stopping", error.message);
  // It was taken, and the log stopped before it was durable.
  if (error instanceof LogStoppedError) return new ApiError("outcomeUnknown");
  return new ApiError("internalError");
}

/** An error that belongs to no request, such as a body that is too large. */
export function bareError(error: ApiError): string {
  return encodeWire({ jsonrpc: "2.0", id: null, error: errorObject(error) });
}
