"""Publishing suite versions."""

import logging
from collections.abc import Mapping
from typing import Any, cast

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from evals import artefacts, policy
from evals.choices import Leaf
from evals.models import Suite, SuiteVersion
from evals.suite_refusals import error_words, spoken
from evals.suites.checking import SuiteError
from evals.suites.document import DataFile, data_file, digest, require_valid
from evals.suites.document import Suite as SuiteDocument
from evals.suites.guessing import guessing_of
from evals.suites.rows import Row, check_files, read_rows
from evals.suites.templates import TemplateRefused
from oversight.accounts.models import Person
from oversight.ledger import services as ledger
from oversight.web.refusals import Invalid, NotAllowed, Refusal

logger = logging.getLogger(__name__)


def publish_suite(
    *, by: Person, document: dict[str, Any], files: Mapping[str, bytes]
) -> tuple[SuiteVersion, bool]:
    """Publish a version of a suite; return it and whether it is new.

    Publishing the same document again returns the version that is there.

    Raises:
        Invalid: the document or its data cannot be used; the message names the field and the fix.
    """
    if not policy.can_publish_suite(by):
        raise NotAllowed(gettext("Only evaluators publish suites."))
    try:
        suite = require_valid(document)
    except SuiteError as error:
        raise Invalid(error_words(error)) from None
    _require_files(suite, files)
    # Files first, outside the transaction: left alone they are harmless, missing they are not.
    for data in files.values():
        artefacts.store_bytes(data, media_type="application/jsonl")
    guessing = guessing_of(suite, lambda data: read_rows(files[data["name"]], data["name"]))
    return _publish(by, document, guessing)


def mend_guessing() -> int:
    """Work out what guessing scores where a version lacks it; return of how many versions.

    A server of before the column publishes without it. A version whose rows cannot be read now
    waits for the next time.
    """
    mended = 0
    for version in SuiteVersion.objects.filter(guessing__isnull=True):
        try:
            found = guessing_of(version.document, _stored_rows)
        except (OSError, Refusal, SuiteError, TemplateRefused):
            logger.exception("The rows of %s cannot be read.", version.subject)
            continue
        mended += SuiteVersion.objects.filter(pk=version.pk).update(guessing=found)
    return mended


def _stored_rows(data: DataFile) -> list[Row]:
    return read_rows(artefacts.path_of(data["sha256"]).read_bytes(), data["name"])


@transaction.atomic(durable=True)
def _publish(
    by: Person, document: dict[str, Any], guessing: Mapping[str, str]
) -> tuple[SuiteVersion, bool]:
    document_digest = digest(cast("SuiteDocument", document))
    slug, title = document["slug"], document["title"]
    suite, _ = Suite.objects.get_or_create(slug=slug, defaults={"title": title, "created_by": by})
    Suite.objects.select_for_update().get(pk=suite.pk)
    known = SuiteVersion.objects.filter(digest=document_digest).first()
    if known:
        return known, False
    latest = suite.versions.aggregate(latest=Max("number"))["latest"] or 0
    if suite.title != title:
        suite.title = title
        suite.save(update_fields=["title"])
    leaf = ledger.append(
        type=Leaf.SUITE_PUBLISHED,
        actor=by.actor,
        subject=f"suite:{slug}:{latest + 1}",
        digests={"document": document_digest},
        facts={"tasks": len(document["tasks"])},
    )
    version = SuiteVersion.objects.create(
        suite=suite,
        number=latest + 1,
        digest=document_digest,
        document=document,
        guessing=guessing,
        published_by=by,
        leaf_id=leaf.id,
    )
    return version, True


def _require_files(document: SuiteDocument, files: Mapping[str, bytes]) -> None:
    """Refuse unless the files are those the document names, and every row can be asked."""
    named = {task["data"]["name"]: task["data"] for task in document["tasks"] if "data" in task}
    if set(named) != set(files):
        missing = ", ".join(sorted(set(named) ^ set(files)))
        raise Invalid(
            gettext("The data files and the document do not fit together: %(missing)s.")
            % {
                "missing": missing,
            }
        )
    for name, data in files.items():
        if dict(data_file(name, data)) != dict(named[name]):
            raise Invalid(
                gettext("%(name)s is not the file that the document names by size and digest.")
                % {
                    "name": name,
                }
            )
    if problems := check_files(document, files):
        raise Invalid("\n".join(str(spoken(problem)) for problem in problems))
