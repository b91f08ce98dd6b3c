"""The viewer of samples: what was asked, what was answered, what was right."""

import pytest
from django.db.models import F

from evals import artefacts
from evals.models import Run, TaskRun
from evals.reckoner import asking
from evals.samples import Sample, write_samples
from oversight.dashboards.shown_samples import CUT, SHOWN_CHARACTERS, lay_out

TASK = {"metric": "acc", "metric_label": "accuracy", "higher_is_better": True}


def shown(task=TASK, **fields):
    words = {
        "doc_id": 0,
        "item_id": "a",
        "group": None,
        "target": "1",
        "prompts": [["Q?\nAnswer:", " no"], ["Q?\nAnswer:", " yes"]],
        "responses": [
            {"loglikelihood": -3.5, "is_greedy": False},
            {"loglikelihood": -1.25, "is_greedy": True},
        ],
        "scores": {"acc": 1.0},
    } | fields
    (found,) = lay_out([Sample(**words)], task)
    return found


def test_a_shared_prompt_stands_once_above_its_choices():
    found = shown()
    assert found.prompt == "Q?\nAnswer:"
    assert [answer.text for answer in found.answers] == ["no", "yes"]
    assert [answer.context for answer in found.answers] == ["", ""]


def test_the_right_and_the_likeliest_answer_are_marked_apart():
    found = shown(target="0")
    assert [answer.is_target for answer in found.answers] == [True, False]
    assert [answer.is_likeliest for answer in found.answers] == [False, True]
    assert found.target == ""


@pytest.mark.parametrize(
    ("task", "score", "label"),
    [
        ({}, 1.0, "judged right"),
        ({}, 0.0, "judged wrong"),
        ({"higher_is_better": False}, 1.0, "counts against it"),
        ({"higher_is_better": False}, 0.0, "does not count"),
        # Preferring the stereotype in one pair is neither right nor wrong, nor is half a score.
        ({"neutral": "0.5"}, 1.0, None),
        ({}, 0.5, None),
    ],
)
def test_a_sample_says_how_it_was_judged_where_its_score_says_so(task, score, label):
    found = shown(TASK | task, scores={"acc": score})
    assert (found.judged and found.judged.label) == label


def test_metrics_are_named_in_words_the_one_that_judges_first():
    found = shown(scores={"acc_norm": 0.0, "acc": 1.0, "aaa": 0.5})
    assert [name for name, _ in found.scores] == ["accuracy", "aaa", "accuracy by length"]


def test_a_generated_answer_stands_beside_its_target():
    found = shown(
        target="no",
        prompts=[["Q?", {"until": ["\n"]}]],
        responses=["No, it is not."],
    )
    assert [answer.text for answer in found.answers] == ["No, it is not."]
    assert found.target == "no"
    assert not any(answer.is_target for answer in found.answers)


def test_prompts_that_differ_stand_with_their_answers():
    found = shown(prompts=[["He ", "works."], ["She ", "works."]])
    assert found.prompt == ""
    assert [answer.context for answer in found.answers] == ["He ", "She "]


def test_a_text_too_long_for_a_page_is_cut_and_says_so():
    found = shown(prompts=[["x" * 1_000_000, " no"], ["x" * 1_000_000, " yes"]])
    assert found.prompt == "x" * SHOWN_CHARACTERS + CUT


def test_responses_of_an_unknown_form_are_shown_as_they_are():
    found = shown(prompts=[{"odd": 1}], responses=[{"loglikelihood": True}])
    assert found.answers[0].text == "{'loglikelihood': True}"
    assert found.answers[0].loglikelihood is None


def test_the_viewer_walks_through_all_samples_page_by_page(client, world):
    address = f"{world.run.get_absolute_url()}samples/facts/"
    ids = []
    for page in range(1, 5):
        rows = client.get(address, {"page": page}).context["rows"]
        ids += [sample.item_id for sample, _ in rows]
    assert ids == [f"q{n}" for n in range(1, 81)]


def test_samples_of_a_run_of_recalled_answers_say_so(client, world, words):
    address = f"{world.run.get_absolute_url()}samples/facts/"
    assert "No answer was computed for this run." not in words(client.get(address))
    Run.objects.update(recalled=F("answers"))
    assert "No answer was computed for this run." in words(client.get(address))


