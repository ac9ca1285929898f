/**
 * The rollup as a Hardhat Ignition module: deployments that resume where they stopped. Verifiers
 * are given by address; `npm run deploy` deploys them as well.
 *
 * `npx hardhat ignition deploy contracts/ignition/Straddle.ts --parameters <file> --network <n>`
 */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

const DAY_SECONDS = 86_400n;

export default buildModule("Straddle", (module) => {
  const rollup = module.contract("Rollup", [
    {
      token: module.getParameter("token"),
      tradeVerifier: module.getParameter("tradeVerifier"),
      ledgerVerifier: module.getParameter("ledgerVerifier"),
      exitVerifier: module.getParameter("exitVerifier"),
      genesisRoot: module.getParameter("genesisRoot"),
      oracleSetHash: module.getParameter("oracleSetHash"),
      operator: module.getParameter("operator"),
      treasury: module.getParameter("treasury"),
      insurance: module.getParameter("insurance"),
      sizes: {
        slots: module.getParameter("slots"),
        tradeFills: module.getParameter("tradeFills"),
        ledgerSteps: module.getParameter("ledgerSteps"),
        accountLevels: module.getParameter("accountLevels"),
      },
      forcedDeadline: module.getParameter("forcedDeadline", 7n * DAY_SECONDS),
      claimWindow: module.getParameter("claimWindow", 28n * DAY_SECONDS),
      minimumDeposit: module.getParameter("minimumDeposit", 1n),
      governance: module.getParameter("governance", "0x0000000000000000000000000000000000000000"),
      validators: {
        candidates: module.getParameter("candidates", []),
        stake: module.getParameter("validatorStake", 10_000_000_000n),
        evidenceWindow: module.getParameter("evidenceWindow", 14n * DAY_SECONDS),
        unbondingDelay: module.getParameter("unbondingDelay", 21n * DAY_SECONDS),
      },
    },
  ]);
  const vaultAddress = module.staticCall(rollup, "vault");
  const vault = module.contractAt("CollateralVault", vaultAddress);
  return { rollup, vault };
});
