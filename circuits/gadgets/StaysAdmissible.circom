pragma circom 2.2.0;

include "../generated/Constants.circom";
include "Range.circom";

// That a change takes no value below 0 that it lessens: the relief of SPEC section 6, where the
// values are maintenance less that of the exhibited scenario.
//
// Proves: for every s, headroom[s] + change[s] >= 0 or change[s] >= 0.
// Assumes: |headroom|, |change| < 2^100, so that signs are meaningful.
// Twin: sequencer/engine/healthChange.ts (firstMarkUnrelieved)
template StaysAdmissible(n) {
    signal input headroom[n];
    signal input change[n];

    signal usesSum[n];
    signal shown[n];
    for (var s = 0; s < n; s++) {
        // Free choice of which of the two conditions is exhibited.
        usesSum[s] <-- change[s] < 0 ? 1 : 0;
        usesSum[s] * (usesSum[s] - 1) === 0;
        shown[s] <== change[s] + usesSum[s] * headroom[s];
        InRange(HEALTH_BITS())(shown[s]);
    }
}
