"""Writing a suite version: a draft is begun, filled with tasks, worded, published or discarded.

A draft is its owner's alone and on no record; publishing it makes the immutable version and its
leaf, and ends the draft. Its rows lie in the artefact store under their digest from the upload on.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from evals import artefacts, policy
from evals.models import SuiteDraft, SuiteVersion
from evals.services.suites import publish_suite
from evals.suite_refusals import error_words, spoken
from evals.suites.authoring import first_wording, prepare_rows
from evals.suites.checking import SuiteError
from evals.suites.document import TASKS_LIMIT, stock_task, task_problems
from evals.suites.importers import ImportedSuite
from evals.suites.rows import Row, encode_rows, read_rows
from evals.suites.uploads import Table, read_upload
from oversight.accounts.models import Person
from oversight.web.refusals import Conflict, Invalid, NotAllowed

DRAFTS_LIMIT = 50
"""Of one person: each may hold files."""

SUITE_FIELDS = ("slug", "title", "summary", "licence", "source")


@transaction.atomic(durable=True)
def start_draft(
    *, by: Person, fields: Mapping[str, str], base: SuiteVersion | None = None
) -> SuiteDraft:
    """Begin a draft: empty, or with everything of the version it is begun from.

    Raises:
        Conflict: the person has too many drafts already.
    """
    _require_author(by)
    if SuiteDraft.objects.filter(owner=by).count() >= DRAFTS_LIMIT:
        raise Conflict(
            _("You have %(drafts_limit)s drafts. Publish or discard one first.")
            % {
                "drafts_limit": DRAFTS_LIMIT,
            }
        )
    document = dict(base.document) if base else {"v": 1, "tasks": []}
    document |= {key: fields[key] for key in SUITE_FIELDS if key in fields}
    return SuiteDraft.objects.create(owner=by, base=base, document=document)


@transaction.atomic(durable=True)
def describe_draft(*, by: Person, draft: SuiteDraft, fields: Mapping[str, str]) -> SuiteDraft:
    """Change what is said of the suite as a whole."""
    locked = _locked(by, draft)
    locked.document |= {key: fields[key] for key in SUITE_FIELDS if key in fields}
    locked.save()
    return locked


def add_upload(
    *, by: Person, draft: SuiteDraft, task: str, file_name: str, content: bytes
) -> SuiteDraft:
    """Read a file and keep its rows for a task, which gets its form afterwards.

    Raises:
        Invalid: the file cannot be used; the message names line or column and the fix.
    """
    _require_owner(by, draft)
    try:
        table = read_upload(file_name, content)
    except SuiteError as error:
        words = error_words(error)
        raise Invalid(words, fields={"file": words}) from None
    stored = artefacts.store_bytes(encode_rows(table.rows), media_type="application/jsonl")
    upload = {
        "file": file_name[-120:],
        "sha256": stored.sha256,
        # As pairs: the database sorts the keys of an object, and the order of choices counts.
        "columns": list(table.columns.items()),
        "rows": len(table.rows),
    }
    return _keep_upload(by, draft, task, upload)


@transaction.atomic(durable=True)
def _keep_upload(by: Person, draft: SuiteDraft, task: str, upload: dict[str, Any]) -> SuiteDraft:
    locked = _locked(by, draft)
    others = {*locked.uploads, *(each["name"] for each in locked.document["tasks"])} - {task}
    if len(others) >= TASKS_LIMIT:
        raise Invalid(
            _("A suite has at most %(tasks_limit)s tasks.") % {"tasks_limit": TASKS_LIMIT},
            fields={"task": _("Too many.")},
        )
    locked.uploads = {**locked.uploads, task: upload}
    locked.save()
    return locked


def uploaded_table(draft: SuiteDraft, task: str) -> Table:
    """Return the rows that were uploaded for a task.

    Raises:
        KeyError: nothing was.
    """
    upload = draft.uploads[task]
    content = artefacts.path_of(upload["sha256"]).read_bytes()
    return Table(dict(upload["columns"]), read_rows(content, upload["file"]))


def shape_task(
    *, by: Person, draft: SuiteDraft, task: str, form: str, chosen: Mapping[str, Any]
) -> SuiteDraft:
    """Give the uploaded rows a form: make the task with a first wording, or change its rows.

    A task that is there keeps its words and settings where it stays of the same output type.

    Raises:
        Invalid: a column or an answer cannot be used; the message names the row.
    """
    _require_owner(by, draft)
    if "columns" not in draft.uploads.get(task, {}):
        raise Invalid(_("No file was uploaded for %(task)s.") % {"task": task})
    table = uploaded_table(draft, task)
    try:
        rows = prepare_rows(table, form=form, chosen=chosen, source=draft.uploads[task]["file"])
    except SuiteError as error:
        raise Invalid(error_words(error)) from None
    made, content = first_wording(task, rows, form=form, chosen=chosen)
    artefacts.store_bytes(content, media_type="application/jsonl")
    return _put_task(
        by, draft, dict(made), keep_words=True, shaped={"chosen": chosen, "form": form}
    )


def add_stock_task(*, by: Person, draft: SuiteDraft, **words: str) -> SuiteDraft:
    """Add a task that the harness brings along, by its name there."""
    _require_owner(by, draft)
    return _put_task(by, draft, dict(stock_task(**words)), keep_words=False, shaped=None)


def change_task(
    *, by: Person, draft: SuiteDraft, task: str, changes: Callable[[dict[str, Any]], dict[str, Any]]
) -> SuiteDraft:
    """Replace a task's entry by what `changes` makes of it; it must be one that can be asked.

    Raises:
        Invalid: naming every field that is wrong and how to mend it.
        NotAllowed: it would show items that the person may not read.
    """
    _require_owner(by, draft)
    changed = changes(_task(draft, task))
    if problems := task_problems(changed):
        raise Invalid("\n".join(str(spoken(problem)) for problem in problems))
    return _put_task(by, draft, changed, keep_words=False, shaped=None)


@transaction.atomic(durable=True)
def _put_task(
    by: Person,
    draft: SuiteDraft,
    task: dict[str, Any],
    *,
    keep_words: bool,
    shaped: dict[str, Any] | None,
) -> SuiteDraft:
    """Write a task's entry in its place, or at the end."""
    locked = _locked(by, draft)
    tasks = list(locked.document["tasks"])
    places = [at for at, each in enumerate(tasks) if each["name"] == task["name"]]
    if places and keep_words:
        task = _with_words_of(tasks[places[0]], task)
    if places:
        tasks[places[0]] = task
    elif len(tasks) >= TASKS_LIMIT:
        raise Invalid(
            _("A suite has at most %(tasks_limit)s tasks.") % {"tasks_limit": TASKS_LIMIT}
        )
    else:
        tasks.append(task)
    _require_no_loosening(by, locked, task)
    locked.document = {**locked.document, "tasks": tasks}
    if shaped is not None:
        own = {**locked.uploads[task["name"]], **shaped, "data": task["data"]["sha256"]}
        locked.uploads = {**locked.uploads, task["name"]: own}
    locked.save()
    return locked


