"""Search over everything public: the page and its address in the API."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.permissions import Public
from oversight.dashboards.search import PAGE, Findings, search
from oversight.dashboards.search_kinds import KINDS, MOST, Found
from oversight.dashboards.search_query import MOST_CHARACTERS
from oversight.dashboards.words import number_word, sentence
from oversight.web.figures import grouped
from oversight.web.refusals import BadQuery

LAST_PAGE = MOST // PAGE
_KEYS = [kind.key for kind in KINDS]


@login_not_required
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Show what stands in public about some words."""
    text = request.GET.get("q", "")
    kind = request.GET.get("kind", "")
    found = search(text, kind if kind in _KEYS else "", _page(request.GET.get("page", "")))
    context = {
        "found": found,
        "headline": _headline(found),
        "most": MOST,
        "before": found.page - 1,
        "after": found.page + 1 if found.page < found.pages else 0,
    }
    return render(request, "dashboards/search.html", context)


def _page(text: str) -> int:
    """Return a page's number; the first for nonsense."""
    if text.isascii() and text.isdigit():
        return min(max(1, int(text[:6])), LAST_PAGE)
    return 1


def _headline(found: Findings) -> str:
    if not found.query.words:
        return gettext("Search everything that is public.")
    if not found.all_count:
        return gettext("Nothing was found.")
    if found.all_count >= MOST:
        return gettext("At least %(most)s results.") % {"most": grouped(MOST)}
    return sentence(
        ngettext("%(number)s result", "%(number)s results", found.all_count)
        % {"number": number_word(found.all_count)}
    )


class FoundOutput(serializers.Serializer[Found]):
    """One thing that was found."""

    kind = serializers.ChoiceField(choices=[(kind.key, kind.label) for kind in KINDS])
    title = serializers.CharField()
    address = serializers.SerializerMethodField(help_text="Its page.")
    note = serializers.CharField(help_text="What it is, in a few words.")
    snippet = serializers.SerializerMethodField(help_text="The text round the words.")

    def get_address(self, row: Found) -> str:
        """Return the whole address."""
        return f"{settings.PUBLIC_URL}{row.href}"

    def get_snippet(self, row: Found) -> str:
        """Return the text without marks."""
        return "".join(words for words, _ in row.pieces)


class FindingsOutput(serializers.Serializer[Any]):
    """A page of what was found."""

    count = serializers.IntegerField(help_text=f"Of the kind asked for; {MOST:,} at most.")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By kind.")
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    results = FoundOutput(many=True)


class SearchApi(APIView):
    """Search over everything public."""

    permission_classes = [Public]

    @extend_schema(
        summary="Search",
        description="Finds proposals, decisions, models, deployments, incidents, suites, bodies, "
        "comments, arguments, statements and minutes by the beginnings of their words, without "
        "regard to accents; names also where they are misspelled; runs, proposals, incidents and "
        "versions by their reference or digest.",
        parameters=[
            OpenApiParameter(
                "q", str, required=True, description="What to look for.",
            ),
            OpenApiParameter("kind", str, enum=_KEYS, description="Only this kind."),
            OpenApiParameter(
                "page", {"type": "integer", "minimum": 1, "maximum": LAST_PAGE},
                description=f"{PAGE} findings a page.",
            ),
        ],
        responses=FindingsOutput,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return one page of findings."""
        asked = request.query_params
        problems = _problems(asked)
        if problems:
            raise BadQuery(gettext("This search cannot be made."), fields=problems)
        found = search(asked["q"], asked.get("kind", ""), int(asked.get("page", "1")))
        output = {
            "count": found.total,
            "counts": {kind.key: number for kind, number in found.counts},
            "page": found.page,
            "pages": found.pages,
            "results": found.rows,
        }
        return Response(FindingsOutput(output).data)


def _problems(asked: Any) -> dict[str, str]:
    """Return what is wrong with each parameter."""
    found = {}
    text, page = asked.get("q", ""), asked.get("page", "1")
    if not text.strip() or len(text) > MOST_CHARACTERS:
        found["q"] = f"Give 1 to {MOST_CHARACTERS} characters."
    if asked.get("kind", _KEYS[0]) not in _KEYS:
        found["kind"] = gettext("Use one of %(keys)s.") % {"keys": ", ".join(_KEYS)}
    if not (page.isascii() and page.isdigit() and 1 <= int(page[:6]) <= LAST_PAGE):
        found["page"] = f"Use 1 to {LAST_PAGE}."
    return found
