"""What may not be in a LiteLLM configuration: the rules, each with what to do instead."""

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from oversight_gate.findings import Finding, Report, Row, Rule, Verdict
from oversight_gate.judging import Answer, CannotTell, Judge, told
from oversight_gate.litellm_file import EVERY_NAME, Entry, Proxy, Route
from oversight_gate.litellm_keys import (
    CLAIM_KEYS,
    DOOR_SECTIONS,
    ENTRY_KEYS,
    KNOWN_TO_LEAD,
    LEADS_ON,
    OPEN_DOORS,
    ROUTER_DOORS,
    ROUTER_SETTINGS,
    SECTIONS,
)
from oversight_gate.yaml_file import Place, Value

DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
ENVIRONMENT = "os.environ/"
CLAIM = "model_info: {oversight: {subject: sha256:…, deployment: NAME}}"


class Checker:
    """Judges one configuration; the report tells what it found."""

    def __init__(
        self, proxy: Proxy, judge: Judge, *, use_environment: bool, other_weights: Verdict
    ) -> None:
        self.proxy = proxy
        self.judge = judge
        self.use_environment = use_environment
        self.other_weights = other_weights
        self.report = Report(proxy.path, judge.name)
        self._refused: set[int] = set()
        """Entries, by identity, that nobody may be led to."""

    def run(self) -> Report:
        """Look at everything, and return the report."""
        claims = [each for each in self.proxy.entries if DIGEST.fullmatch(each.subject)]
        self.judge.prepare({(each.subject, each.deployment) for each in claims if each.deployment})
        self.report.add(self._keys())
        self.report.add(self._doors())
        for entry in self.proxy.entries:
            self._entry(entry)
        self.report.add(self._same_names())
        self.report.add(self._routes())
        if not self.proxy.entries:
            place = Place(self.proxy.path, 1)
            says = "No model is listed here."
            self.report.add([Finding(Rule.NOT_JUDGED, Verdict.NOTE, place, says)])
        return self.report

    # -- Entries

    def _entry(self, entry: Entry) -> None:
        found = [*self._claim(entry), *self._params(entry)]
        answer: Answer | None = None
        if not any(each.rule in {Rule.UNNAMED, Rule.WILDCARD} for each in found):
            answer, judged = self._judged(entry)
            found += judged
        self.report.add(found)
        worst = _worst(found)
        if worst is not None:
            self._refused.add(id(entry))
        says = answer.says if answer and worst is None else next(iter(_says(found)), "")
        conditions = told(answer.conditions) if answer else ()
        serves = entry.deployment or entry.model
        self.report.rows.append(Row(entry.name, serves, worst, says, entry.place, conditions))

    def _claim(self, entry: Entry) -> Iterator[Finding]:
        """Look at what the entry says of its weights and its deployment."""
        if entry.is_wildcard:
            yield Finding(
                Rule.WILDCARD,
                Verdict.REFUSED,
                entry.place_of("model_name" if "*" in entry.name else "litellm_params"),
                f"{entry.name} takes every name that fits: nobody has decided about all.",
                "List each model that was decided about in an entry of its own.",
            )
            return
        claim = entry.info.get("oversight")
        place = entry.place_of("model_info", "oversight")
        if claim is None:
            yield Finding(
                Rule.UNNAMED,
                Verdict.REFUSED,
                entry.place,
                f"{entry.name} does not say which weights it serves, and for which deployment.",
                f"Add {CLAIM}, or propose the model first.",
            )
            return
        for name in claim.keys:
            if name not in CLAIM_KEYS:
                says = f"oversight: {name} is none of subject and deployment."
                yield Finding(Rule.UNKNOWN_KEY, Verdict.CANNOT_TELL, claim.key_place(name), says)
        if DIGEST.fullmatch(entry.subject) is None or not entry.deployment:
            what = "deployment" if DIGEST.fullmatch(entry.subject) else "subject"
            yield Finding(
                Rule.UNNAMED,
                Verdict.REFUSED,
                entry.place_of("model_info", "oversight", what) or place,
                f"The {what} of {entry.name} is missing or not of its form.",
                f"Write {CLAIM} with the digest of the manifest in lower case.",
            )

    def _judged(self, entry: Entry) -> tuple[Answer | None, list[Finding]]:
        place = entry.place_of("model_info", "oversight", "subject")
        try:
            answer = self.judge.ask(entry.subject, entry.deployment)
        except CannotTell as reason:
            says = f"{entry.name} could not be judged: {reason}"
            return None, [Finding(Rule.NOT_JUDGED, Verdict.CANNOT_TELL, place, says)]
        if not answer.allowed:
            says = f"{entry.name} may not serve {entry.deployment}: {answer.says}."
            do = _advice(answer.code, entry)
            return answer, [Finding(Rule.NOT_ALLOWED, Verdict.REFUSED, place, says, do)]
        return answer, [*_broken_conditions(entry, answer)]

    def _params(self, entry: Entry) -> Iterator[Finding]:
        """Look at what decides where a request of the entry goes."""
        for name, value in entry.params.items():
            place = entry.params.key_place(name)
            if "_router_" in name or name in {"fallbacks", "model_list"}:
                says = f"{name} lets a router choose the model of {entry.name} by what is asked."
                do = "List the models under names of their own."
                yield Finding(Rule.UNKNOWN_KEY, Verdict.CANNOT_TELL, place, says, do)
            if isinstance(value.plain, str) and value.plain.startswith(ENVIRONMENT):
                yield from self._by_environment(entry, name, value.plain, place)
        if not entry.model:
            place = entry.place_of("litellm_params")
            says = f"{entry.name} names no model to ask the operator for."
            yield Finding(
                Rule.UNNAMED, Verdict.REFUSED, place, says, "Add litellm_params: {model: …}."
            )
        if entry.model.startswith(("auto_router", "complexity_router")):
            says = f"{entry.model} chooses a model by what is asked."
            place = entry.place_of("litellm_params", "model")
            yield Finding(Rule.UNKNOWN_KEY, Verdict.CANNOT_TELL, place, says)
        credential = entry.params.text("litellm_credential_name")
        if credential and self.proxy.credential(credential) is None:
            place = entry.place_of("litellm_params", "litellm_credential_name")
            says = f"The credential {credential} is not in this file; it can say where requests go."
            do = "Add it to credential_list; its secrets can stay in the environment."
            yield Finding(Rule.OPEN_DOOR, Verdict.CANNOT_TELL, place, says, do)

    def _by_environment(
        self, entry: Entry, name: str, text: str, place: Place
    ) -> Iterator[Finding]:
        variable = text.removeprefix(ENVIRONMENT)
        known = self.proxy.variable(variable)
        if known is None and self.use_environment:
            known = os.environ.get(variable)
        if name == "model" and known is None:
            yield Finding(
                Rule.ENVIRONMENT,
                Verdict.CANNOT_TELL,
                place,
                f"Which model {entry.name} asks for depends on the variable {variable}.",
                "Write the name here, or check where it is set with --environment.",
            )
        elif name == "api_base" and known is None:
            says = f"The address of {entry.name} comes from {variable}: this file does not show it."
            yield Finding(Rule.ENVIRONMENT, Verdict.NOTE, place, says)

    # -- Names and routes

    def _same_names(self) -> Iterator[Finding]:
        for name in self.proxy.names():
            entries = [each for each in self.proxy.entries if each.name == name and each.subject]
            for other in entries[1:]:
                if other.subject != entries[0].subject:
                    self._refused.add(id(other))
                    yield Finding(
                        Rule.SAME_NAME,
                        Verdict.REFUSED,
                        other.place_of("model_info", "oversight", "subject"),
                        f"Who asks for {name} gets other weights here than at line "
                        f"{entries[0].place.line}, without being told.",
                        "Give each version a public name of its own, or serve the same weights.",
                    )

    def _routes(self) -> Iterator[Finding]:
        """Look at where fallbacks and aliases lead; what holds for many names is said once."""
        swapped: dict[tuple[Route, str], list[str]] = {}
        for route in self.proxy.routes:
            yield from self._leads_somewhere(route)
            if route.is_alias:
                continue
            for name in self.proxy.names() if route.source == EVERY_NAME else [route.source]:
                if self._swaps(name, route.target):
                    swapped.setdefault((route, route.target), []).append(name)
        for (route, target), names in swapped.items():
            many = f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
            yield Finding(
                Rule.OTHER_WEIGHTS,
                self.other_weights,
                route.place,
                f"{route.kind}: requests for {many} would be answered by other weights, those of "
                f"{target}, without a word to who asks.",
                "Lead only to the same weights at another operator, or let the request fail.",
            )

    def _leads_somewhere(self, route: Route) -> Iterator[Finding]:
        targets = self._resolved(route.target)
        if route.extra:
            says = (
                f"{route.kind} sets {', '.join(route.extra)} beside the name: it can lead anywhere."
            )
            yield Finding(
                Rule.OPEN_DOOR, Verdict.REFUSED, route.place, says, "Name a model and no more."
            )
        if not targets:
            close = difflib.get_close_matches(route.target, self.proxy.names(), 1)
            yield Finding(
                Rule.NO_SUCH_ROUTE,
                Verdict.REFUSED,
                route.place,
                f"{route.kind} leads to {route.target or 'nothing'}, which is no model here.",
                f"Did you mean {close[0]}?"
                if close
                else "Add an entry for it, once it is decided.",
            )
        elif any(id(each) in self._refused for each in targets):
            yield Finding(
                Rule.LEADS_TO_REFUSED,
                Verdict.REFUSED,
                route.place,
                f"{route.kind} leads {_every(route.source)} to {route.target}, which is refused.",
                "Remove it until a decision allows that model.",
            )
        if route.source != EVERY_NAME and not route.is_alias and not self._resolved(route.source):
            says = f"{route.kind} is for {route.source}, which is no model of this file."
            yield Finding(Rule.NO_SUCH_ROUTE, Verdict.NOTE, route.place, says)

    def _resolved(self, name: str, depth: int = 0) -> list[Entry]:
        """Return the entries that a name leads to, through aliases."""
        found = self.proxy.named(name)
        if found or depth > 5:
            return found
        for route in self.proxy.routes:
            if route.is_alias and route.source == name:
                return self._resolved(route.target, depth + 1)
        return []

    def _swaps(self, source: str, target: str) -> bool:
        """Say whether a target brings weights that its source does not have."""
        before = {each.subject for each in self._resolved(source)}
        after = {each.subject for each in self._resolved(target)}
        return bool(before) and bool(after) and not after <= before

    # -- The rest of the file

    def _keys(self) -> Iterator[Finding]:
        known = SECTIONS | DOOR_SECTIONS
        places = self.proxy.places
        yield from _unknown(
            ((name, places.get(name)) for name in self.proxy.sections), known, "section"
        )
        router = self.proxy.section("router_settings")
        known_here = ROUTER_SETTINGS | ROUTER_DOORS
        yield from _unknown(router.keys.items(), known_here, "router setting")
        for entry in self.proxy.entries:
            yield from _unknown(entry.value.keys.items(), ENTRY_KEYS, "key of an entry")
        for section in ("litellm_settings", "general_settings"):
            for name, place in self.proxy.section(section).keys.items():
                if LEADS_ON.search(name) and name not in KNOWN_TO_LEAD:
                    says = f"{section}.{name} is not known to this program and could lead on."
                    yield Finding(Rule.UNKNOWN_KEY, Verdict.CANNOT_TELL, place, says)

    def _doors(self) -> Iterator[Finding]:
        for (section, name), why in OPEN_DOORS.items():
            value = self.proxy.section(section).get(name)
            if value is not None and _is_on(value):
                place = self.proxy.section(section).key_place(name)
                yield _door(f"With {name} {why}", place)
        for name in sorted(DOOR_SECTIONS):
            if name in self.proxy.sections:
                yield _door(f"{name} brings what no entry lists", self.proxy.places[name])
        router = self.proxy.section("router_settings")
        for name in sorted(ROUTER_DOORS):
            value = router.get(name)
            if value is not None and _is_on(value):
                yield _door(
                    f"router_settings.{name} can change every request", router.key_place(name)
                )


