"""A LiteLLM configuration: every way in which something undecided could answer, by its line."""

import pytest

from oversight_gate import litellm_file
from oversight_gate.findings import Verdict
from tests.gate.conftest import CONFIG, GOOD, NEVER, OTHER, Words, found


def entry(name, subject=GOOD, deployment="chat-one", model="openai/m", extra=""):
    return f"""\
  - model_name: {name}
    litellm_params:
      model: {model}
{extra}    model_info:
      oversight: {{subject: "{subject}", deployment: {deployment}}}
"""


BOTH = Words((GOOD, "chat-one"), (GOOD, "chat-two"), (OTHER, "chat-two"))


def two(*more):
    """Two models with different weights, both allowed, and more sections."""
    listed = entry("big") + entry("small", OTHER, "chat-two")
    return "model_list:\n" + listed + "\n".join(more) + "\n"


class TestEntries:
    def test_what_is_decided_is_allowed_at_every_operator(self, check, words):
        report = check(CONFIG)
        assert (report.status, report.findings) == (0, [])
        assert [(row.name, row.serves, row.verdict) for row in report.rows] == [
            ("alpina-8b", "chat-one", None),
            ("alpina-8b", "chat-two", None),
        ]
        assert words.prepared == {(GOOD, "chat-one"), (GOOD, "chat-two")}

    def test_what_is_not_decided_is_refused_at_the_line_of_its_digest(self, check):
        report = check(CONFIG.replace("deployment: chat-two", "deployment: elsewhere"))
        assert report.status == 1
        assert found(report) == [("not-allowed", 18)]
        assert "Propose it" in report.findings[0].do

    def test_an_entry_that_names_no_weights_is_refused(self, check):
        report = check("model_list:\n  - model_name: x\n    litellm_params: {model: openai/x}\n")
        assert (report.status, found(report)) == (1, [("names-no-weights", 2)])

    @pytest.mark.parametrize(
        ("claim", "line"),
        [
            ("{subject: sha256:abc, deployment: chat-one}", 5),
            ("{deployment: chat-one}", 5),
            (f"{{subject: '{GOOD.upper()}', deployment: chat-one}}", 5),
            (f"{{subject: '{GOOD}'}}", 5),
            ("yes please", 5),
        ],
    )
    def test_a_claim_of_another_form_is_refused(self, check, claim, line):
        text = (
            "model_list:\n  - model_name: x\n    litellm_params: {model: openai/x}\n"
            f"    model_info:\n      oversight: {claim}\n"
        )
        report = check(text)
        assert (report.status, found(report)) == (1, [("names-no-weights", line)])

    @pytest.mark.parametrize(
        ("name", "model"), [("openai/*", "openai/*"), ("*", "openai/x"), ("x", "openai/*")]
    )
    def test_wildcards_are_refused_whatever_they_claim(self, check, name, model):
        report = check("model_list:\n" + entry(f'"{name}"', model=f'"{model}"'))
        assert report.status == 1
        assert [rule for rule, _ in found(report)] == ["wildcard"]

    def test_one_name_over_different_weights_is_refused_where_they_differ(self, check):
        text = "model_list:\n" + entry("chat") + entry("chat", OTHER, "chat-two")
        report = check(text, BOTH)
        assert (report.status, found(report)) == (1, [("same-name-other-weights", 11)])
        assert "line 2" in report.findings[0].says

    def test_a_setting_that_breaks_a_condition_is_refused(self, check):
        judge = Words(conditions={"maximum_temperature": "0.7"})
        text = "model_list:\n" + entry("x", extra="      temperature: {}\n")
        assert found(check(text.replace("{}", "0.9", 1), judge)) == [("breaks-condition", 5)]
        assert check(text.replace("{}", "0.7", 1), judge).status == 0
        assert check(text.replace("{}", "hot", 1), judge).status == 1

    def test_a_judge_that_cannot_tell_is_no_yes(self, check):
        report = check(CONFIG, Words(cannot="the bundle is old"))
        assert report.status == 2
        assert found(report) == [("not-judged", 9), ("not-judged", 18)]

    def test_a_refusal_weighs_more_than_a_doubt(self, check):
        text = CONFIG + entry("x", NEVER) + "surprise: 1\n"
        assert check(text).status == 1


class TestTheEnvironment:
    TEXT = "model_list:\n" + entry("x", model="os.environ/WHICH")

    def test_a_model_that_a_variable_decides_cannot_be_told(self, check):
        report = check(self.TEXT)
        assert (report.status, found(report)) == (2, [("decided-by-environment", 4)])

    def test_it_can_where_the_variable_is_shown_to_it(self, check, monkeypatch):
        monkeypatch.setenv("WHICH", "openai/m")
        assert check(self.TEXT, use_environment=True).status == 0
        monkeypatch.delenv("WHICH")
        assert check(self.TEXT, use_environment=True).status == 2

    def test_it_can_where_the_file_itself_sets_it(self, check):
        assert check(self.TEXT + "environment_variables: {WHICH: openai/m}\n").status == 0

    def test_an_address_from_a_variable_is_noted(self, check):
        report = check("model_list:\n" + entry("x", extra="      api_base: os.environ/WHERE\n"))
        assert (report.status, found(report)) == (0, [("decided-by-environment", 5)])

    def test_a_credential_that_is_not_in_the_file_cannot_be_told(self, check):
        text = "model_list:\n" + entry("x", extra="      litellm_credential_name: one\n")
        assert check(text).status == 2
        listed = "credential_list:\n  - credential_name: one\n    credential_values: {api_key: k}\n"
        assert check(text + listed).status == 0


