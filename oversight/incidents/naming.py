"""The thing that a word names: a use, a model version or an evaluation."""

from django.utils.translation import gettext as _

from evals.models import Run
from oversight.registry.models import DIGEST_PATTERN, Deployment, ModelVersion
from oversight.web.refusals import Invalid


def named(field: str, word: str) -> Deployment | ModelVersion | Run:
    """Return what a word names.

    Raises:
        Invalid: nothing has that name; the field is named.
    """
    word = word.strip()
    found: Deployment | ModelVersion | Run | None
    if DIGEST_PATTERN.match(word):
        found = ModelVersion.objects.select_related("model").filter(digest=word).first()
    elif word.startswith("run-"):
        found = Run.objects.filter(ref=word).first()
    else:
        found = Deployment.objects.filter(slug=word).first()
    if found is None:
        message = _("Nothing is called “%(word)s”: a use, a version's digest, or a run.") % {
            "word": word[:80],
        }
        raise Invalid(message, fields={field: message})
    return found
