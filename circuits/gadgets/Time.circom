pragma circom 2.2.0;

include "../generated/Constants.circom";
include "Range.circom";

// Proves: seconds = floor(milliseconds / 1000), and 0 <= milliseconds < 2^48.
// Assumes: nothing.
template WholeSeconds() {
    signal input milliseconds;
    signal output seconds;
    // Pinned by quotient and remainder below: 0 <= remainder < 1000 and no wrap (2^39 * 1000).
    seconds <-- milliseconds \ 1000;
    signal remainder <== milliseconds - 1000 * seconds;
    InRange(39)(seconds);
    InRange(10)(remainder);
    InRange(10)(999 - remainder);
    InRange(TIME_BITS())(milliseconds);
}