ROUTES = [
    ("router_settings: {fallbacks: [{big: [%s]}]}", "fallbacks"),
    ("router_settings: {fallbacks: [{'*': [%s]}]}", "fallbacks"),
    ("router_settings: {context_window_fallbacks: [{big: [%s]}]}", "context_window_fallbacks"),
    ("router_settings: {content_policy_fallbacks: [{big: %s}]}", "content_policy_fallbacks"),
    ("router_settings: {default_fallbacks: [%s]}", "default_fallbacks"),
    ("litellm_settings: {fallbacks: [{big: [%s]}]}", "fallbacks"),
    ("litellm_settings: {default_fallbacks: [%s]}", "default_fallbacks"),
    ("general_settings: {completion_model: %s}", "completion_model"),
]


class TestRoutes:
    @pytest.mark.parametrize(("route", "kind"), ROUTES)
    def test_a_fallback_to_a_model_that_is_not_listed_is_refused(self, check, route, kind):
        report = check(two(route % "nobody"), BOTH)
        assert (report.status, found(report)) == (1, [("leads-nowhere", 12)])
        assert kind in report.findings[0].says

    @pytest.mark.parametrize(("route", "kind"), ROUTES)
    def test_a_fallback_to_other_weights_is_refused_though_both_are_allowed(
        self, check, route, kind
    ):
        report = check(two(route % "small"), BOTH)
        assert (report.status, found(report)) == (1, [("leads-to-other-weights", 12)])
        assert "without a word" in report.findings[0].says

    def test_the_operator_can_let_it_be_a_note(self, check):
        report = check(two(ROUTES[0][0] % "small"), BOTH, other=Verdict.NOTE)
        assert (report.status, found(report)) == (0, [("leads-to-other-weights", 12)])

    def test_a_fallback_to_the_same_weights_elsewhere_is_allowed(self, check):
        text = "model_list:\n" + entry("one") + entry("two", GOOD, "chat-two")
        assert check(text + "router_settings: {fallbacks: [{one: [two]}]}\n").status == 0

    def test_a_fallback_to_a_refused_model_is_refused_at_its_own_line(self, check):
        text = "model_list:\n" + entry("one") + entry("bad", NEVER)
        report = check(text + "router_settings: {fallbacks: [{one: [bad]}]}\n")
        assert ("leads-to-refused", 12) in found(report)
        assert ("not-allowed", 11) in found(report)

    @pytest.mark.parametrize("kind", ["model_group_alias", "model_alias_map"])
    def test_an_alias_is_another_name_for_what_is_listed(self, check, kind):
        assert check(two("router_settings: {model_group_alias: {m: big}}"), BOTH).status == 0
        report = check(two(f"litellm_settings: {{{kind}: {{m: nobody}}}}"), BOTH)
        assert found(report) == [("leads-nowhere", 12)]

    def test_an_alias_is_followed_from_a_fallback(self, check):
        alias = "model_group_alias: {s: {model: small, hidden: true}}"
        text = two(f"router_settings: {{{alias}, fallbacks: [{{big: [s]}}]}}")
        assert found(check(text, BOTH)) == [("leads-to-other-weights", 12)]

    def test_aliases_that_go_round_in_a_circle_lead_nowhere(self, check):
        text = two("router_settings: {model_group_alias: {a: b, b: a}}")
        assert [rule for rule, _ in found(check(text, BOTH))] == ["leads-nowhere"] * 2

    def test_a_fallback_that_brings_its_own_address_is_refused(self, check):
        text = two("router_settings: {fallbacks: [{big: [{model: big, api_base: http://x}]}]}")
        assert found(check(text, BOTH)) == [("models-from-elsewhere", 12)]

    def test_a_misspelt_name_is_guessed(self, check):
        report = check(two("router_settings: {fallbacks: [{big: [smal]}]}"), BOTH)
        assert report.findings[0].do == "Did you mean small?"

    def test_a_fallback_into_a_wildcard_leads_to_what_is_refused(self, check):
        text = two() + "router_settings: {fallbacks: [{big: [openai/gpt]}]}\n"
        text = text.replace("router", entry('"openai/*"', model="openai/m") + "router")
        assert ("leads-to-refused", 18) in found(check(text, BOTH))

    def test_what_holds_for_many_names_is_said_once(self, check):
        many = "".join(entry(f"big-{n}") for n in range(30))
        text = f"model_list:\n{many}{entry('small', OTHER, 'chat-two')}"
        report = check(text + "router_settings: {default_fallbacks: [small]}\n", BOTH)
        assert len(report.findings) == 1
        assert "big-0 and 29 more" in report.findings[0].says


