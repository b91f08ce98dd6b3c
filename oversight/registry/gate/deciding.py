"""The gate: may this digest serve this deployment at this moment?

It reads decisions in force and nothing else, and answers no whenever it cannot prove yes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from django.db import models
from django.utils.translation import gettext as _

from oversight.registry.choices import AuthorisationState, GateCode
from oversight.registry.models import Authorisation, Deployment, ModelVersion
from oversight.web.clock import database_now, in_words

_REFUSED_STATES = {
    AuthorisationState.SUSPENDED: GateCode.SUSPENDED,
    AuthorisationState.REVOKED: GateCode.REVOKED,
    AuthorisationState.SUPERSEDED: GateCode.SUPERSEDED,
}


class ClockTimestamp(models.Func):
    """The database's clock at the moment of the reading, in the same question as what is read."""

    function = "clock_timestamp"
    arity = 0
    output_field = models.DateTimeField()


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """One answer with everything it rests on."""

    subject: str
    deployment_slug: str
    code: GateCode
    checked_at: datetime
    version: ModelVersion | None = None
    deployment: Deployment | None = None
    authorisation: Authorisation | None = None

    @property
    def allowed(self) -> bool:
        """Whether the version may serve."""
        return self.code == GateCode.AUTHORISED

    @property
    def reason(self) -> str:
        """The reason as a sentence, as programs get it."""
        return self._sentence(lambda moment: f"{moment:%Y-%m-%d %H:%M} UTC")

    @property
    def words(self) -> str:
        """The same for people: with times as the language that is spoken writes them."""
        return self._sentence(lambda moment: in_words(moment, "UTC"))

    def _sentence(self, written: Callable[[datetime], str]) -> str:
        words, row = str(self.code.label), self.authorisation
        if row and row.ends_at and self.code in {GateCode.AUTHORISED, GateCode.EXPIRED}:
            until = _("%(why)s until %(at)s") if self.allowed else _("%(why)s on %(at)s")
            words = until % {"why": words, "at": written(row.ends_at)}
        if row and row.suspended_until and self.code == GateCode.SUSPENDED:
            lapses = _("%(why)s in an emergency, until %(at)s unless it is ratified")
            words = lapses % {"why": words, "at": written(row.suspended_until)}
        return words[0].upper() + words[1:] + "."

    @property
    def facts(self) -> tuple[object, ...]:
        """What the answer follows from; the same facts give the same answer until a time passes."""
        row = self.authorisation
        rests_on = (
            (row.pk, row.state, row.changed_by, row.starts_at, row.ends_at, row.suspended_until)
            if row
            else ()
        )
        return (self.code, str(self.version), str(self.deployment), *rests_on)

    def at(self, moment: datetime) -> Self:
        """Return what the same rows answer at another moment."""
        code = _code(self.version, self.deployment, self.authorisation, moment)
        return replace(self, code=code, checked_at=moment)


def answer(*, subject: str, deployment_slug: str, moment: datetime | None = None) -> GateAnswer:
    """Answer for a weights digest (`sha256:…`) and a deployment's name.

    The authorisation of exactly this pair that stands decides, at most one can; where none does,
    the newest says why.
    """
    found = (
        Authorisation.objects.with_parts()
        .defer("version__manifest", "version__card", "version__source")
        .filter(version__digest=subject, deployment__slug=deployment_slug)
        .standing_first()
        .annotate(read_at=ClockTimestamp())
        .first()
    )
    if found is None:
        return _without_authorisation(subject, deployment_slug, moment or database_now())
    now = moment or found.read_at.astimezone(UTC)  # type: ignore[attr-defined]
    code = _code(found.version, found.deployment, found, now)
    return GateAnswer(subject, deployment_slug, code, now, found.version, found.deployment, found)


def _without_authorisation(subject: str, slug: str, now: datetime) -> GateAnswer:
    version = ModelVersion.objects.select_related("model").filter(digest=subject).first()
    deployment = Deployment.objects.select_related("endpoint__operator").filter(slug=slug).first()
    return GateAnswer(
        subject, slug, _code(version, deployment, None, now), now, version, deployment
    )


def _code(
    version: ModelVersion | None,
    deployment: Deployment | None,
    authorisation: Authorisation | None,
    now: datetime,
) -> GateCode:
    if deployment is None:
        return GateCode.UNKNOWN_DEPLOYMENT
    if version is None:
        return GateCode.UNKNOWN_VERSION
    if authorisation is None:
        return GateCode.NEVER_DECIDED
    state = authorisation.state_at(now)
    if state in _REFUSED_STATES:
        return _REFUSED_STATES[state]
    return _code_in_time(authorisation, now)


def _code_in_time(authorisation: Authorisation, now: datetime) -> GateCode:
    """Judge a granted authorisation by the clock alone."""
    if now < authorisation.starts_at:
        return GateCode.NOT_YET
    if authorisation.ends_at is not None and now >= authorisation.ends_at:
        return GateCode.EXPIRED
    return GateCode.AUTHORISED
