"""What there is to download, in the words of DCAT 3 (W3C), as JSON-LD.

Source: w3.org/TR/vocab-dcat-3. Data portals read it and list what this site has.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse

from oversight.dashboards.tables.columns import Table
from oversight.dashboards.tables.dictionary import FORMS, LICENCE, LISTS
from oversight.snapshots.models import Snapshot

CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def catalogue(snapshots: Iterable[Snapshot]) -> dict[str, Any]:
    """Return the catalogue of all lists and of these snapshots."""
    return {
        "@context": CONTEXT,
        "@id": _whole(reverse("data")),
        "@type": "dcat:Catalog",
        "dct:title": f"{settings.SITE_NAME}: public lists",
        "dct:license": {"@id": LICENCE["path"]},
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": settings.SITE_NAME},
        "foaf:homepage": {"@id": settings.PUBLIC_URL},
        "dcat:dataset": [*map(_of_list, LISTS), _of_snapshots(list(snapshots))],
    }


def _of_list(table: Table) -> dict[str, Any]:
    return {
        "@id": f"{_whole(reverse('dictionary'))}#{table.name}",
        "@type": "dcat:Dataset",
        "dct:identifier": table.name,
        "dct:title": table.title,
        "dct:description": table.about,
        "dct:conformsTo": {"@id": _whole(reverse("dictionary-json"))},
        "dcat:distribution": [
            {
                "@type": "dcat:Distribution",
                "dcat:downloadURL": {"@id": _whole(reverse("whole-list", args=[table.name, form]))},
                "dcat:mediaType": kind.partition(";")[0],
                "dct:license": {"@id": LICENCE["path"]},
            }
            for form, kind in FORMS.items()
        ],
    }


def _of_snapshots(snapshots: list[Snapshot]) -> dict[str, Any]:
    return {
        "@id": f"{_whole(reverse('data'))}#everything",
        "@type": "dcat:Dataset",
        "dct:identifier": "everything",
        "dct:title": "All public lists in one file",
        "dct:description": "Every list in three forms with the signed checkpoint of the log.",
        "dct:accrualPeriodicity": {
            "@id": "http://publications.europa.eu/resource/authority/frequency/MONTHLY"
        },
        "dcat:distribution": [
            {
                "@type": "dcat:Distribution",
                "dcat:downloadURL": {"@id": _whole(reverse("snapshot", args=[each.file_id]))},
                "dcat:mediaType": "application/zip",
                "dcat:byteSize": each.file.size,
                "dct:issued": {"@type": "xsd:dateTime", "@value": each.made_at.isoformat()},
                "dct:license": {"@id": LICENCE["path"]},
                "spdx:checksum": {
                    "@type": "spdx:Checksum",
                    "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
                    "spdx:checksumValue": each.file_id,
                },
            }
            for each in snapshots
        ],
    }


def _whole(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
