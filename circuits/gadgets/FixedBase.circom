pragma circom 2.2.0;

include "circomlib/circuits/montgomery.circom";
include "Curve.circom";
include "FixedWindow.circom";
include "Range.circom";

// A multiple of the generator B of the subgroup.
//
// Proves:
//   1. 0 <= scalar < order.
//   2. out = scalar * B in Edwards form, where order is that of B. (In general, for tests: where
//      top, below, is 1, out = (scalar - order) * B.)
// Assumes: n = 1 modulo 3, n >= 4; 2^n <= order <= 2^(n + 1); order < p / 4.
// Twin: sequencer/protocol/eddsa.ts (multiplyBase)
//
// Why 1: scalar = sum of bit[i] 2^i, i < n, + top (order - 2^n), which takes the values
//   0 to order - 1 and no others. For 2^n and more below order, top may be 0 or 1: one scalar.
// Why 2: modulo the order this is sum of bit[i] 2^i - top 2^n, so with signs s = 2 bit - 1 twice
//   the multiple is sum of s[i] 2^i - s[n] 2^n - 1: a sum of signed multiples of B / 2, which the
//   windows take three at a time.
// No exceptions: the sum starts with F, a point of order 4, in it. It is so always k B / 2 + F,
//   of an order that is divisible by 4, whereas what is added to it is a digit, odd and at most
//   7, times a power of two: not (0, 1), and of the odd order l. Two such points have different
//   u, and their sum has again F in it. This holds for every scalar and needs no bound.
template FixedBase(n, order) {
    assert(n % 3 == 1 && n >= 4);
    assert((1 << n) <= order && order <= (1 << (n + 1)));
    var windows = n \ 3;
    signal input scalar;
    signal output out[2];

    signal top;
    signal below;
    signal digit[windows];
    var isTop = scalar >= (1 << n) ? 1 : 0;
    var bits = scalar - isTop * (order - (1 << n));
    top <-- isTop;
    below <-- (bits >> (n - 1)) & 1;
    IsBoolean()(top);
    IsBoolean()(below);
    var sum = below * (1 << (n - 1)) + top * (order - (1 << n));
    var twice = 0;
    for (var w = 0; w < windows; w++) {
        digit[w] <-- 2 * ((bits >> (3 * w)) & 7) - 7;
        twice += (digit[w] + 7) * (1 << (3 * w));
    }
    2 * scalar === 2 * sum + twice;

    var power[2] = HALF_BASE();
    var points[4][2];
    component window[windows];
    for (var w = 0; w < windows; w++) {
        var double[2] = montgomeryDouble(power);
        points[0] = power;
        for (var i = 1; i < 4; i++) {
            points[i] = montgomerySum(points[i - 1], double);
        }
        window[w] = FixedWindow(points);
        window[w].digit <== digit[w];
        power = montgomeryDouble(montgomeryDouble(double));
    }

    // F - B / 2 + (s[n - 1] - 2 s[n]) 2^(n - 1) B / 2, of the four the one that is meant.
    var half[2] = HALF_BASE();
    var start[2] = montgomerySum([1, SQRT_A()], [half[0], 0 - half[1]]);
    var triple[2] = montgomerySum(power, montgomeryDouble(power));
    points[0] = montgomerySum(start, power);
    points[1] = montgomerySum(start, triple);
    points[2] = montgomerySum(start, [triple[0], 0 - triple[1]]);
    points[3] = montgomerySum(start, [power[0], 0 - power[1]]);
    signal isBoth <== below * top;
    var point[2];
    for (var j = 0; j < 2; j++) {
        var c[4] = ofTwoBits([points[0][j], points[1][j], points[2][j], points[3][j]]);
        point[j] = c[0] + c[1] * below + c[2] * top + c[3] * isBoth;
    }

    component added[windows];
    for (var w = 0; w < windows; w++) {
        added[w] = MontgomerySum();
        added[w].one[0] <== w == 0 ? point[0] : added[w - 1].out[0];
        added[w].one[1] <== w == 0 ? point[1] : added[w - 1].out[1];
        added[w].other <== window[w].out;
    }
    // F taken away: (x, y) - (1 / sqrt(a), 0) = (-y / sqrt(a), sqrt(a) x). No denominator is 0: v
    // is 0 for the point of order 2 only, and no point of the curve has u = -1, as A - 2 = d.
    component edwards = Montgomery2Edwards();
    edwards.in <== added[windows - 1].out;
    out[0] <== edwards.out[1] * (-1 / SQRT_A());
    out[1] <== edwards.out[0] * SQRT_A();
}
