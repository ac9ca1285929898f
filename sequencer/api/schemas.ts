/** The form of a request, and how a value that has not its form is told. */
import { z } from "zod";
import { RpcError } from "./rpc/errorTable.ts";

const requestId = z.union(
  [z.string().max(64), z.int(), z.null()],
  "must be an integer, a string of at most 64 characters, or null",
);

/** Params are checked later, by the method's schema, so that their errors carry the id. */
export const REQUEST = z.strictObject({
  jsonrpc: z.literal("2.0"),
  id: requestId.optional(),
  method: z.string().max(64),
  params: z.unknown().optional(),
});
export type RequestId = z.output<typeof requestId>;

/** The value, or an {@link RpcError} that names the field, its value and what is allowed. */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
  root: "params" | "request",
): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const param = [root, ...issue.path.map(String)].join(".");
  const reason = root === "params" ? "invalid_params" : "invalid_request";
  throw new RpcError(reason, `\`${param}\` ${sentence(issue)}`, { param });
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    return `has unknown fields: ${issue.keys.map((key) => `\`${clip(key)}\``).join(", ")}.`;
  }
  if (issue.input === undefined && issue.code === "invalid_type") {
    return `is missing: ${issue.expected} wanted.`;
  }
  return `${rule(issue)}. Got \`${clip(JSON.stringify(issue.input) ?? "none")}\`.`;
}

function rule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be of type ${issue.expected}`;
    case "too_small":
      return `must be at least ${issue.minimum}${issue.origin === "array" ? " long" : ""}`;
    case "too_big":
      return `must be at most ${issue.maximum}${issue.origin === "array" ? " long" : ""}`;
    case "invalid_value":
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    default:
      return issue.message;
  }
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
