// Compiles USDC.sol and prints its artifact: `npm run --silent contracts > src/tollbrush/devnet/contracts/USDC.json`.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const solc = require("solc");

const input = {
  language: "Solidity",
  sources: { "USDC.sol": { content: readFileSync(join(__dirname, "USDC.sol"), "utf8") } },
  settings: {
    optimizer: { enabled: true, runs: 200 },
    evmVersion: "shanghai",
    viaIR: true,
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { USDC: ["abi", "evm.deployedBytecode.object"] } },
  },
};

const output = JSON.parse(solc.compile(JSON.stringify(input)));
if (output.errors) {
  console.error(output.errors.map((e) => e.formattedMessage).join("\n"));
  process.exit(1);
}
const { abi, evm } = output.contracts["USDC.sol"].USDC;
console.log(JSON.stringify({ compiler: solc.version(), runtime: "0x" + evm.deployedBytecode.object, abi }, null, 1));
