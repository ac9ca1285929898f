pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";

// The fields of a word, lowest first.
//
// Proves:
//   1. word = sum of fields[i] * 2^(offset of i), each field within its width.
// Assumes: the widths add up to at most 253 bits, so that the bits determine the word (the
//   modulus lies above 2^253).
// Twin: sequencer/protocol/codec.ts (unpack)
template Unpack(n, widths) {
    signal input word;
    signal output fields[n];

    var total = 0;
    for (var i = 0; i < n; i++) {
        total += widths[i];
    }
    assert(total <= 253);
    component bits = Num2Bits(total);
    bits.in <== word;
    var at = 0;
    for (var i = 0; i < n; i++) {
        var field = 0;
        for (var bit = 0; bit < widths[i]; bit++) {
            field += bits.out[at] * (1 << bit);
            at++;
        }
        fields[i] <== field;
    }
}

// `count` equally wide fields, `perWord` to a word.
//
// Proves: as Unpack, for each word.
// Assumes: perWord * bits <= 253.
// Twin: sequencer/protocol/codec.ts (unpackMany)
template UnpackMany(count, bits, perWord) {
    assert(perWord * bits <= 253);
    var words = (count + perWord - 1) \ perWord;
    signal input in[words];
    signal output out[count];

    component decomposed[words];
    for (var w = 0; w < words; w++) {
        var here = count - w * perWord < perWord ? count - w * perWord : perWord;
        decomposed[w] = Num2Bits(here * bits);
        decomposed[w].in <== in[w];
        for (var i = 0; i < here; i++) {
            var field = 0;
            for (var bit = 0; bit < bits; bit++) {
                field += decomposed[w].out[i * bits + bit] * (1 << bit);
            }
            out[w * perWord + i] <== field;
        }
    }
}

// Proves: out[w] = sum of in * 2^(bits * place), the inverse of UnpackMany.
// Assumes: every input lies below 2^bits, if the words are to tell them apart by themselves.
template PackMany(count, bits, perWord) {
    var words = (count + perWord - 1) \ perWord;
    signal input in[count];
    signal output out[words];
    for (var w = 0; w < words; w++) {
        var word = 0;
        for (var i = w * perWord; i < count && i < (w + 1) * perWord; i++) {
            word += in[i] * (1 << (bits * (i - w * perWord)));
        }
        out[w] <== word;
    }
}
