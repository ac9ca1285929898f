pragma circom 2.2.0;

include "circomlib/circuits/comparators.circom";
include "Range.circom";

// Lots that only reduce a position.
//
// Proves:
//   1. Where enabled: 1 <= lots <= |position|, direction = 1 if the position is short, else -1, and
//      isShort says which.
//   2. Else: direction and isShort are 0.
// Assumes: enabled is 0 or 1; 0 <= lots < 2^bits, and lots = 0 where not enabled;
//   |position| < 2^100.
// Twin: sequencer/engine/transactions/takeover.ts
template Reduction(bits) {
    signal input enabled;
    signal input position;
    signal input lots;
    signal output isShort;
    signal output direction;

    // Pinned by the range: lots of at least 1 reduce a position in one direction only.
    isShort <-- (enabled == 1 && position < 0) ? 1 : 0;
    IsBoolean()(isShort);
    (1 - enabled) * isShort === 0;
    direction <== 2 * isShort - enabled;
    signal size <== -direction * position;
    InRange(bits)(size - lots);
    signal isNothing <== IsZero()(lots);
    enabled * isNothing === 0;
}
