"""What somebody asks the overview for: filters, order, baseline, and which part of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from evals.suites.document import CATEGORIES
from oversight.web.languages import filled

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_FORMS: dict[str, tuple[re.Pattern[str], "StrOrPromise"]] = {
    "suite": (_SLUG, gettext_lazy("Use a suite's address name.")),
    "category": (
        re.compile("|".join(CATEGORIES)),
        filled(gettext_lazy("Use one of %(categories)s."), categories=", ".join(CATEGORIES)),
    ),
    "language": (
        re.compile(r"[a-zA-Z]{2,3}(-[A-Za-z0-9]{2,4}){0,2}"),
        gettext_lazy("Use a code such as de."),
    ),
    "licence": (re.compile(r"[A-Za-z0-9.+() -]{1,200}"), gettext_lazy("Use an SPDX expression.")),
    "operator": (_SLUG, gettext_lazy("Use an organisation's address name.")),
    "sort": (
        re.compile(r"name|[a-z0-9-]+\.[a-z0-9_-]+"),
        gettext_lazy("Use name, or suite.task of a task that is shown."),
    ),
    "order": (re.compile("best|worst"), gettext_lazy("Use best or worst.")),
    "beside": (re.compile(r"sha256:[0-9a-f]{64}"), gettext_lazy("Use the digest of a version.")),
    "show": (re.compile("table|map"), gettext_lazy("Use table or map.")),
    "versions": (re.compile("newest|all"), gettext_lazy("Use newest or all.")),
    "page": (re.compile("[1-9][0-9]{0,5}"), gettext_lazy("Use a number from 1.")),
    "tasks": (re.compile("[1-9][0-9]{0,5}"), gettext_lazy("Use a number from 1.")),
}
NAMES = tuple(_FORMS)
FILTERS = ("suite", "category", "language", "licence", "operator")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the overview; text of unknown origin has been held against its form."""

    suite: str = ""
    category: str = ""
    language: str = ""
    licence: str = ""
    operator: str = ""
    sort: str = "name"
    order: str = "best"
    beside: str = ""
    show: str = "table"
    versions: str = "newest"
    page: str = "1"
    tasks: str = "1"

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> tuple["Asked", dict[str, str]]:
        """Return the question, and by parameter what cannot be used; that is left out of it."""
        problems = {
            name: str(words)
            for name, (form, words) in _FORMS.items()
            if given.get(name) and not form.fullmatch(str(given[name]))
        }
        kept = {
            name: str(given[name]) for name in NAMES if given.get(name) and name not in problems
        }
        return cls(**kept), problems

    @property
    def is_descending(self) -> bool:
        """Whether what usually comes first comes last."""
        return self.order == "worst"

    @property
    def all_versions(self) -> bool:
        """Whether every version of a model is a row."""
        return self.versions == "all"

    @property
    def is_filtered(self) -> bool:
        """Whether something is left out."""
        return any(getattr(self, name) for name in FILTERS)

    def query(self, *without: str, **changed: str) -> str:
        """Return it as the query of an address, some of it changed or left out."""
        asked, usual = replace(self, **changed), Asked()
        return urlencode(
            {
                name: value
                for name in NAMES
                if name not in without and (value := getattr(asked, name)) != getattr(usual, name)
            }
        )
