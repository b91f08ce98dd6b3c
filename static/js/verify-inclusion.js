// Verifies an act in the reader's own browser: the key, the checkpoint's signature, the way from the
// leaf's bytes to the signed root, and that today's tree continues the one this browser saw before.
// Web Crypto and no other code. Formats: c2sp.org/tlog-proof, signed-note, tlog-tiles; RFC 9162.

const LOG_KEY = 1;
const WIDTH = 256;
const text = new TextEncoder();

/** What is said of a step: a text with gaps in braces and what fills them, so that a page can translate it. */
export const filled = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** What a step throws when it does not hold; its words are shown. */
class Fails extends Error {
  constructor(words, values = {}) {
    super(filled(words, values));
    this.said = [words, values];
  }
}

const need = (holds, words, values) => {
  if (!holds) throw new Fails(words, values);
};

const joined = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const same = (a, b) => a.length === b.length && a.every((byte, n) => byte === b[n]);
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
const leafHash = (leaf) => sha256(Uint8Array.of(0), leaf);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));

const fromBase64 = (spelled) => {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(spelled), (letter) => letter.charCodeAt(0));
  } catch {
    throw new Fails("A part of it is not base64.");
  }
  need(toBase64(bytes) === spelled, "A part of it is not the usual spelling of its bytes.");
  return bytes;
};

const fromDecimal = (spelled) => {
  need(/^(0|[1-9][0-9]{0,14})$/.test(spelled), "A number in it is not a plain decimal.");
  return Number(spelled);
};

/** Reads a verifier key, NAME+ID+base64, and recomputes its id. */
const parseKey = async (vkey) => {
  const [name, id, ...rest] = vkey.trim().split("+");
  const material = fromBase64(rest.join("+"));
  need(material.length === 33 && material[0] === LOG_KEY, "The key is not an Ed25519 key of a log.");
  const found = (await sha256(text.encode(`${name}\n`), material)).slice(0, 4);
  need(hex(found) === id, "The key does not fit its own id.");
  return { name, id: found, vkey: vkey.trim(), raw: material.slice(1) };
};

/** Reads a signed checkpoint; nothing is verified yet. */
const parseCheckpoint = (note) => {
  const end = note.lastIndexOf("\n\n");
  need(end > 0 && note.endsWith("\n"), "The checkpoint has no signatures after a blank line.");
  const body = note.slice(0, end + 1);
  const [origin, size, root] = body.split("\n");
  const signatures = note.slice(end + 2, -1).split("\n").map((line) => {
    const [dash, name, blob, ...more] = line.split(" ");
    need(dash === "\u2014" && blob && !more.length, "A signature line is malformed.");
    const bytes = fromBase64(blob);
    return { name, id: bytes.slice(0, 4), value: bytes.slice(4) };
  });
  const head = { origin, size: fromDecimal(size), root: fromBase64(root), body, signatures };
  need(head.root.length === 32, "The root is not 32 bytes.");
  return head;
};

const parseReceipt = (receipt) => {
  const split = receipt.indexOf("\n\n");
  const lines = receipt.slice(0, split).split("\n");
  need(lines[0] === "c2sp.org/tlog-proof@v1", "The text is not a receipt.");
  need((lines[1] ?? "").startsWith("index "), "The receipt names no index.");
  const hashes = lines.slice(2).map(fromBase64);
  need(hashes.every((hash) => hash.length === 32), "A hash of the receipt is not 32 bytes.");
  return { index: fromDecimal(lines[1].slice(6)), hashes, note: receipt.slice(split + 2) };
};

/** Ed25519 over the checkpoint's text, by a key whose name is the log's. */
const verifySignature = async (head, key) => {
  const names = { origin: head.origin, name: key.name };
  need(key.name === head.origin, "The checkpoint is of {origin}, the key of {name}.", names);
  const mine = head.signatures.filter((each) => each.name === key.name && same(each.id, key.id));
  need(mine.length > 0, "The checkpoint is not signed by this log's key.");
  const usable = await crypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, ["verify"]);
  for (const each of mine) {
    const holds = await crypto.subtle.verify({ name: "Ed25519" }, usable, each.value, text.encode(head.body));
    need(holds, "The signature of the checkpoint is wrong.");
  }
};

