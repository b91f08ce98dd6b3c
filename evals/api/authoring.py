"""How programs publish suites: from data files with declarative prompts, or from a suite's zip."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals import policy
from evals.services.suites import publish_suite
from evals.suite_refusals import in_words
from evals.suites.authoring import compose, exact_prompt
from evals.suites.checking import SuiteError
from evals.suites.document import FILE_LIMIT_BYTES
from evals.suites.importers import ImportedSuite
from evals.suites.rows import read_rows
from evals.suites.templates import TemplateRefused
from evals.suites.unpacking import ARCHIVE_LIMIT_BYTES, read_suite_zip
from oversight.accounts.choices import Scope
from oversight.accounts.permissions import writes
from oversight.web.refusals import Invalid, NotAllowed

PREVIEWS_LIMIT = 20


class PublishedOutput(serializers.Serializer[Any]):
    """The version that was published."""

    suite = serializers.SlugField()
    number = serializers.IntegerField()
    digest = serializers.CharField()
    is_new = serializers.BooleanField(help_text="False: the same document was published before.")
    receipt = serializers.CharField(help_text="Address of the receipt.")


class PromptOutput(serializers.Serializer[Any]):
    """The exact requests for one row of a task."""

    context = serializers.CharField()  # type: ignore[assignment]  # a field of this name
    continuations = serializers.ListField(child=serializers.CharField())
    target = serializers.CharField()


class PreviewOutput(serializers.Serializer[Any]):
    """A suite as it would be published, with a prompt of each task."""

    document = serializers.JSONField(help_text="As the suite's address shows it.")
    prompts = serializers.DictField(child=PromptOutput(), help_text="By the task's name.")


class SuiteParts(serializers.Serializer[Any]):
    """A multipart request: `zip`, or `suite` (JSON) with the data files it names."""

    zip = serializers.FileField(required=False, help_text="The lm-eval.zip of a suite.")
    suite = serializers.CharField(
        required=False, help_text="JSON: slug, title, summary, licence, source, tasks."
    )
    sample = serializers.IntegerField(required=False, help_text="Row to preview, from 1.")


class _SuiteRequest(APIView):
    """Reads a suite from the parts of a multipart request."""

    permission_classes = [writes(Scope.SUITES_WRITE)]
    parser_classes = [MultiPartParser]

    def read(self, request: Request) -> ImportedSuite:
        """Return the suite that the request holds.

        Raises:
            Invalid: naming the part, the field or the line, and the fix.
        """
        if not policy.can_publish_suite(request.user):
            raise NotAllowed("Only evaluators publish suites.")
        try:
            if "zip" in request.FILES:
                return read_suite_zip(_content(request.FILES["zip"], ARCHIVE_LIMIT_BYTES))
            files = {file.name: _content(file, FILE_LIMIT_BYTES) for file in request.FILES.values()}
            return compose(_json(request.POST.get("suite")), files)
        except SuiteError as error:
            raise Invalid(str(error)) from None


class PublishSuite(_SuiteRequest):
    """`POST`: publish a suite version; 201, or 200 when the same document is there already."""

    @extend_schema(request=SuiteParts, responses={201: PublishedOutput, 200: PublishedOutput})
    def post(self, request: Request) -> Response:
        """Check every row as the harness will ask it, publish, and answer with digest and leaf."""
        suite = self.read(request)
        version, is_new = publish_suite(
            by=request.user,  # type: ignore[arg-type]
            document=dict(suite.document),
            files=suite.files,
        )
        published = {
            "suite": version.suite.slug,
            "number": version.number,
            "digest": version.digest,
            "is_new": is_new,
            "receipt": f"/receipts/{version.leaf_id}/",
        }
        return Response(published, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class PreviewSuite(_SuiteRequest):
    """`POST`: show the exact prompts of a suite without publishing it; nothing is kept."""

    @extend_schema(request=SuiteParts, responses={200: PreviewOutput})
    def post(self, request: Request) -> Response:
        """Return the document, and of each task the prompt of one row as the harness sends it."""
        suite = self.read(request)
        place = _place(request.POST.get("sample"))
        prompts = {
            task["name"]: _prompt(suite, task, place)
            for task in suite.document["tasks"][:PREVIEWS_LIMIT]
            if "data" in task
        }
        return Response({"document": suite.document, "prompts": prompts})


def _prompt(suite: ImportedSuite, task: Any, place: int) -> dict[str, Any]:
    rows = read_rows(suite.files[task["data"]["name"]], task["data"]["name"])
    try:
        context, answers, target = exact_prompt(task, rows, min(place, len(rows)) - 1)
    except TemplateRefused as refusal:
        raise Invalid(f"{task['name']}: {in_words(str(refusal))}") from None
    return {"context": context, "continuations": answers, "target": target}


def _content(file: Any, limit: int) -> bytes:
    if file.size > limit:
        raise Invalid(f"{file.name} has {file.size:,} bytes; keep it to {limit // 1_048_576} MiB.")
    return bytes(file.read())


def _json(text: Any) -> Any:
    try:
        return json.loads(text or "")
    except (ValueError, TypeError, RecursionError):
        fix = "Send the part suite as JSON, or the part zip."
        raise Invalid(f"There is no suite to read. {fix}", fields={"suite": fix}) from None


def _place(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() and 0 < int(text) < 10**6 else 1
