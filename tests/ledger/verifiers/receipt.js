// Verifies receipts with the tlog modules of @sigstore/verify: checkpoint signature and inclusion.
// Usage: node receipt.js MODULES VKEY < JSON, a list of [receipt, leaf in base64]; one line for each.
const fs = require("fs");
const crypto = require("crypto");
const path = require("path");
const [modules, vkey] = process.argv.slice(2);
const tlog = path.join(modules, "@sigstore/verify/dist/tlog");
const { verifyCheckpoint } = require(path.join(tlog, "checkpoint.js"));
const { verifyMerkleInclusion } = require(path.join(tlog, "merkle.js"));

const [name, keyId, ...rest] = vkey.split("+");
const material = Buffer.from(rest.join("+"), "base64");
const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), material.subarray(1)]);
const publicKey = crypto.createPublicKey({ key: spki, format: "der", type: "spki" });

function verdict(receipt, leaf) {
  const split = receipt.indexOf("\n\n");
  const lines = receipt.slice(0, split).split("\n");
  const entry = {
    canonicalizedBody: Buffer.from(leaf, "base64"),
    inclusionProof: {
      logIndex: lines[1].split(" ")[1],
      hashes: lines.slice(2).map((line) => Buffer.from(line, "base64")),
      checkpoint: { envelope: receipt.slice(split + 2) },
    },
  };
  try {
    const checkpoint = verifyCheckpoint(entry, [
      { logID: Buffer.from(keyId, "hex"), baseURL: name, publicKey },
    ]);
    verifyMerkleInclusion(entry, checkpoint);
    return `accepted ${checkpoint.logSize}`;
  } catch (error) {
    return `refused: ${error.message}`.split("\n")[0];
  }
}

for (const [receipt, leaf] of JSON.parse(fs.readFileSync(0, "utf-8"))) {
  console.log(verdict(receipt, leaf));
}
