pragma circom 2.2.0;

include "Curve.circom";

// Proves:
//   1. in is a point of the curve, not one of the eight of small order.
//   2. out = 8 * in, which so has the prime order l; both in Edwards form.
// Assumes: nothing.
// Twin: sequencer/protocol/eddsa.ts (isValidKey)
template TimesCofactor() {
    signal input in[2];
    signal output out[2];
    component double[3];
    for (var i = 0; i < 3; i++) {
        double[i] = EdwardsDouble();
        double[i].in[0] <== i == 0 ? in[0] : double[i - 1].out[0];
        double[i].in[1] <== i == 0 ? in[1] : double[i - 1].out[1];
    }
    var x2 = double[0].squares[0];
    var y2 = double[0].squares[1];
    EDWARDS_A() * x2 + y2 === 1 + EDWARDS_D() * x2 * y2;
    out <== double[2].out;
    // 8 * in has an odd order, and of such points only (0, 1) has x = 0.
    signal inverse;
    inverse <-- 1 / out[0];
    inverse * out[0] === 1;
}
