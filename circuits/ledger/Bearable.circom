pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Health.circom";

// Whether the account that acts can bear the operation.
//
// Proves (room: its headrooms before; change: what the operation asks of them; cashAfter, and
// cashChange, by how much it has risen):
//   1. isTested: passes = 1 exactly if afterwards every headroom and the cash are at least 0.
//   2. isAbsorb: they are.
//   3. isTakeover: in every scenario its headroom afterwards is at least 0 or has not fallen; for
//      isInsure at least half of its equity or not fallen, where the equity is at least 0, and
//      half of it is cash, or the cash has not fallen (T6, T7).
//   4. isRelease: it is below maintenance in no scenario.
//   5. isClose: passes = 1 exactly if what isInsure demands holds (F4).
//   6. Without any of these, passes = 0.
// Assumes: isInsure is one of isTakeover; the flags exclude each other otherwise; change is the
//   same for all s where isTested or isAbsorb, and 0 where isRelease.
// Twin: sequencer/engine/balance.ts (canPay), sequencer/engine/healthChange.ts (firstInadmissible,
//   fundReject), sequencer/engine/transactions/release.ts
template Bearable(S) {
    signal input isTested;
    signal input isAbsorb;
    signal input isTakeover;
    signal input isInsure;
    signal input isRelease;
    signal input isClose;
    signal input room[S + 1];
    signal input change[S + 1];
    signal input cashAfter;
    signal input cashChange;
    signal output passes;

    // What must not be negative is shown as one more than it is and a change of -1, so that
    // only the sum can be exhibited. All sums are twice what is to be shown.
    var isAbsolute = isTested + isAbsorb + isRelease;
    var isFund = isInsure + isClose;
    component health = Admissible(S + 2, HEALTH_BITS());
    health.enabled <== isAbsolute + isTakeover + isClose;
    // Four times the fund's equity afterwards: as a headroom, that of the unchanged scenario.
    signal equity <== isFund * (room[S] + change[S]);
    signal equityChange <== (1 - isFund) * change[S];
    signal maintenance[S + 1];
    for (var s = 0; s <= S; s++) {
        // 20 times maintenance is 4 headroom_s + headroom_S.
        maintenance[s] <== isRelease * ((MARGIN_VALUE_FACTOR() - 2) * room[s] + room[S]);
        var fall = (s < S ? change[s] : equityChange - isFund) - isAbsolute;
        health.headroom[s] <== 2 * (room[s] + change[s]) + maintenance[s] - equity - fall;
        health.change[s] <== fall;
    }
    // A trader's cash, which must not be negative; the fund's less what its positions are worth.
    var isPayer = isTested + isAbsorb;
    signal cashOfPayer <== isPayer * cashAfter;
    signal cashOfFund <== isFund * cashAfter;
    signal cashFall <== isFund * cashChange;
    var cashOfBoth = cashOfPayer + 2 * MARGIN_VALUE_FACTOR() * cashOfFund - equity;
    health.headroom[S + 1] <== cashOfBoth - cashFall + isPayer;
    health.change[S + 1] <== cashFall - isPayer;
    (1 - isTested - isClose) * health.fails === 0;
    passes <== health.passes;
}