def test_sensitive_texts_open_only_by_a_click(client, world):
    address = f"{world.run.get_absolute_url()}samples/facts/"
    assert b"<details" not in client.get(address).content.split(b"<main")[1]
    document = world.suite.document
    document["tasks"][0]["sensitive"] = True
    type(world.suite).objects.filter(pk=world.suite.pk).update(document=document)
    body = client.get(address).content.decode()
    assert body.count("<details>") == 25
    assert "These texts may hurt." in body


def test_a_missing_file_of_samples_is_said_and_hides_nothing_else(client, world, words):
    task_run = TaskRun.objects.get(run=world.run, task_name="facts")
    artefacts.path_of(task_run.samples_id).unlink()
    answer = client.get(f"{world.run.get_absolute_url()}samples/facts/")
    assert answer.status_code == 503
    assert "cannot be read here now" in words(answer)
    assert task_run.samples_id[:4] in words(answer)


def test_a_task_without_samples_has_no_viewer(client, world):
    assert client.get(f"{world.run.get_absolute_url()}samples/nothing/").status_code == 404


# -- Filters, search, another run ------------------------------------------------------------


def ids(response):
    return [sample.item_id for sample, _ in response.context["rows"]]


def test_scores_groups_and_words_narrow_what_is_shown(client, world):
    address = f"{world.run.get_absolute_url()}samples/facts/"
    right = client.get(address, {"only": "right"}).context["page"].paginator.count
    wrong = client.get(address, {"only": "wrong"}).context["page"].paginator.count
    assert (right, wrong) == (70, 10)
    found = client.get(address, {"q": "IS 77 EVEN"})
    assert ids(found) == ["q77"]
    assert ids(client.get(address, {"q": "no such words"})) == []
    assert "No sample is like this." in client.get(address, {"q": "x" * 400}).content.decode()


@pytest.mark.parametrize("query", ["only=odd", "group=none", "page=-1", "against=run-0"])
def test_filters_that_mean_nothing_show_everything(client, world, query):
    answer = client.get(f"{world.run.get_absolute_url()}samples/facts/?{query}")
    assert (answer.status_code, answer.context["page"].paginator.count) == (200, 80)


def test_another_run_stands_beside_and_changes_can_be_singled_out(client, world):
    address = f"{world.run.get_absolute_url()}samples/facts/"
    first = world.run
    world.decide(right=60)
    query = {"against": world.run.ref, "only": "changed"}
    answer = client.get(address, query)
    assert answer.context["page"].paginator.count == 10
    assert all(other is not None for _, other in answer.context["rows"])
    assert {s.doc_id for s, _ in answer.context["rows"]} == {
        other.doc_id for _, other in answer.context["rows"]
    }
    gained = client.get(address, query | {"only": "gained"}).context["page"].paginator.count
    lost = client.get(address, query | {"only": "lost"}).context["page"].paginator.count
    assert (gained, lost) == (10, 0)
    assert f"?against={world.run.ref}" not in client.get(address).content.decode()
    assert first.ref != world.run.ref


def test_rows_are_read_from_any_place_of_a_large_file(tmp_path):
    samples = [
        Sample(n * 2, f"i{n}", None, "0", [["a", "b"]], [f"reply {n}"], {"acc": n % 2})
        for n in range(5_000)
    ]
    path = tmp_path / "samples.parquet"
    write_samples(path, ["acc"], samples)
    last = asking.look(path, page=9_999, size=30)
    assert (last.number, last.total) == (167, 5_000)
    assert last.samples == samples[-20:]
    assert asking.look(path, page=67, size=30).samples == samples[1_980:2_010]
    some = b"".join(n.to_bytes(8, "big") for n in (4_000, 9, 12, 9_998))
    assert [s.doc_id for s in asking.look(path, size=9, allowed=some).samples] == [12, 4_000, 9_998]
    found = asking.look(path, size=9, words="REPLY 4999")
    assert ([s.doc_id for s in found.samples], found.total) == ([9_998], 1)
    assert asking.look(path, size=9, words="REPLY 4999", allowed=some).total == 1
    assert asking.look(path, size=9, words="REPLY 4998", allowed=some).samples == []
    assert [s for block in asking.blocks_of_samples(path) for s in block] == samples
