// The client's hand-written ABI against the contracts' own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Abi, toEventSelector, toFunctionSelector, toFunctionSignature } from "viem";
import { ROLLUP_ABI, TOKEN_ABI } from "../../../sequencer/client/rollupAbi.ts";
import { rollupAbi, testTokenAbi } from "../../../sequencer/l1/generated/abi.ts";

function described(abi: Abi): Map<string, string> {
  const items = new Map<string, string>();
  for (const item of abi) {
    if (item.type === "function") {
      const outputs = item.outputs.map(({ type }) => type).join();
      const text = `${toFunctionSignature(item)} ${item.stateMutability} ${outputs}`;
      items.set(toFunctionSelector(item), text);
    } else if (item.type === "event") {
      const indexed = item.inputs.map((input) => `${input.name} ${input.indexed ?? false}`).join();
      items.set(toEventSelector(item), `${item.name} ${indexed}`);
    } else if (item.type === "error") {
      const inputs = item.inputs.map(({ type }) => type).join();
      items.set(`${item.name}(${inputs})`, "error");
    }
  }
  return items;
}

test("everything in the client's ABI is in the contracts', as it is there", () => {
  for (const [ours, theirs] of [
    // A deposit reports the token's errors as its own.
    [ROLLUP_ABI, [...rollupAbi, ...testTokenAbi]],
    [TOKEN_ABI, testTokenAbi],
  ] as const) {
    const known = described(theirs as Abi);
    for (const [selector, text] of described(ours as Abi)) {
      assert.equal(known.get(selector), text);
    }
  }
});
