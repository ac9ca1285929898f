pragma circom 2.2.0;

// Baby Jubjub: a x^2 + y^2 = 1 + d x^2 y^2 with a = 168700, d = 168696 (twisted Edwards), which
// is v^2 = u^3 + A u^2 + u (Montgomery) by u = (1 + y) / (1 - y), v = u / x. a is a square and d
// is none, so the Edwards sum has no exceptions. The group is that of order l, times one of 8
// elements: (0, 1); (0, -1), in Montgomery form (0, 0); (+-1 / sqrt(a), 0), in Montgomery form
// (1, +-sqrt(a)); four of order 8. The Montgomery sum has exceptions: the slope of two points
// with one u is 0 / 0 or none at all. The templates that use it say why no such points meet.

function EDWARDS_A() { return 168700; }
function EDWARDS_D() { return 168696; }
function MONTGOMERY_A() { return 168698; }
function SUBGROUP_ORDER() {
    return 2736030358979909402780800718157159386076813972158567259200215660948447373041;
}
// sqrt(a): the point (1, SQRT_A) in Montgomery form has order 4.
function SQRT_A() {
    return 7214280148105020021932206872019688659210616427216992810330019057549499971851;
}

// The generator of the subgroup, Base8 of circomlib.
function BASE_X() {
    return 5299619240641551281634865583518297030282874472190772894086521144482721001553;
}
function BASE_Y() {
    return 16950150798460657717958625567821834550301663161624707787222815936182638968203;
}

// Half of the generator, in the subgroup and in Montgomery form: (l + 1) / 2 times it.
function HALF_BASE() {
    return [
        15911430547061389793000475571378725100056101078419116934490913615534943964770,
        15604226377194715175437583611220688199830490385506725180762234400943242628522
    ];
}

// Constants, in Montgomery form: the sum of two points with different u, and twice a point whose
// order is not 2.
function montgomerySum(one, other) {
    var slope = (other[1] - one[1]) / (other[0] - one[0]);
    var u = slope * slope - MONTGOMERY_A() - one[0] - other[0];
    return [u, slope * (one[0] - u) - one[1]];
}

function montgomeryDouble(point) {
    var slope = (3 * point[0] * point[0] + 2 * MONTGOMERY_A() * point[0] + 1) / (2 * point[1]);
    var u = slope * slope - MONTGOMERY_A() - 2 * point[0];
    return [u, slope * (point[0] - u) - point[1]];
}

// Proves: out = one + other, in Montgomery form.
// Assumes: two points of the curve with different u: the slope is then the only one.
// Twin: sequencer/protocol/assembly/curve.ts
template MontgomerySum() {
    signal input one[2];
    signal input other[2];
    signal output out[2];
    signal slope;
    slope <-- (other[1] - one[1]) / (other[0] - one[0]);
    slope * (other[0] - one[0]) === other[1] - one[1];
    out[0] <== slope * slope - MONTGOMERY_A() - one[0] - other[0];
    out[1] <== slope * (one[0] - out[0]) - one[1];
}

// Twice a point and another one: the point is added to it twice, so that the v of the sum
// between, v = slope * (point.u - u) - point.v, is never computed.
//
// Proves: out = 2 * point + other, in Montgomery form.
// Assumes: two points of the curve with different u; (point + other) and point have different u.
// Twin: sequencer/protocol/assembly/curve.ts
template DoubleAndAdd() {
    signal input point[2];
    signal input other[2];
    signal output out[2];
    signal slope;
    slope <-- (other[1] - point[1]) / (other[0] - point[0]);
    slope * (other[0] - point[0]) === other[1] - point[1];
    signal between <== slope * slope - MONTGOMERY_A() - point[0] - other[0];
    // (v - point.v) / (u - point.u) = -slope - 2 point.v / (u - point.u)
    signal second;
    second <-- -2 * point[1] / (between - point[0]) - slope;
    (second + slope) * (between - point[0]) === -2 * point[1];
    out[0] <== second * second - MONTGOMERY_A() - between - point[0];
    out[1] <== second * (point[0] - out[0]) - point[1];
}

// Proves: out = 2 * in, in Edwards form; squares = (x^2, y^2).
// Assumes: a point of the curve. Its denominators 1 + d x^2 y^2 and 1 - d x^2 y^2 are not 0,
//   because d is no square.
// Twin: sequencer/protocol/assembly/curve.ts
template EdwardsDouble() {
    signal input in[2];
    signal output out[2];
    signal output squares[2];
    squares[0] <== in[0] * in[0];
    squares[1] <== in[1] * in[1];
    signal product <== in[0] * in[1];
    var sum = EDWARDS_A() * squares[0] + squares[1];
    out[0] <-- 2 * product / sum;
    out[0] * sum === 2 * product;
    out[1] <-- (squares[1] - EDWARDS_A() * squares[0]) / (2 - sum);
    out[1] * (2 - sum) === squares[1] - EDWARDS_A() * squares[0];
}
