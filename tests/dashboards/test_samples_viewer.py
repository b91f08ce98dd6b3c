"""The viewer of samples: what was asked, what was answered, what was right."""

from evals import artefacts
from evals.models import TaskRun
from evals.samples import Sample
from oversight.dashboards.shown_samples import CUT, SHOWN_CHARACTERS, lay_out


def shown(**fields):
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
    (found,) = lay_out([Sample(**words)])
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
        ids += [row.item_id for row in client.get(address, {"page": page}).context["rows"]]
    assert ids == [f"q{n}" for n in range(1, 81)]


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
