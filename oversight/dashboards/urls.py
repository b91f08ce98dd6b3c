"""Addresses of the public pages."""

from django.urls import path

from oversight.dashboards.health import healthz
from oversight.dashboards.views import (
    audit,
    decisions,
    evaluations,
    overview,
    pages,
    record,
    registry,
)
from oversight.web.api_document_view import ApiDocument

urlpatterns = [
    path("", overview.home, name="home"),
    path("my/", overview.my_work, name="my-work"),
    path("healthz", healthz, name="healthz"),
    path("in-service/", registry.in_service, name="in-service"),
    path("models/<slug:slug>/", registry.model, name="model"),
    path("deployments/<slug:slug>/", registry.deployment, name="deployment"),
    path("findings/", evaluations.findings, name="findings"),
    path("suites/<slug:slug>/", evaluations.suite, name="suite"),
    path("suites/<slug:slug>/<int:number>/", evaluations.suite, name="suite-version"),
    path("runs/<str:ref>/", evaluations.run, name="run"),
    path("runs/<str:ref>/samples/<str:task_name>/", evaluations.samples, name="run-samples"),
    path("ns/evaluation-result/v1", evaluations.statement_type, name="statement-type"),
    path("deciding/", decisions.deciding, name="deciding"),
    path("decisions/<str:ref>/", decisions.decision, name="decision"),
    path("decisions/<str:ref>/record.json", decisions.decision_record, name="decision-record"),
    path("decisions/<str:ref>/contract.json", decisions.contract, name="decision-contract"),
    path("decisions/<str:ref>/bundle.zip", audit.decision_bundle, name="decision-bundle"),
    path("deployments/<slug:slug>/bundle.zip", audit.deployment_bundle, name="deployment-bundle"),
    path("audit/bundle.zip", audit.log_bundle, name="log-bundle"),
    path("audit/verify.py", audit.verifier, name="verifier"),
    path("bodies/<slug:slug>/", decisions.body, name="body"),
    path("record/", record.record, name="record"),
    path("record/status/", record.status, name="record-status"),
    path("record/check/", record.check, name="record-check"),
    path("record/<int:index>/", record.entry, name="record-entry"),
    path("record/<int:index>/leaf.json", record.leaf, name="record-leaf"),
    path("receipts/<uuid:leaf_id>/", record.receipt, name="receipt"),
    path("how-to-verify/", pages.how_to_verify, name="how-to-verify"),
    path("data/", pages.data, name="data"),
    path("accessibility/", pages.accessibility, name="accessibility"),
    path("design/", pages.design, name="design"),
    path("api/schema/", ApiDocument.as_view(), name="api-schema"),
    path("api/docs/", pages.api_reference, name="api-docs"),
]
