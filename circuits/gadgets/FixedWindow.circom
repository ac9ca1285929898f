pragma circom 2.2.0;

include "Range.circom";

// The coefficients of 1, e, f and e * f in the function of two bits e, f that takes these values
// at (0, 0), (1, 0), (0, 1), (1, 1).
function ofTwoBits(values) {
    return [
        values[0],
        values[1] - values[0],
        values[2] - values[0],
        values[3] - values[2] - values[1] + values[0]
    ];
}

// One of the odd multiples -7 to 7 of a constant point: points = 1, 3, 5 and 7 times it.
//
// Proves: digit is odd, -7 <= digit <= 7, and out = digit times the point, in Montgomery form.
// Assumes: nothing. Sign and size are two bits and a root: v is one of the two roots of v^2,
//   which the bits choose among four, and digit = v * (size / v of that size) has the same sign.
// Twin: none (digits of a scalar)
template FixedWindow(points) {
    signal input digit;
    signal output out[2];
    var us[4];
    var squares[4];
    var ratios[4];
    for (var i = 0; i < 4; i++) {
        us[i] = points[i][0];
        squares[i] = points[i][1] * points[i][1];
        ratios[i] = (2 * i + 1) / points[i][1];
    }
    var half = ((digit < 0 ? 0 - digit : digit) - 1) / 2;
    signal isOdd;
    signal isHigh;
    signal root;
    isOdd <-- half & 1;
    isHigh <-- (half >> 1) & 1;
    root <-- digit < 0 ? 0 - points[half & 3][1] : points[half & 3][1];

    IsBoolean()(isOdd);
    IsBoolean()(isHigh);
    signal isBoth <== isOdd * isHigh;
    var u[4] = ofTwoBits(us);
    var square[4] = ofTwoBits(squares);
    var ratio[4] = ofTwoBits(ratios);
    root * root === square[0] + square[1] * isOdd + square[2] * isHigh + square[3] * isBoth;
    digit === root * (ratio[0] + ratio[1] * isOdd + ratio[2] * isHigh + ratio[3] * isBoth);
    out[0] <== u[0] + u[1] * isOdd + u[2] * isHigh + u[3] * isBoth;
    out[1] <== root;
}
