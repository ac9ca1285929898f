pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Health.circom";

// Whether the account that acts can bear the operation.
//
// Proves (room: its headrooms before; change: what the operation asks of them; cashAfter):
//   1. isTested: passes = 1 exactly if afterwards every headroom and the cash are at least 0.
//   2. isAbsorb: they are.
//   3. isTakeover: in every scenario its headroom afterwards is at least 0 or has not fallen; for
//      isInsure at least twice the cash, which is at least 0, or not fallen (T6, T7).
//   4. isRelease: it is below maintenance in no scenario.
//   5. isClose: passes = 1 exactly if what isInsure demands holds (F4).
//   6. Without any of these, passes = 0.
// Assumes: isInsure is one of isTakeover; the flags exclude each other otherwise; change is the
//   same for all s where isTested or isAbsorb, and 0 where isRelease.
// Twin: sequencer/engine/balance.ts (canPay), sequencer/engine/risk.ts (admissibility),
//   sequencer/engine/transactions/release.ts, sequencer/engine/transactions/forcedClose.ts
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
    signal output passes;

    // What must not be negative is shown as one more than it is and a change of -1, so that
    // only the sum can be exhibited.
    var isAbsolute = isTested + isAbsorb + isRelease;
    component health = Admissible(S + 2);
    health.enabled <== isAbsolute + isTakeover + isClose;
    signal maintenance[S + 1];
    signal reserve <== (isInsure + isClose) * cashAfter;
    for (var s = 0; s <= S; s++) {
        // 20 times maintenance is 4 headroom_s + headroom_S.
        maintenance[s] <== isRelease * ((MARGIN_VALUE_FACTOR() - 1) * room[s] + room[S]);
        health.headroom[s] <== room[s] + maintenance[s] - 2 * reserve + isAbsolute;
        health.change[s] <== change[s] - isAbsolute;
    }
    var countsCash = isTested + isAbsorb + isInsure + isClose;
    health.headroom[S + 1] <== countsCash * (cashAfter + 1);
    health.change[S + 1] <== -countsCash;
    (1 - isTested - isClose) * health.fails === 0;
    passes <== health.passes;
}
