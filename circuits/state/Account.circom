pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/HashVector.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../gadgets/Unpack.circom";
include "RiskSums.circom";

// The ledger leaf of an account.
//
// Proves: leaf = hashVector(owner, cash + 2^52, packed positions), cash within range.
// Assumes: every position lies within 23 bits (PositionsInRange), or follows from one that does
//   (PositionsBought): no others then have the same words.
// Twin: sequencer/protocol/state.ts (accountWords)
template AccountLeaf(slots) {
    var words = (slots + POSITIONS_PER_WORD() - 1) \ POSITIONS_PER_WORD();
    signal input owner;
    signal input cash;
    signal input positions[slots];
    signal output leaf;

    component hash = HashVector(2 + words);
    hash.in[0] <== owner;
    hash.in[1] <== cash + CASH_OFFSET();
    InRange(CASH_BITS())(cash + CASH_OFFSET());
    component packed = PackMany(slots, POSITION_STRIDE_BITS(), POSITIONS_PER_WORD());
    for (var m = 0; m < slots; m++) {
        packed.in[m] <== positions[m] + POSITION_OFFSET();
    }
    for (var w = 0; w < words; w++) {
        hash.in[2 + w] <== packed.out[w];
    }
    leaf <== hash.out;
}

// Proves: -2^22 <= positions[m] < 2^22.
// Assumes: nothing.
template PositionsInRange(slots) {
    signal input positions[slots];
    for (var m = 0; m < slots; m++) {
        InRange(POSITION_BITS())(positions[m] + POSITION_OFFSET());
    }
}

// An account before a batch.
//
// Proves:
//   1. leaf as AccountLeaf says.
//   2. headroom[s] = 4 cash + unit * sum_m position[m] * (4 mark[m] + 5 change[m][s]),
//      headroom[scenarios] without changes (RiskSums).
// Assumes: as AccountLeaf; mark and changes as RiskMatrix gives them.
// Twin: sequencer/protocol/state.ts (accountWords), sequencer/engine/risk.ts (scenarioValues)
template AccountOpened(slots, scenarios, unit) {
    signal input owner;
    signal input cash;
    signal input positions[slots];
    signal input mark[slots];
    signal input changes[slots][LaneWords(scenarios)];
    signal output leaf;
    signal output headroom[scenarios + 1];

    leaf <== AccountLeaf(slots)(owner, cash, positions);
    component value = RiskSums(slots, scenarios, POSITION_BITS());
    value.factor <== positions;
    value.mark <== mark;
    value.changes <== changes;
    for (var s = 0; s <= scenarios; s++) {
        headroom[s] <== MARGIN_VALUE_FACTOR() * cash + unit * value.out[s];
    }
}

// What an account buys in a trade batch, slot by slot.
//
// Proves:
//   1. bought[m] = sum over books of net * weight of slot m.
//   2. Positions before the batch need no range: where those after it, positions before + bought,
//      are in range (AccountClosed), only one choice of positions before has the words of its leaf.
// Assumes: weights between -8 and 7 (Weights); the sum over books of |net| is below fills * 2^23:
//   a fill moves fewer than 2^22 lots of an account, all in one book (TestedLots), and what an
//   aborted order takes back was moved once (ApplyFill). The leaf before was written with
//   positions in range.
//
// Why 2: let p be the positions before that the prover gives, q those with which the leaf was
// written, d = p - q. As p = after - bought, |d_m| < 2^23 + 8 * fills * 2^23 < 2^36 as an integer:
// the last step is asserted below. Words are equal, so that in each of them sum_i d_i 2^(36 i) = 0
// modulo r. In size this sum of 7 terms is below 2^36 (1 + 2^36 + ... + 2^216) < 2^253 < r, so that
// it is 0 as an integer. Were some d_i not 0, the lowest of them would be a multiple of 2^36, which
// |d_i| < 2^36 forbids. The offset 2^22 stands in both words and cancels.
template PositionsBought(slots, books, fills) {
    assert(POSITION_STRIDE_BITS() * POSITIONS_PER_WORD() <= 252);
    assert((1 << POSITION_BITS()) + WEIGHT_OFFSET() * fills * (1 << (LOTS_BITS() + 1))
        < (1 << POSITION_STRIDE_BITS()));
    signal input net[books];
    signal input weights[books][slots];
    signal output bought[slots];

    component sum[slots];
    for (var m = 0; m < slots; m++) {
        sum[m] = Dot(books);
        sum[m].a <== net;
        for (var b = 0; b < books; b++) {
            sum[m].b[b] <== weights[b][m];
        }
        bought[m] <== sum[m].out;
    }
}

// Headrooms in whole lot ticks (`unit` each, in 1e-6 USDC), rounded down. What a fill moves is
// whole lot ticks, so that the part that is rounded off, c, is the same for the whole batch.
//
// Proves:
//   1. out[s] = floor(headroom[s] / unit), excess = floor(5 c) with c = headroom[s] / unit
//      - out[s].
// Assumes: cash is in range; headroom[s] = 4 cash + unit * an integer (AccountOpened). A unit of at
//   least 64 keeps what is tested below 2^55 in size (HEALTH_LOT_TICKS_BITS).
// Twin: sequencer/engine/risk.ts (cashQuotient, wholeUnits)
template HeadroomLotTicks(scenarios, unit) {
    assert(unit >= 64);
    assert(unit < (1 << 32));
    signal input cash;
    signal input headroom[scenarios + 1];
    signal output out[scenarios + 1];
    signal output excess;

    var bits = 1;
    while ((1 << bits) < unit) {
        bits++;
    }
    // Whole units that keep dividend and quotient from falling below 0.
    var shift = (MARGIN_VALUE_FACTOR() * CASH_OFFSET()) \ unit + 1;
    var quotientBits = 1;
    while ((1 << quotientBits) < 2 * shift) {
        quotientBits++;
    }
    signal dividend <== MARGIN_VALUE_FACTOR() * cash + shift * unit;
    // Pinned by its range and its remainder's: 4 cash = unit * quotient + remainder.
    signal quotient;
    quotient <-- dividend \ unit;
    signal remainder <== dividend - unit * quotient;
    InRange(quotientBits)(quotient);
    InRange(bits)(remainder);
    InRange(bits)(unit - 1 - remainder);
    for (var s = 0; s <= scenarios; s++) {
        out[s] <== (headroom[s] - remainder) / unit;
    }
    // Pinned likewise.
    excess <-- (5 * remainder) \ unit;
    signal rest <== 5 * remainder - unit * excess;
    InRange(3)(excess);
    InRange(bits)(rest);
    InRange(bits)(unit - 1 - rest);
}

// An account after a batch.
//
// Proves: leaf as AccountLeaf says; cash and every position within range.
// Assumes: nothing.
// Twin: sequencer/protocol/state.ts (accountWords)
template AccountClosed(slots) {
    signal input owner;
    signal input cash;
    signal input positions[slots];
    signal output leaf;

    PositionsInRange(slots)(positions);
    leaf <== AccountLeaf(slots)(owner, cash, positions);
}