/** RFC 9162, 2.1.3.2: the hashes lead from the leaf at this index to the root. */
const verifyInclusion = async (index, size, leaf, proof, root) => {
  need(index < size, "There is no act {index} among {size}.", { index, size });
  let [fn, sn, result] = [index, size - 1, leaf];
  for (const each of proof) {
    need(sn > 0, "The receipt has too many hashes.");
    if (fn % 2 === 1 || fn === sn) {
      result = await nodeHash(each, result);
      while (fn > 0 && fn % 2 === 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else {
      result = await nodeHash(result, each);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  need(sn === 0, "The receipt has too few hashes.");
  need(same(result, root), "The leaf's bytes do not lead to the signed root.");
};

const tilePath = (level, index, width) => {
  const groups = [String(index % 1000).padStart(3, "0")];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  }
  return `tile/${level}/${groups.join("/")}${width === WIDTH ? "" : `.p/${width}`}`;
};

/** Reads the hashes of perfect subtrees out of tiles of the tree of `size`. */
const treeReader = (log, size) => {
  const kept = new Map();
  const tile = async (level, index) => {
    const width = Math.min(WIDTH, Math.floor(size / WIDTH ** level) - index * WIDTH);
    const path = tilePath(level, index, width);
    if (!kept.has(path)) {
      const answer = await fetch(`${log}/${path}`);
      need(answer.ok, "The log does not answer {path}.", { path });
      kept.set(path, new Uint8Array(await answer.arrayBuffer()));
    }
    need(kept.get(path).length === width * 32, "{path} has another length than it should.", { path });
    return kept.get(path);
  };
  return async (level, index) => {
    const height = level % 8;
    const first = index * 2 ** height;
    const data = await tile(Math.floor(level / 8), Math.floor(first / WIDTH));
    let row = Array.from({ length: 2 ** height }, (_, n) => {
      const at = ((first % WIDTH) + n) * 32;
      return data.slice(at, at + 32);
    });
    while (row.length > 1) {
      row = await Promise.all(row.filter((_, n) => n % 2 === 0).map((left, n) => nodeHash(left, row[2 * n + 1])));
    }
    return row[0];
  };
};

/** The root of the first `size` acts, from tiles that also give the root of a larger tree. */
const rootOf = async (size, read) => {
  if (size === 0) return sha256();
  const nodes = [];
  for (let start = 0; start < size; ) {
    const level = Math.floor(Math.log2(size - start));
    nodes.push(await read(level, start / 2 ** level));
    start += 2 ** level;
  }
  return nodes.reduceRight(async (right, left) => nodeHash(left, await right));
};

/** Whether today's tiles give both roots: then the tree of today begins with the earlier one. */
const verifyContinues = async (earlier, today, log) => {
  const sizes = { before: earlier.size, now: today.size };
  need(earlier.size <= today.size, "The log had {before} acts and now shows {now}.", sizes);
  const read = treeReader(log, today.size);
  need(same(await rootOf(today.size, read), today.root), "The tiles do not give today's signed root.");
  need(same(await rootOf(earlier.size, read), earlier.root), "An act before it was changed since.");
};

const fetched = async (address, how) => {
  const answer = await fetch(address, { cache: "no-store" });
  need(answer.ok, "{address} is not answered.", { address });
  return answer[how]();
};

/** The key first seen stays the key: another one must be explained by the log itself. */
const trustedKeys = async (log, memory) => {
  const vkeys = (await fetched(`${log}/vkeys`, "text")).trim().split("\n");
  const pinned = memory.getItem(`log-key ${log}`);
  need(!pinned || vkeys.includes(pinned), "The log has another key than when this browser first saw it.");
  memory.setItem(`log-key ${log}`, pinned ?? vkeys[0]);
  return { keys: await Promise.all(vkeys.map(parseKey)), isKnown: Boolean(pinned) };
};

const signedByOne = async (head, keys) => {
  let reason = new Fails("The log has no key.");
  for (const key of keys) {
    try {
      await verifySignature(head, key);
      return key;
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
};

/** Runs each step in turn and tells `show` how it ended: title, whether it holds, why, and what fills the why. */
export const verifyAct = async ({ log, receiptText, leafAddress, memory }, show) => {
  const found = {};
  const steps = [
    ["The leaf's bytes were read and hashed here", async () => {
      found.leaf = await leafHash(new Uint8Array(await fetched(leafAddress, "arrayBuffer")));
      return ["SHA-256 over a zero byte and the leaf: {hash}.", { hash: hex(found.leaf) }];
    }],
    ["The log's key", async () => {
      const trusted = await trustedKeys(log, memory);
      found.keys = trusted.keys;
      const first = "This browser keeps it from now on; compare it with one you have from elsewhere.";
      return [trusted.isKnown ? "The same as when this browser first saw it." : first];
    }],
    ["The signature of the checkpoint", async () => {
      found.receipt = parseReceipt(receiptText);
      found.head = parseCheckpoint(found.receipt.note);
      const key = await signedByOne(found.head, found.keys);
      const signed = "{name} signed a tree of {size} acts. Lines of other keys were not checked.";
      return [signed, { name: key.name, size: found.head.size }];
    }],
    ["The way from the leaf to the signed root", async () => {
      const { index, hashes } = found.receipt;
      await verifyInclusion(index, found.head.size, found.leaf, hashes, found.head.root);
      return ["{hashes} hashes lead from act {index} to the root.", { hashes: hashes.length, index }];
    }],
    ["Nothing before it was changed since", async () => {
      found.today = parseCheckpoint(await fetched(`${log}/checkpoint`, "text"));
      await signedByOne(found.today, found.keys);
      await verifyContinues(found.head, found.today, log);
      const kept = JSON.parse(memory.getItem(`log-head ${log}`) ?? "null");
      if (kept) await verifyContinues({ size: kept.size, root: fromBase64(kept.root) }, found.today, log);
      const { size, root } = found.today;
      memory.setItem(`log-head ${log}`, JSON.stringify({ size, root: toBase64(root) }));
      const words = kept
        ? "Today's {size} acts begin with the {receipt} of this receipt, and the {seen} that this browser saw last."
        : "Today's {size} acts begin with the {receipt} of this receipt.";
      return [words, { size, receipt: found.head.size, seen: kept?.size }];
    }],
  ];
  for (const [title, step] of steps) {
    try {
      show(title, true, ...(await step()));
    } catch (error) {
      const [words, values] = error.said ?? ["This browser cannot check it: {why}", { why: error.message }];
      show(title, false, words, values);
      return false;
    }
  }
  return true;
};