class TestTheRestOfTheFile:
    @pytest.mark.parametrize(
        "setting",
        [
            "general_settings: {store_model_in_db: true}",
            "general_settings: {store_model_in_db: 'True'}",
            "general_settings: {infer_model_from_keys: true}",
            "general_settings: {pass_through_endpoints: [{path: /x, target: https://y}]}",
            "environment_variables: {STORE_MODEL_IN_DB: 'True'}",
            "finetune_settings: [{custom_llm_provider: openai}]",
            "router_settings: {plugins: [mine.py]}",
            "router_settings: {default_litellm_params: {api_base: https://x}}",
        ],
    )
    def test_a_door_that_lets_models_in_beside_the_file_is_refused(self, check, setting):
        report = check(f"{CONFIG}{setting}\n")
        assert (report.status, found(report)) == (1, [("models-from-elsewhere", 20)])

    def test_a_door_that_is_shut_is_none(self, check):
        shut = "general_settings: {store_model_in_db: false, pass_through_endpoints: []}\n"
        assert check(CONFIG + shut).status == 0

    @pytest.mark.parametrize(
        ("setting", "guess"),
        [
            ("router_setings: {}", "router_settings"),
            ("router_settings: {fallback: []}", "fallbacks"),
            ("litellm_settings: {secret_fallbacks: []}", ""),
            ("weird: 1", ""),
        ],
    )
    def test_a_key_that_is_not_known_and_could_lead_on_cannot_be_told(self, check, setting, guess):
        report = check(f"{CONFIG}{setting}\n")
        assert (report.status, found(report)) == (2, [("unknown-key", 20)])
        assert guess in report.findings[0].do

    def test_a_key_that_leads_nowhere_is_passed_over(self, check):
        more = "litellm_settings: {drop_params: true, some_callback: x}\n"
        assert check(CONFIG + more).status == 0

    def test_an_entry_with_a_strange_key_cannot_be_told(self, check):
        text = CONFIG.replace("    model_info:", "    fallbacks: [x]\n    model_info:", 1)
        assert found(check(text)) == [("unknown-key", 7)]

    def test_a_router_that_chooses_by_what_is_asked_cannot_be_told(self, check):
        text = "model_list:\n" + entry("x", extra="      auto_router_default_model: y\n")
        assert found(check(text)) == [("unknown-key", 5)]

    def test_a_file_without_models_is_allowed_and_says_so(self, check):
        report = check("general_settings: {master_key: os.environ/KEY}\n")
        assert (report.status, found(report)) == (0, [("not-judged", 1)])

    @pytest.mark.parametrize(
        "text",
        [
            "- a\n- b\n",
            "model_list: 5\n",
            "model_list:\n  - litellm_params: {model: x}\n",
            "model_list:\n  - model_name: x\n",
            "router_settings: {fallbacks: [x]}\n",
            "model_list: !!python/name:os.system\n",
            "include: x\n",
            "include: [none.yaml]\n",
        ],
    )
    def test_what_is_no_configuration_is_refused(self, check, text):
        report = check(text)
        assert (report.status, [rule for rule, _ in found(report)]) == (1, ["unreadable"])


class TestIncludes:
    def test_included_entries_are_judged_at_their_own_file_and_line(self, check, tmp_path):
        more = "model_list:\n" + entry("y", NEVER)
        report = check("include: [more.yaml]\n" + CONFIG, files={"more.yaml": more})
        assert report.status == 1
        (finding,) = report.findings
        assert (finding.place.path, finding.place.line) == (str(tmp_path / "more.yaml"), 6)

    def test_a_section_that_an_include_replaces_is_judged_as_replaced(self, check):
        text = "include: [more.yaml]\n" + CONFIG + "router_settings: {default_fallbacks: []}\n"
        more = "router_settings: {default_fallbacks: [nobody]}\n"
        report = check(text, files={"more.yaml": more})
        assert [rule for rule, _ in found(report)] == ["leads-nowhere"]

    def test_files_that_include_each_other_are_read_once(self, check):
        more = "include: [config.yaml]\n"
        assert check("include: [more.yaml]\n" + CONFIG, files={"more.yaml": more}).status == 0

    def test_more_files_than_any_proxy_has_are_refused(self, check, monkeypatch):
        monkeypatch.setattr(litellm_file, "MAX_FILES", 2)
        files = {"a.yaml": "x: 1\n", "b.yaml": "y: 1\n"}
        report = check("include: [a.yaml, b.yaml]\n" + CONFIG, files=files)
        assert [rule for rule, _ in found(report)] == ["unreadable"]


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_ENTRIES", 1), ("MAX_ROUTES", 0), ("MAX_DEFAULTS", 0)]
)
def test_more_than_any_proxy_has_is_refused(check, monkeypatch, limit, value):
    monkeypatch.setattr(litellm_file, limit, value)
    report = check(two("router_settings: {default_fallbacks: [big]}"), BOTH)
    assert [rule for rule, _ in found(report)] == ["unreadable"]
