/** The worker thread of `pointPool.ts`: builds its share of the tables, then multiplies. */
import { parentPort } from "node:worker_threads";
import {
  buildWindows,
  createMultiplier,
  type Multiplier,
  type TableShape,
  windowBytes,
} from "./fixedBase.ts";
import { createWasmCurve, FIELD_BYTES, type Group } from "./wasmCurve.ts";

/** The most scalars one request may hold. */
export const BATCH_SCALARS = 1 << 13;

/** What the pool asks of a worker. Every request gets exactly one reply. */
export type PointRequest =
  | {
      readonly kind: "build";
      readonly group: Group;
      readonly shape: TableShape;
      readonly from: number;
      readonly to: number;
      readonly table: SharedArrayBuffer;
    }
  | {
      readonly kind: "load";
      readonly group: Group;
      readonly shape: TableShape;
      readonly table: SharedArrayBuffer;
    }
  | { readonly kind: "multiply"; readonly group: Group; readonly scalars: Uint8Array };

/** A worker's reply: the points of a "multiply", nothing of the others. */
export type PointReply = { readonly points: Uint8Array<ArrayBuffer> };

const NOTHING: PointReply = { points: new Uint8Array(0) };

const port = parentPort;
if (port !== null) {
  const curve = await createWasmCurve();
  const multipliers = new Map<Group, Multiplier>();

  const answer = (request: PointRequest): PointReply => {
    if (request.kind === "build") {
      const bytes = new Uint8Array(request.table);
      const size = windowBytes(request.group, request.shape);
      buildWindows(curve, request.group, request.shape, request, (window, points) => {
        bytes.set(points, window * size);
      });
      return NOTHING;
    }
    if (request.kind === "load") {
      const { group, shape, table } = request;
      const at = curve.allocate(table.byteLength);
      curve.bytes(at, table.byteLength).set(new Uint8Array(table));
      multipliers.set(group, createMultiplier(curve, group, shape, at, BATCH_SCALARS));
      return NOTHING;
    }
    const multiplier = multipliers.get(request.group);
    if (multiplier === undefined) throw new Error(`no table is loaded for ${request.group}`);
    if (request.scalars.length % FIELD_BYTES !== 0) throw new Error("a scalar is cut short");
    return { points: multiplier(request.scalars) };
  };

  port.on("message", (request: PointRequest) => {
    const reply = answer(request);
    port.postMessage(reply, reply === NOTHING ? [] : [reply.points.buffer]);
  });
}
