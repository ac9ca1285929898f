pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";

// When and how far an account may be liquidated: L1 to L4 of SPEC section 6, in one scenario s.
// With H the account's headrooms and R the book's rates,
//   20 maintenance_s = 4 H_s + H_S,   20 (mark + change) = 4 R_s + R_S,
//   5 (4 mark + change) = R_s + 4 R_S.
// In lot ticks H_s = headroom_s + c with 0 <= c < 1, the same c for every s, and excess =
// floor(5 c): 20 maintenance_s is 4 headroom_s + headroom_S + 5 c, so that it is negative exactly
// if 4 headroom_s + headroom_S + excess is, and H_s + x of a whole x exactly if headroom_s + x is.
//
// Proves (where enabled):
//   1. L1: maintenance_s < 0.
//   2. L2: direction * (4 mark + change - 4 price) > 0.
//   3. L3: g = direction * (mark + change - price) > takerRate.
//   4. L4: h = direction * (R_s - 4 price) > 0 and H_s + (lots - 1) * h < 0.
//   5. s is one of the scenarios 0..S.
//   6. maintenance = 4 headroom_s + headroom_S; 0 where not enabled.
// Assumes: enabled is 0 or 1; direction is 1 or -1; 1 <= lots < 2^22; headrooms below 2^55 and
//   rates below 2^34 in size; takerRate at least 0; headroom and excess are HeadroomLotTicks'.
// Twin: sequencer/engine/transactions/liquidate.ts (checkLiquidation)
template Liquidation(scenarios) {
    signal input enabled;
    signal input scenario;
    signal input headroom[scenarios + 1];
    signal input excess;
    signal input rates[scenarios + 1];
    signal input price;
    signal input lots;
    signal input direction;
    signal input takerRate;
    signal output maintenance;

    signal isScenario[scenarios + 1] <== SelectByIndex(scenarios + 1)(scenario, enabled);
    signal roomAt <== Dot(scenarios + 1)(isScenario, headroom);
    signal rateAt <== Dot(scenarios + 1)(isScenario, rates);
    maintenance <== 4 * roomAt + enabled * headroom[scenarios];
    signal edge <== direction * (rateAt + 4 * rates[scenarios] - 20 * price);
    signal gain <== direction * (4 * rateAt + rates[scenarios] - 20 * price);
    signal healed <== direction * (rateAt - MARGIN_VALUE_FACTOR() * price);
    signal healedByMost <== (lots - 1) * healed;

    signal isBetter <== enabled * (edge - 1);
    InRange(40)(isBetter);
    signal improves <== enabled * (gain - 20 * takerRate - 1);
    InRange(40)(improves);
    signal belowBy <== enabled * (-excess - 1);
    InRange(HEALTH_LOT_TICKS_BITS())(belowBy - maintenance);
    signal heals <== enabled * (healed - 1);
    InRange(40)(heals);
    signal isNeeded <== enabled * (-roomAt - healedByMost - 1);
    InRange(HEALTH_LOT_TICKS_BITS() + 3)(isNeeded);
}
