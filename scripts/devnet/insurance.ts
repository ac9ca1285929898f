/** The insurance fund of a devnet: test tokens that its own development account deposits. */
import { http } from "viem";
import { createOwner } from "../../sequencer/client/l1.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import { localChain } from "./localChain.ts";
import { CHAIN_ID, type Network } from "./network.ts";
import { ACCOUNTS } from "./nodeConfigs.ts";

/** 1e-6 USDC. */
export const INSURANCE_DEPOSIT = 1_000_000_000_000;

/** The sequencer credits it with its next ledger batch. */
export async function fundInsurance({ rpcUrl, deployment }: Network): Promise<void> {
  const owner = createOwner({
    transport: http(rpcUrl),
    chain: localChain(rpcUrl),
    account: developmentAccount(ACCOUNTS.insurance, CHAIN_ID),
    rollup: deployment.rollup,
  });
  await owner.mint(INSURANCE_DEPOSIT);
  await owner.deposit({ amount: INSURANCE_DEPOSIT });
}
