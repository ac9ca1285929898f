pragma circom 2.2.0;

include "circomlib/circuits/babyjub.circom";
include "Range.circom";
include "SignedMultiple.circom";

// A multiple of a point by a field element.
//
// Proves: out = scalar' * point in Edwards form, where 0 <= scalar' < 8 order, scalar' = scalar
//   modulo p, and order is that of the point: l. As p < 8 l < p + 2^126, scalar' is scalar,
//   unless scalar < 2^126: there scalar + p may be taken. Of a challenge (a hash) that allows one
//   more in a case that nobody can bring about. (In general, for tests: out = w * point, |w| <=
//   2^n, w = scalar' - j order.)
// Assumes: the point lies on the curve and has the order l > 2^n; 2^n <= order <= 2^(n + 1);
//   8 order < 2 p; n >= 2.
// Twin: sequencer/protocol/eddsa.ts (verify)
//
// Why: scalar' = eighth order + rest with eighth < 8 from three bits, and
//   rest = b - isNegative (2^n - order) with 0 <= b < 2^n takes the values 0 to order - 1 and no
//   others. Modulo the order, rest = w = b - isNegative 2^n. Of w = factor - isEven, b's bits
//   above the lowest are the signs of the factor, and b's lowest is 1 - isEven. Where two w make
//   one rest they differ by the order, and so are one multiple.
template Multiple(n, order) {
    assert((1 << n) <= order && order <= (1 << (n + 1)));
    signal input scalar;
    signal input point[2];
    signal output out[2];

    var quotient = scalar \ order;
    var rest = scalar % order;
    var w = rest >= (1 << n) ? rest - order : rest;
    signal eighth[3];
    signal isNegative;
    signal isEven;
    var times = 0;
    for (var i = 0; i < 3; i++) {
        eighth[i] <-- (quotient >> i) & 1;
        IsBoolean()(eighth[i]);
        times += eighth[i] * (1 << i);
    }
    isNegative <-- w < 0 ? 1 : 0;
    IsBoolean()(isNegative);
    isEven <-- 1 - ((w + (1 << n)) & 1);
    IsBoolean()(isEven);

    signal factor;
    factor <-- w + isEven;
    scalar === (times + isNegative) * order + factor - isEven;
    component odd = SignedMultiple(n);
    odd.point <== point;
    odd.isNegative <== isNegative;
    odd.factor <== factor;

    component less = BabyAdd();
    less.x1 <== odd.out[0];
    less.y1 <== odd.out[1];
    less.x2 <== -isEven * point[0];
    less.y2 <== 1 + isEven * (point[1] - 1);
    out <== [less.xout, less.yout];
}
