pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/HashVector.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../gadgets/Unpack.circom";
include "RiskSums.circom";

// The ledger leaf of an account, opened.
//
// Proves:
//   1. leaf = hashVector(owner, cash + 2^52, packed positions), cash and positions within range.
//   2. headroom[s] = 4 cash + unit * sum_m position[m] * (4 mark[m] + 5 change[m][s]),
//      headroom[scenarios] without changes (RiskSums).
// Assumes: nothing of cash and positions: they are decomposed here; mark and changes as RiskMatrix
//   gives them.
// Twin: sequencer/protocol/state.ts (accountWords), sequencer/engine/risk.ts (scenarioValues)
template AccountOpened(slots, scenarios, unit) {
    var words = (slots + POSITIONS_PER_WORD() - 1) \ POSITIONS_PER_WORD();
    signal input owner;
    signal input cash;
    signal input packedPositions[words];
    signal input mark[slots];
    signal input changes[slots][LaneWords(scenarios)];
    signal output leaf;
    signal output positions[slots];
    signal output headroom[scenarios + 1];

    component hash = HashVector(2 + words);
    hash.in[0] <== owner;
    hash.in[1] <== cash + CASH_OFFSET();
    InRange(CASH_BITS())(cash + CASH_OFFSET());
    component unpacked = UnpackMany(slots, POSITION_BITS(), POSITIONS_PER_WORD());
    for (var w = 0; w < words; w++) {
        hash.in[2 + w] <== packedPositions[w];
        unpacked.in[w] <== packedPositions[w];
    }
    leaf <== hash.out;
    for (var m = 0; m < slots; m++) {
        positions[m] <== unpacked.out[m] - POSITION_OFFSET();
    }
    component value = RiskSums(slots, scenarios, POSITION_BITS());
    value.factor <== positions;
    value.mark <== mark;
    value.changes <== changes;
    for (var s = 0; s <= scenarios; s++) {
        headroom[s] <== MARGIN_VALUE_FACTOR() * cash + unit * value.out[s];
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

// The leaf of an account after a batch.
//
// Proves: leaf as above; cash and every position within range.
// Assumes: nothing.
template AccountClosed(slots) {
    var words = (slots + POSITIONS_PER_WORD() - 1) \ POSITIONS_PER_WORD();
    signal input owner;
    signal input cash;
    signal input positions[slots];
    signal output leaf;

    component hash = HashVector(2 + words);
    hash.in[0] <== owner;
    hash.in[1] <== cash + CASH_OFFSET();
    InRange(CASH_BITS())(cash + CASH_OFFSET());
    component packed = PackMany(slots, POSITION_BITS(), POSITIONS_PER_WORD());
    for (var m = 0; m < slots; m++) {
        InRange(POSITION_BITS())(positions[m] + POSITION_OFFSET());
        packed.in[m] <== positions[m] + POSITION_OFFSET();
    }
    for (var w = 0; w < words; w++) {
        hash.in[2 + w] <== packed.out[w];
    }
    leaf <== hash.out;
}
