pragma circom 2.2.0;

include "../gadgets/Select.circom";

// Proves: out is one-hot: out[2 b + isAsk] = 1 of the chosen book b, out[0] = 1 if none is.
// Assumes: isBook is one-hot or zero; isAsk is 0 or 1.
template ChosenSide(books) {
    signal input isBook[books];
    signal input isAsk;
    signal output out[2 * books];
    signal isAskOf[books];
    var isNone = 1;
    for (var b = 0; b < books; b++) {
        isNone -= isBook[b];
    }
    for (var b = 0; b < books; b++) {
        isAskOf[b] <== isBook[b] * isAsk;
        out[2 * b + 1] <== isAskOf[b];
        out[2 * b] <== isBook[b] - isAskOf[b] + isNone;
        isNone = 0;
    }
}

// Proves: out = the first entry of the side against which an order trades (0 without a book).
// Assumes: isBook is one-hot or zero; isSell is 0 or 1.
template OppositeTop(books, depth) {
    signal input sides[books][2][depth];
    signal input isBook[books];
    signal input isSell;
    signal output out;
    component bid = Dot(books);
    component ask = Dot(books);
    for (var b = 0; b < books; b++) {
        bid.a[b] <== isBook[b];
        bid.b[b] <== sides[b][0][0];
        ask.a[b] <== isBook[b];
        ask.b[b] <== sides[b][1][0];
    }
    out <== ask.out + isSell * (bid.out - ask.out);
}
