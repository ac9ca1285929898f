pragma circom 2.2.0;

include "circomlib/circuits/montgomery.circom";
include "Curve.circom";

// An odd multiple of a point, by signs: sum of s[i] 2^i, each s[i] = 1 or -1.
//
// Proves: out = factor * point in Edwards form; factor = sum of s[i] 2^i for i < n, so that it is
//   odd and |factor| < 2^n; s[n - 1] = 1 - 2 * isNegative.
// Assumes: the point lies on the curve and has the order l > 2^n; isNegative is 0 or 1; n >= 2.
// Twin: none (sequencer/protocol/eddsa.ts multiplies by tables)
//
// Signs: signed[i] = s[i] v is a root of v^2, and v is not 0 (the order is odd): no sign has a
//   bit of its own. The sums of signs follow from those of the roots, divided by v.
// No exceptions: digit i is s[i] Q for even i and s[i] Q + T for odd i, where Q is the point and
//   T = (0, 0), the point of order 2, so that (u, v) + T = (1 / u, -v / u^2) and the two signs
//   still have one u. The sum P = m Q + f has an odd m, |m| < 2^n < l, and f = T or none: after
//   digit i, because 2 T is nothing, f is the T of digit i. The next digit D = s Q + g has the
//   other one: just one of f and g is T. Therefore:
//   - P = D and P = -D are impossible: P - D and P + D both have T in them.
//   - P + D = (m + s) Q + T is a point (u, v). P + D = P would be D = nothing, but s Q is not.
//     P + D = -P would be (2 m + s) Q = nothing (and g = nothing): 2 m + s is the next m,
//     odd, so not 0, and smaller than l.
//   - The new P = (2 m + s) Q + g is a point (u, v) for the same reason.
//   So all slopes have different u. This holds for all signs: factors near 0 and with any runs.
template SignedMultiple(n) {
    signal input point[2];
    signal input isNegative;
    signal input factor;
    signal output out[2];

    component at[2];
    signal square[2];
    for (var f = 0; f < 2; f++) {
        at[f] = Edwards2Montgomery();
        at[f].in[0] <== f == 0 ? point[0] : -point[0];
        at[f].in[1] <== f == 0 ? point[1] : -point[1];
        square[f] <== at[f].out[1] * at[f].out[1];
    }

    signal signed[n];
    var bits = (factor + (1 << n) - 1) / 2;
    var sum[2] = [0, 0];
    var value[2] = [0, 0];
    for (var i = 0; i < n - 1; i++) {
        var sign = 2 * ((bits >> i) & 1) - 1;
        signed[i] <-- sign * at[i % 2].out[1];
        signed[i] * signed[i] === square[i % 2];
        sum[i % 2] += signed[i] * (1 << i);
        value[i % 2] += sign * (1 << i);
    }
    var last = (n - 1) % 2;
    signed[n - 1] <== (1 - 2 * isNegative) * at[last].out[1];
    signal sums[2];
    for (var f = 0; f < 2; f++) {
        sums[f] <-- value[f];
        sums[f] * at[f].out[1] === sum[f];
    }
    factor === sums[0] + sums[1] + (1 - 2 * isNegative) * (1 << (n - 1));

    component step[n - 1];
    for (var i = n - 2; i >= 0; i--) {
        step[i] = DoubleAndAdd();
        step[i].point[0] <== i == n - 2 ? at[last].out[0] : step[i + 1].out[0];
        step[i].point[1] <== i == n - 2 ? signed[n - 1] : step[i + 1].out[1];
        step[i].other[0] <== at[i % 2].out[0];
        step[i].other[1] <== signed[i];
    }
    // Digit 0 has no T, and a multiple that is not nothing has an odd order: its v is not 0, and
    // no point of the curve has u = -1.
    component edwards = Montgomery2Edwards();
    edwards.in <== step[0].out;
    out <== edwards.out;
}