def _unknown(
    names: Iterable[tuple[str, Place | None]], known: Iterable[str], what: str
) -> Iterator[Finding]:
    listed = sorted(known)
    for name, place in names:
        if name in listed or place is None:
            continue
        close = difflib.get_close_matches(name, listed, 1)
        yield Finding(
            Rule.UNKNOWN_KEY,
            Verdict.CANNOT_TELL,
            place,
            f"{name} is a {what} that is not known here; it could lead requests elsewhere.",
            f"Did you mean {close[0]}?" if close else "Remove it, or update oversight-gate.",
        )


def _door(says: str, place: Place) -> Finding:
    do = "Switch it off: what is served must stand in this file."
    return Finding(Rule.OPEN_DOOR, Verdict.REFUSED, place, f"{says}.", do)


def _is_on(value: Value) -> bool:
    off = {"", "false", "0", "no", "off", "none"}
    return str(value.plain).strip().lower() not in off and value.plain not in ([], {})


def _advice(code: str, entry: Entry) -> str:
    if code == "unknown-version":
        return "Register the weights, or correct the digest."
    if code == "unknown-deployment":
        return f"Register the deployment {entry.deployment}, or correct its name."
    if code in {"never-decided", "expired", "superseded"}:
        return "Propose it, and put the entry back once the decision is in force."
    return "Take the entry out until it is in force."


def _broken_conditions(entry: Entry, answer: Answer) -> Iterator[Finding]:
    highest, asked = answer.conditions.get("maximum_temperature"), entry.params.get("temperature")
    if highest is None or asked is None:
        return
    try:
        breaks = Decimal(str(asked.plain)) > Decimal(str(highest))
    except InvalidOperation:
        breaks = True
    if breaks:
        place = entry.place_of("litellm_params", "temperature")
        says = (
            f"{entry.name} asks for a temperature of {asked.plain}; at most {highest} was decided."
        )
        yield Finding(Rule.CONDITION, Verdict.REFUSED, place, says, f"Use at most {highest}.")


def _every(name: str) -> str:
    return "every name" if name == EVERY_NAME else name


def _worst(found: Iterable[Finding]) -> Verdict | None:
    verdicts = {each.verdict for each in found}
    return next((v for v in (Verdict.REFUSED, Verdict.CANNOT_TELL) if v in verdicts), None)


def _says(found: Iterable[Finding]) -> Iterator[str]:
    for verdict in (Verdict.REFUSED, Verdict.CANNOT_TELL):
        yield from (each.says for each in found if each.verdict == verdict)
