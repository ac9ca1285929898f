pragma circom 2.2.0;

include "../generated/Constants.circom";
include "Range.circom";
include "Select.circom";

// Whether a change leaves an account admissible: in every scenario covered afterwards, or no worse.
//
// Proves:
//   1. passes + fails = enabled, both 0 or 1.
//   2. If passes: for every s, headroom[s] + change[s] >= 0 or change[s] >= 0.
//   3. If fails: for some s, headroom[s] + change[s] < 0 and change[s] < 0.
// Assumes: |headroom|, |change| < 2^100, so that signs are meaningful; enabled is 0 or 1; honest
//   numbers have a size below 2^bits.
// Twin: sequencer/engine/risk.ts (admissibility)
template Admissible(n, bits) {
    assert(n >= 2);
    signal input enabled;
    signal input headroom[n];
    signal input change[n];
    signal output passes;
    signal output fails;

    var worst = -1;
    for (var s = 0; s < n; s++) {
        if (worst < 0 && headroom[s] + change[s] < 0 && change[s] < 0) {
            worst = s;
        }
    }
    // Pinned: passes + fails = enabled, and each side of the verdict exhibits its reason below.
    passes <-- (enabled == 1 && worst < 0) ? 1 : 0;
    passes * (passes - 1) === 0;
    fails <== enabled - passes;
    fails * (fails - 1) === 0;

    signal isWorst[n];
    signal sumAt[n];
    signal changeAt[n];
    var count = 0;
    var sum = 0;
    var alone = 0;
    for (var s = 0; s < n; s++) {
        // Free choice of the scenario that is exhibited.
        isWorst[s] <-- (enabled == 1 && worst == s) ? 1 : 0;
        isWorst[s] * (isWorst[s] - 1) === 0;
        count += isWorst[s];
        sumAt[s] <== isWorst[s] * (headroom[s] + change[s]);
        changeAt[s] <== isWorst[s] * change[s];
        sum += sumAt[s];
        alone += changeAt[s];
    }
    count === fails;

    // What a verdict does not exhibit is 0: passes and fails share the ranges of two scenarios.
    signal usesSum[n];
    signal shown[n];
    signal checked[n];
    for (var s = 0; s < n; s++) {
        // Free choice of which of the two conditions is exhibited.
        usesSum[s] <-- headroom[s] + change[s] >= 0 ? 1 : 0;
        usesSum[s] * (usesSum[s] - 1) === 0;
        shown[s] <== change[s] + usesSum[s] * headroom[s];
        checked[s] <== passes * shown[s];
    }
    InRange(bits + 2)(checked[0] - sum - fails);
    InRange(bits + 2)(checked[1] - alone - fails);
    for (var s = 2; s < n; s++) {
        InRange(bits)(checked[s]);
    }
}
