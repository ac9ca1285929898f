/** The OpenRPC document, from the schemas that validate. Pure. */
import { z } from "zod";
import packageJson from "../../../package.json" with { type: "json" };
import { CHANNEL_FORMS } from "./channelNames.ts";
import { RPC_ERRORS } from "./errorTable.ts";
import type { Method } from "./method.ts";

type JsonSchema = Record<string, unknown>;

interface ContentDescriptor {
  readonly name: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

export interface OpenRpcMethod {
  readonly name: string;
  readonly summary: string;
  readonly tags: readonly { readonly name: string }[];
  readonly paramStructure: "by-name";
  readonly params: readonly ContentDescriptor[];
  readonly result: ContentDescriptor;
  readonly errors: readonly { readonly $ref: string }[];
  readonly "x-credits": number;
}

const OPENRPC_VERSION = "1.3.2";

export function openRpcDocument(methods: readonly Method[]) {
  const errors = Object.entries(RPC_ERRORS).map(([name, [code, text]]) => {
    return [name, { code, message: name, data: { reason: text } }];
  });
  return {
    openrpc: OPENRPC_VERSION,
    info: {
      title: "Straddle",
      version: packageJson.version,
      description: "JSON-RPC 2.0 over WebSocket at /ws/api/v2 and HTTP at /api/v2.",
      license: { name: packageJson.license },
    },
    methods: methods.map(documented),
    components: { errors: Object.fromEntries(errors) },
    "x-channels": CHANNEL_FORMS,
  };
}

function documented(method: Method): OpenRpcMethod {
  const { name, summary, scope, needsWebSocket, params, result, cost } = method;
  const tags = [scope, ...(needsWebSocket ? ["websocket"] : [])];
  return {
    ...{ name, summary, tags: tags.map((tag) => ({ name: tag })), paramStructure: "by-name" },
    params: descriptors(params),
    result: { name: "result", schema: resultSchema(result) },
    errors: Object.keys(RPC_ERRORS).map((error) => ({ $ref: `#/components/errors/${error}` })),
    "x-credits": cost,
  };
}

function descriptors(params: z.ZodType): ContentDescriptor[] {
  const { properties = {}, required = [] } = paramsSchema(params) as {
    properties?: Record<string, JsonSchema>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => {
    return { name, required: required.includes(name), schema };
  });
}

/** What callers send. */
export function paramsSchema(params: z.ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(params, { io: "input" });
  return schema;
}

/** Readers must bear fields that are added later, so none is excluded. */
export function resultSchema(result: z.ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(result, {
    io: "output",
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return schema;
}
