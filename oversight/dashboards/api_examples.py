"""Programs on the page of the network API, for a shell and for Python; the tests run each as it is.

They read from the environment: SITE, KEY, and the name of the thing that they are about.
"""

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oversight.dashboards import api_programs


@dataclass(frozen=True)
class Example:
    """One thing that programs do, twice."""

    name: str
    title: Promise
    curl: str
    python: str

    @property
    def variables(self) -> list[str]:
        """What both programs read from the environment, in the order in which they name it."""
        names = re.findall(r"\$\{?([A-Z]{3,})\b", self.curl)
        names += re.findall(r"""environ\[["']([A-Z]+)""", self.python)
        return list(dict.fromkeys(names))


def _read(address: str, then: str, *names: str) -> str:
    """Return a program that reads JSON, with nothing but Python's own library."""
    parts = address
    for name in names:
        parts = parts.replace(f"${name}", f"{{environ['{name}']}}")
    return (
        "import json\nfrom os import environ\nfrom urllib.request import urlopen\n\n"
        f"with urlopen(f\"{{environ['SITE']}}{parts}\") as answer:\n"
        f"    found = json.load(answer)\n{then}"
    )


def _write(address: str, body: str, name: str) -> str:
    """Return a program that sends JSON under a key of its own."""
    parts = address.replace(f"${name}", f"{{environ['{name}']}}")
    return (
        "import json\nfrom os import environ\nfrom urllib.error import HTTPError\n"
        "from urllib.request import Request, urlopen\nfrom uuid import uuid4\n\n"
        "headers = {\n"
        '    "Authorization": f"Bearer {environ[\'KEY\']}",\n'
        '    "Content-Type": "application/json",\n'
        '    "Idempotency-Key": str(uuid4()),\n'
        "}\n"
        f"body = json.dumps({body}).encode()\n"
        f"request = Request(f\"{{environ['SITE']}}{parts}\", body, headers)\n"
        "try:\n    with urlopen(request) as answer:\n        print(json.load(answer))\n"
        "except HTTPError as refused:\n    raise SystemExit(refused.read().decode()) from None"
    )


def _post(address: str, body: str) -> str:
    return (
        f'curl -sS --fail-with-body "$SITE{address}" \\\n'
        '  -H "Authorization: Bearer $KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" \\\n'
        f"  -d {body}"
    )


EXAMPLES = (
    Example(
        "uses",
        _("List the uses and what serves in them"),
        'curl -sS --fail-with-body "$SITE/api/v1/deployments/"',
        _read(
            "/api/v1/deployments/",
            'for use in found["results"]:\n    print(use["slug"], use["name"])',
        ),
    ),
    Example(
        "pages",
        _("Read a whole list, page by page"),
        api_programs.PAGES_CURL.strip(),
        api_programs.PAGES_PYTHON.strip(),
    ),
    Example(
        "gate",
        _("Ask the gate whether a version may serve a use"),
        'curl -sS --fail-with-body "$SITE/api/v1/gate/?subject=$DIGEST&deployment=$USE"',
        _read("/api/v1/gate/?subject=$DIGEST&deployment=$USE", "print(found)", "DIGEST", "USE"),
    ),
    Example(
        "samples",
        _("Fetch the samples of a run, one a line"),
        'curl -sS --fail-with-body "$SITE/api/v1/runs/$RUN/samples.jsonl" -o samples.jsonl',
        "from os import environ\nfrom urllib.request import urlretrieve\n\n"
        "urlretrieve(f\"{environ['SITE']}/api/v1/runs/{environ['RUN']}/samples.jsonl\", "
        '"samples.jsonl")',
    ),
    Example(
        "propose",
        _("Draft a proposal"),
        _post(
            "/api/v1/proposals/",
            '"{\\"body\\": \\"$BODY\\", \\"type\\": \\"general_motion\\", \\"title\\": \\"T\\",'
            ' \\"summary\\": \\"Why\\", \\"text\\": \\"What\\"}"',
        ),
        _write(
            "/api/v1/proposals/",
            '{\n    "body": environ["BODY"],\n    "type": "general_motion",\n'
            '    "title": "T",\n    "summary": "Why",\n    "text": "What",\n}',
            "BODY",
        ),
    ),
    Example(
        "ballot",
        _("Cast a ballot; the answer says where its receipt is"),
        _post("/api/v1/proposals/$PROPOSAL/ballot/", '\'{"choice": "yes"}\''),
        _write("/api/v1/proposals/$PROPOSAL/ballot/", '{"choice": "yes"}', "PROPOSAL"),
    ),
    Example(
        "feed",
        _("Follow what a body does"),
        'curl -sS --fail-with-body "$SITE/bodies/$BODY/feed.atom"',
        "from os import environ\nfrom urllib.request import urlopen\n"
        "from xml.etree import ElementTree\n\n"
        "with urlopen(f\"{environ['SITE']}/bodies/{environ['BODY']}/feed.atom\") as answer:\n"
        "    feed = ElementTree.parse(answer)\n"
        'for title in feed.iter("{http://www.w3.org/2005/Atom}title"):\n'
        "    print(title.text)",
    ),
    Example(
        "evaluate",
        _("Request an evaluation and follow it to its end; the key is an evaluator's"),
        api_programs.EVALUATE_CURL.strip(),
        api_programs.EVALUATE_PYTHON.strip(),
    ),
    Example(
        "receipt",
        _("Check a receipt: in the shell that the log signed it, in Python that the act is in it"),
        api_programs.RECEIPT_CURL.strip(),
        api_programs.RECEIPT_PYTHON.strip(),
    ),
    Example(
        "webhook",
        _("Check a webhook's signature; its three headers and its body came with it"),
        api_programs.WEBHOOK_CURL.strip(),
        api_programs.WEBHOOK_PYTHON.strip(),
    ),
)
