"""All addresses of the site: each floor brings its own; pages have one for each language."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from oversight.web.languages import others_of, pages_of

handler400 = "oversight.web.views.bad_request"
handler404 = "oversight.web.views.not_found"
handler500 = "oversight.web.views.fault"

FLOORS = (
    "oversight.webhooks.urls",
    "oversight.snapshots.urls",
    "oversight.incidents.urls",
    "oversight.dashboards.urls",
    "proposals.urls",
    "evals.urls",
    "oversight.registry.urls",
    "oversight.accounts.urls",
)

urlpatterns = [
    path("", include(list(others_of(*FLOORS)))),
    *i18n_patterns(
        *pages_of(*FLOORS),
        path("accounts/", include("allauth.urls")),
        prefix_default_language=False,
    ),
    path("log/", include("oversight.ledger.urls")),
    path("admin/", admin.site.urls),
]
