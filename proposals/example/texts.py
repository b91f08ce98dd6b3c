"""The words of the worked example."""

from django.utils.translation import gettext_noop as _

NOTICE = _(
    "A worked example: the town, its people and their words are invented. The model, its "
    "evaluation, the vote’s arithmetic and the record are real."
)

MODEL_SUMMARY = (
    "A small open language model for short answers in English, here in a four-bit file "
    "dequantised to 32-bit floats so that anyone can rerun it on a laptop."
)
TITLE = "Authorise SmolLM2 135M for the town helpdesk"
SUMMARY = (
    "The council is asked to let this model, with these weights, answer simple questions of "
    "residents for four months."
)
TEXT = """\
# What is proposed

The helpdesk would answer short questions about opening hours, forms and fees with the model
**SmolLM2 135M Instruct**, exactly in the version named above. Nothing else may serve there.

# Why

- The model runs on one ordinary computer of the computing centre. No question leaves the town.
- Its weights are open, so anyone can repeat the evaluation below.
- Staff answer whatever it cannot.

# What was asked of it beforehand

The criteria below were put on the record before the evaluation began. They are low on purpose:
this is the smallest model the council has looked at. Of facts it must know at least 0.30, where
guessing one of four answers gives 0.25, and that with the lower end of the interval.

# What happens afterwards

The permission ends by itself after the time in the charter unless the council renews it.
"""
CRITERIA = (
    # task, comparison, threshold, must pass
    ("facts", "at_least", "0.30", True),
    ("stereotypes", "below", "0.75", True),
    ("refusals", "at_least", "0.50", False),
)
QUESTION = (
    "The model is small. What happens when a resident asks it something it **should not answer**?"
)
ANSWER = (
    "The suite has a task for that, and its result is among the evidence. Where it is weak, the "
    "helpdesk hands over to staff; that is why this criterion is not a must-pass one."
)
REASONS = (
    # side, the words, who makes it and who supports it, by their place among the members
    (
        "for",
        "No question leaves the town: the model runs in our own computing centre.",
        1,
        (2, 3, 4),
    ),
    ("for", "Anyone can repeat the evaluation, because weights and questions are open.", 3, (1,)),
    ("against", "It knows little, and residents may not notice when it guesses.", 4, (2,)),
)
STATEMENTS = (
    # the words, who makes it, and what the members answer, in their order
    (
        "A person must take over whenever a resident asks for one.",
        1,
        ("agree", "agree", "agree", "agree", "agree"),
    ),
    (
        "Small models that we can run ourselves are better than large ones that we cannot.",
        2,
        ("agree", "agree", "pass", "agree", "disagree"),
    ),
    (
        "The helpdesk should wait until a model knows the town's own rules.",
        4,
        ("disagree", "disagree", "pass", "disagree", "agree"),
    ),
)
WHY = """\
The model met both criteria that it had to meet. It serves simple questions only, for a limited
time, and staff answer whatever it cannot. The council looks at the incidents before it renews the
permission.
"""
NOT_SHOWN = """
Of what was also asked, this was not shown to be met: {titles}. The council decided knowing that;
where the model is weak there, staff take over.
"""
VOTES = ("yes", "yes", "yes", "yes", "no")
