import { createRequire } from "node:module";
import hardhatToolboxViem from "@nomicfoundation/hardhat-toolbox-viem";
import { defineConfig } from "hardhat/config";

// The compiler is the npm package, named by path: Hardhat then never downloads one.
// `version` must be the version of the installed `solc` package.
const require = createRequire(import.meta.url);
const solc = { version: "0.8.37", path: require.resolve("solc/soljson.js") } as const;

export default defineConfig({
  plugins: [hardhatToolboxViem],
  paths: {
    sources: "./contracts",
    ignition: "./contracts/ignition",
    tests: { nodejs: "./test/contracts", solidity: "./test/contracts" },
  },
  solidity: {
    profiles: {
      default: {
        ...solc,
        settings: { evmVersion: "cancun", optimizer: { enabled: true, runs: 200 } },
      },
      production: {
        ...solc,
        isolated: true,
        settings: {
          evmVersion: "cancun",
          viaIR: true,
          optimizer: { enabled: true, runs: 10_000 },
        },
      },
    },
    npmFilesToBuild: ["@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol"],
  },
  networks: {
    default: { type: "edr-simulated", chainType: "l1", chainId: 31337, hardfork: "osaka" },
    devnet: { type: "http", chainType: "l1", url: "http://127.0.0.1:8545" },
  },
  test: {
    solidity: {
      fuzz: { runs: 500 },
      invariant: { runs: 256, depth: 128, failOnRevert: false },
    },
  },
});
