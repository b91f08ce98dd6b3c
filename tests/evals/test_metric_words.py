"""Metrics in words: in the reader's language where we know them, else as they were written."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import override

from evals.metric_words import metric_choices, metric_label, metric_notes, metric_words
from evals.suites.benchmarks import definitions

SUITES = Path(settings.BASE_DIR) / "evals" / "suites"
SOURCES = {".py", ".json"}
TASK = {"metric": "acc_norm", "metric_label": "accuracy"}


@pytest.mark.parametrize(
    ("language", "said"), [("en", "accuracy"), ("de", "Genauigkeit"), ("fr", "exactitude")]
)
def test_words_that_many_suites_use_are_in_the_readers_language(language, said):
    with override(language):
        assert metric_label(TASK) == said
        assert metric_words(TASK, "acc_norm") == said
        assert metric_words(TASK, "acc").startswith(said)
        assert metric_choices(["acc"]) == [("acc", f"acc: {said}")]


def test_an_authors_own_words_and_unknown_metrics_stay_as_they_are():
    with override("de"):
        # The translation of the empty text is the head of the catalogue.
        for words in ("", "decided", "mean of the clerks' marks"):
            assert metric_label({"metric_label": words}) == words
        assert metric_words(TASK, "bleu") == "bleu"
        assert metric_choices(["bleu"]) == [("bleu", "bleu")]


def test_what_a_metric_means_is_said_in_one_language():
    with override("fr"):
        [note] = metric_notes(["acc", "acc_norm"])
    assert note.startswith("Exactitude selon la longueur (acc_norm)\N{NARROW NO-BREAK SPACE}: est")


def test_every_label_that_we_write_into_documents_is_translated():
    source = "".join(path.read_text() for path in SUITES.rglob("*") if path.suffix in SOURCES)
    written = {
        *re.findall(r'metric_label"?[:=] ?"([^"]+)"', source),
        *(definition.metric[1] for definition in definitions().values()),
    }
    assert len(written) > 5
    with override("de"):
        same = {each for each in written if metric_label({"metric_label": each}) == each}
    assert same == set()
