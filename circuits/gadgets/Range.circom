pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";

// Proves: 0 <= in < 2^bits.
// Assumes: bits <= 252, so that the bits determine the number.
// Twin: none (a bound of sequencer/protocol/constants.ts)
template InRange(bits) {
    assert(bits <= 252);
    signal input in;
    component decomposed = Num2Bits(bits);
    decomposed.in <== in;
    for (var i = 0; i < bits; i++) {
        _ <== decomposed.out[i];
    }
}

// Proves: out = 1 if in >= 0, else 0, and -2^bits <= in < 2^bits.
// Assumes: bits <= 251.
template IsNonNegative(bits) {
    assert(bits <= 251);
    signal input in;
    signal output out;
    component decomposed = Num2Bits(bits + 1);
    decomposed.in <== in + (1 << bits);
    for (var i = 0; i < bits; i++) {
        _ <== decomposed.out[i];
    }
    out <== decomposed.out[bits];
}

// Proves: out = the smaller of two numbers.
// Assumes: |a - b| < 2^bits, so inputs in range.
template Minimum(bits) {
    signal input a;
    signal input b;
    signal output out;
    signal isFirstSmaller <== IsNonNegative(bits)(b - a);
    out <== b + isFirstSmaller * (a - b);
}

// Proves: out = 1 if -2^bits <= in < 2^bits, else 0.
// Assumes: |in| < 2^(bits + 3) - 2^bits; bits <= 247.
template FitsWithin(bits) {
    assert(bits <= 247);
    signal input in;
    signal output out;
    component decomposed = Num2Bits(bits + 4);
    decomposed.in <== in + (1 << bits) + (1 << (bits + 3));
    for (var i = 0; i <= bits; i++) {
        _ <== decomposed.out[i];
    }
    signal isNear <== (1 - decomposed.out[bits + 1]) * (1 - decomposed.out[bits + 2]);
    out <== decomposed.out[bits + 3] * isNear;
}

// Proves: in is 0 or 1.
template IsBoolean() {
    signal input in;
    in * (in - 1) === 0;
}
