pragma circom 2.2.0;

// One-hot choice of the place at which `ids` holds `target`.
//
// Proves:
//   1. Every out[i] is 0 or 1, and they sum to `enabled`.
//   2. Where out[i] = 1, ids[i] = target.
// Assumes: enabled is 0 or 1; ids are distinct (else the choice among equals is free).
// Twin: none (a look-up)
template SelectById(n) {
    signal input ids[n];
    signal input target;
    signal input enabled;
    signal output out[n];

    var sum = 0;
    for (var i = 0; i < n; i++) {
        // Pinned by the three constraints below.
        out[i] <-- (enabled == 1 && ids[i] == target) ? 1 : 0;
        out[i] * (out[i] - 1) === 0;
        out[i] * (ids[i] - target) === 0;
        sum += out[i];
    }
    sum === enabled;
}

// One-hot vector of an index: out[index] = enabled, all others 0.
// Proves: as SelectById with ids 0..n-1; index < n where enabled.
template SelectByIndex(n) {
    signal input index;
    signal input enabled;
    signal output out[n];
    component select = SelectById(n);
    for (var i = 0; i < n; i++) {
        select.ids[i] <== i;
    }
    select.target <== index;
    select.enabled <== enabled;
    out <== select.out;
}

// Proves: out[j] = rows[i][j] of the row that is chosen, 0 if none is.
// Assumes: chosen is one-hot or zero.
template SelectRow(n, width) {
    signal input chosen[n];
    signal input rows[n][width];
    signal output out[width];
    component column[width];
    for (var j = 0; j < width; j++) {
        column[j] = Dot(n);
        for (var i = 0; i < n; i++) {
            column[j].a[i] <== chosen[i];
            column[j].b[i] <== rows[i][j];
        }
        out[j] <== column[j].out;
    }
}

// Proves: out = sum of a[i] * b[i].
template Dot(n) {
    signal input a[n];
    signal input b[n];
    signal output out;
    signal products[n];
    var sum = 0;
    for (var i = 0; i < n; i++) {
        products[i] <== a[i] * b[i];
        sum += products[i];
    }
    out <== sum;
}
