pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Lanes.circom";

// What positions or weights are worth in each scenario, four times.
//
// Proves:
//   1. out[s] = sum_m factor[m] * (4 mark[m] + 5 change[m][s]), out[scenarios] without changes.
// Assumes: factor[m] >= -2^(factorBits - 1) and < 2^(factorBits - 1); mark[m] < 2^20; changes as
//   RiskMatrix gives them. Those that slotRiskWords has encoded are below 2^20 in size, so that
//   sums over up to 2^n slots are below 2^(factorBits - 1 + 20 + n): every honest state has a
//   witness. The sum of marks is a lane more, which costs less than a product for each slot.
// Twin: sequencer/engine/risk.ts (scenarioValues, bookRisk)
template RiskSums(slots, scenarios, factorBits) {
    assert(MARK_BITS() < CHANGE_BITS());
    var perWord = CHANGE_LANES_PER_WORD();
    signal input factor[slots];
    signal input mark[slots];
    signal input changes[slots][LaneWords(scenarios)];
    signal output out[scenarios + 1];

    var bits = factorBits + CHANGE_BITS() - 1;
    while ((1 << (bits - factorBits - CHANGE_BITS() + 1)) < slots) {
        bits++;
    }
    component sum = LaneSums(slots, scenarios + 1, bits);
    sum.factor <== factor;
    for (var m = 0; m < slots; m++) {
        for (var w = 0; w < LaneWords(scenarios + 1); w++) {
            var word = 0;
            if (w < LaneWords(scenarios)) {
                word += changes[m][w];
            }
            if (w == scenarios \ perWord) {
                word += mark[m] * (1 << (CHANGE_LANE_BITS() * (scenarios % perWord)));
            }
            sum.words[m][w] <== word;
        }
    }
    out[scenarios] <== MARGIN_VALUE_FACTOR() * sum.out[scenarios];
    for (var s = 0; s < scenarios; s++) {
        out[s] <== out[scenarios] + MARGIN_INITIAL_FACTOR() * sum.out[s];
    }
}
