/** The one table of error codes that the API answers with. */
import { DOOR_REJECTS, type DoorReject } from "../protocol/rejection.ts";

/** JSON-RPC's own codes, and what only the API can refuse. Door rejects have the rest. */
const API_ERRORS = {
  parseError: [-32700, "the body is not JSON"],
  invalidRequest: [-32600, "the request is not a JSON-RPC 2.0 request"],
  methodNotFound: [-32601, "no such method"],
  invalidParams: [-32602, "the parameters do not fit the method"],
  internalError: [-32603, "something went wrong inside the node"],
  notFound: [-32050, "no such thing"],
  notAuthorised: [-32051, "this needs the signature of one of the account's trading keys"],
  tooManySubscriptions: [-32052, "too many subscriptions on this connection"],
  needsWebSocket: [-32053, "subscriptions need a WebSocket connection"],
  stopping: [-32054, "the node is stopping"],
  outcomeUnknown: [-32055, "the node stopped meanwhile: whether it was done is not known"],
} as const satisfies Record<string, readonly [number, string]>;

/** Every reason an answer can give in `error.data.reason`: its code and its general meaning. */
export const ERRORS = { ...API_ERRORS, ...DOOR_REJECTS };
export type ErrorReason = keyof typeof API_ERRORS | DoorReject;

/** As JSON-RPC wants it; `data.reason` is the stable name of `code`. */
export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly reason: ErrorReason; readonly [key: string]: unknown };
}

/** Thrown by handlers for what the caller did wrong; anything else that is thrown is a fault. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly reason: ErrorReason;
  readonly data: Readonly<Record<string, unknown>>;
  constructor(
    reason: ErrorReason,
    message: string = ERRORS[reason][1],
    data: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.reason = reason;
    this.data = data;
  }
}

export function errorObject(error: ApiError): ErrorObject {
  const [code] = ERRORS[error.reason];
  return { code, message: error.message, data: { ...error.data, reason: error.reason } };
}