def _with_words_of(before: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """Keep what the author wrote when only the rows are new."""
    if "config" not in before or before["config"]["output_type"] != made["config"]["output_type"]:
        return made
    kept = {name: value for name, value in before.items() if name != "clustered"}
    new: dict[str, Any] = {
        name: value for name, value in made.items() if name in {"data", "group_field", "clustered"}
    }
    return {**kept, **new}


@transaction.atomic(durable=True)
def remove_task(*, by: Person, draft: SuiteDraft, task: str) -> SuiteDraft:
    """Take a task and its upload out of the draft."""
    locked = _locked(by, draft)
    kept = [each for each in locked.document["tasks"] if each["name"] != task]
    locked.document = {**locked.document, "tasks": kept}
    locked.uploads = {name: each for name, each in locked.uploads.items() if name != task}
    locked.save()
    return locked


@transaction.atomic(durable=True)
def discard_draft(*, by: Person, draft: SuiteDraft) -> None:
    """Throw a draft away."""
    _locked(by, draft).delete()


def publish_draft(*, by: Person, draft: SuiteDraft) -> tuple[SuiteVersion, bool]:
    """Publish a draft as an immutable version with its leaf, and end it.

    A crash between the two leaves the version published and the draft there: publishing it again
    finds the same document and ends the draft.

    Raises:
        Invalid: naming everything that is still missing.
    """
    _require_owner(by, draft)
    names = {
        task["data"]["name"]: task["data"] for task in draft.document["tasks"] if "data" in task
    }
    files = {name: artefacts.path_of(data["sha256"]).read_bytes() for name, data in names.items()}
    version, is_new = publish_suite(by=by, document=dict(draft.document), files=files)
    with transaction.atomic(durable=True):
        SuiteDraft.objects.filter(pk=draft.pk, updated_at=draft.updated_at).delete()
    return version, is_new


@transaction.atomic(durable=True)
def draft_from(*, by: Person, imported: ImportedSuite) -> SuiteDraft:
    """Begin a draft with everything of an imported suite, to be looked at before publishing."""
    _require_author(by)
    uploads = {}
    for task in imported.document["tasks"]:
        if "data" in task:
            content = imported.files[task["data"]["name"]]
            artefacts.store_bytes(content, media_type="application/jsonl")
            uploads[task["name"]] = {"data": task["data"]["sha256"], "file": task["data"]["name"]}
    return SuiteDraft.objects.create(owner=by, document=dict(imported.document), uploads=uploads)


def readable_rows(by: object, draft: SuiteDraft, task: Mapping[str, Any]) -> list[Row] | None:
    """Return a draft task's rows, or None where the person may not read them.

    Own uploads are one's own to read; rows that came with the base version only as published.
    """
    if "data" not in task:
        return None
    if not _is_own(draft, task) and not _may_read_base(by, draft, task):
        return None
    content = artefacts.path_of(task["data"]["sha256"]).read_bytes()
    return read_rows(content, task["data"]["name"])


def published_rows(by: object, task: Mapping[str, Any]) -> list[Row] | None:
    """Return the rows of a published task, or None where the person may not read them."""
    if "data" not in task or not policy.can_read_items(by, task):
        return None
    content = artefacts.path_of(task["data"]["sha256"]).read_bytes()
    return read_rows(content, task["data"]["name"])


def _is_own(draft: SuiteDraft, task: Mapping[str, Any]) -> bool:
    upload = draft.uploads.get(task["name"]) or {}
    return bool(upload.get("data") == task["data"]["sha256"])


def _may_read_base(by: object, draft: SuiteDraft, task: Mapping[str, Any]) -> bool:
    """Say whether some task of the base version lets this person read the same rows."""
    held = [
        each
        for each in (draft.base.tasks if draft.base else [])
        if "data" in each and each["data"]["sha256"] == task["data"]["sha256"]
    ]
    return bool(held) and all(policy.can_read_items(by, each) for each in held)


def _require_no_loosening(by: Person, draft: SuiteDraft, task: Mapping[str, Any]) -> None:
    """Refuse to open items of the base version that the person may not even read."""
    if "data" not in task or _is_own(draft, task) or draft.base is None:
        return
    held = [
        each
        for each in draft.base.tasks
        if "data" in each and each["data"]["sha256"] == task["data"]["sha256"]
    ]
    for each in held:
        if each["visibility"] != task["visibility"] and not policy.can_read_items(by, each):
            raise NotAllowed(
                _(
                    "The items of this task are %(each)s; they cannot become %(task)s in a new "
                    "version. Upload rows of your own instead."
                )
                % {
                    "each": each["visibility"],
                    "task": task["visibility"],
                }
            )


def _task(draft: SuiteDraft, name: str) -> dict[str, Any]:
    try:
        return draft.task(name)
    except KeyError:
        raise Invalid(_("The draft has no task %(name)s.") % {"name": name}) from None


def _require_author(by: Person) -> None:
    if not policy.can_publish_suite(by):
        raise NotAllowed(_("Only evaluators write and publish suites."))


def _require_owner(by: Person, draft: SuiteDraft) -> None:
    _require_author(by)
    if draft.owner_id != by.pk:
        raise NotAllowed(_("A draft is its author's alone until it is published."))


def _locked(by: Person, draft: SuiteDraft) -> SuiteDraft:
    """Lock a draft for the rest of the transaction."""
    _require_owner(by, draft)
    locked = SuiteDraft.objects.select_for_update(of=("self",)).filter(pk=draft.pk).first()
    if locked is None:
        raise Conflict(_("This draft is gone: it was published or discarded."))
    return locked
