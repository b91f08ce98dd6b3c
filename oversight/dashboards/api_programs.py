"""The longer programs on the page of the network API; the tests run each as it is."""

PAGES_CURL = r"""
next="$SITE/api/v1/decisions/"
while [ -n "$next" ]; do
  curl -sS --fail-with-body -D headers "$next"
  next=$(sed -n 's/^[Ll]ink: <\([^>]*\)>; rel="next".*/\1/p' headers)
done
"""

PAGES_PYTHON = """
import json
from os import environ
from urllib.request import urlopen

address = f"{environ['SITE']}/api/v1/decisions/"
while address:
    with urlopen(address) as answer:
        page = json.load(answer)
    for decision in page["results"]:
        print(decision["ref"], decision["outcome"], decision["title"])
    address = page["next"]
"""

EVALUATE_CURL = r"""
ref=$(curl -sS --fail-with-body "$SITE/api/v1/runs/" \
  -H "Authorization: Bearer $KEY" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" \
  -d "{\"suite\": \"$SUITE\", \"model_digest\": \"$DIGEST\"}" |
  sed 's/^{"ref":"\([^"]*\)".*/\1/')
if [ "${ref#run-}" = "$ref" ]; then echo "$ref" >&2; false; else
  until curl -sS --fail-with-body "$SITE/api/v1/runs/$ref/" -o run.json &&
    grep -qE '^\{"ref":"[^"]*","state":"(succeeded|failed|cancelled)"' run.json
  do sleep 2; done
  cat run.json
fi
"""

EVALUATE_PYTHON = """
import json
from os import environ
from time import sleep
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

runs = f"{environ['SITE']}/api/v1/runs/"
headers = {
    "Authorization": f"Bearer {environ['KEY']}",
    "Content-Type": "application/json",
    "Idempotency-Key": str(uuid4()),
}
body = json.dumps({"suite": environ["SUITE"], "model_digest": environ["DIGEST"]}).encode()
try:
    with urlopen(Request(runs, body, headers)) as answer:
        run = json.load(answer)
except HTTPError as refused:
    raise SystemExit(refused.read().decode()) from None
while run["state"] in ("queued", "running"):
    sleep(2)
    with urlopen(f"{runs}{run['ref']}/") as answer:
        run = json.load(answer)
print(run["ref"], run["state"], run["reason"])
for task in run["tasks"]:
    for found in task["aggregates"]:
        about = found["group"] or "all"
        print(task["task_name"], found["metric"], about, found["mean"], *found["interval"])
"""

RECEIPT_CURL = r"""
curl -sS --fail-with-body "$SITE/log/proof/$INDEX" -o receipt.txt
curl -sS --fail-with-body "$SITE/log/vkey" -o vkey
sed '1,/^$/d' receipt.txt > checkpoint
sed '/^$/,$d' checkpoint > signed
cut -d+ -f3- vkey | base64 -d | tail -c 32 > key
{ printf '\060\052\060\005\006\003\053\145\160\003\041\000'; cat key; } > key.der
grep "^— $(cut -d+ -f1 vkey) " checkpoint | head -n 1 |
  cut -d ' ' -f 3 | base64 -d | tail -c +5 > signature
openssl pkeyutl -verify -rawin -in signed -sigfile signature \
  -pubin -keyform DER -inkey key.der
"""

RECEIPT_PYTHON = r"""
from base64 import b64decode, b64encode
from hashlib import sha256
from os import environ
from urllib.request import urlopen


def fetched(address):
    with urlopen(environ["SITE"] + address) as answer:
        return answer.read()


def joined(left, right):
    return sha256(b"\x01" + left + right).digest()


leaf = fetched(f"/record/{environ['INDEX']}/leaf.json")
head, checkpoint = fetched(f"/log/proof/{environ['INDEX']}").decode().split("\n\n", 1)
_, index, *path = head.split("\n")
origin, size, root = checkpoint.split("\n")[:3]
node = sha256(b"\x00" + leaf).digest()
fn, sn = int(index.removeprefix("index ")), int(size) - 1
for step in map(b64decode, path):
    if fn % 2 or fn == sn:
        node = joined(step, node)
        while fn % 2 == 0 and fn:
            fn, sn = fn // 2, sn // 2
    else:
        node = joined(node, step)
    fn, sn = fn // 2, sn // 2
if sn or b64encode(node).decode() != root:
    raise SystemExit("THE ROOTS DIFFER")
print("The act with", index, "is one of the", size, "on the record of", origin)
"""

WEBHOOK_CURL = r"""
key=$(printf %s "${SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
right=$({ printf '%s.%s.' "$WEBHOOK_ID" "$WEBHOOK_TIMESTAMP"; cat message.json; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
case " $WEBHOOK_SIGNATURE " in
  *" v1,$right "*) echo "Whoever sent it has the secret." ;;
  *) echo "DO NOT TRUST IT"; exit 1 ;;
esac
test $(($(date +%s) - WEBHOOK_TIMESTAMP)) -lt 300
"""

WEBHOOK_PYTHON = """
import hmac
import time
from base64 import b64decode, b64encode
from os import environ

key = b64decode(environ["SECRET"].removeprefix("whsec_"))
sent_at = environ["WEBHOOK_TIMESTAMP"]
with open("message.json", "rb") as file:
    body = file.read()
signed = f"{environ['WEBHOOK_ID']}.{sent_at}.".encode() + body
right = b64encode(hmac.digest(key, signed, "sha256")).decode()
given = [each.partition(",")[2] for each in environ["WEBHOOK_SIGNATURE"].split()]
if not any(hmac.compare_digest(each, right) for each in given):
    raise SystemExit("DO NOT TRUST IT")
if abs(time.time() - int(sent_at)) > 300:
    raise SystemExit("It is older than five minutes: somebody may have kept it.")
print("Whoever sent it has the secret.")
"""
