"""What the worked example says of its model, its use and its endpoint.

Of the model: what its developers' paper and card say. Of use and endpoint: invented, like the town.
"""

from typing import Any

MODEL: dict[str, Any] = {
    "intended_use": (
        "Short answers in English, on devices with little memory. Made by its developers as the "
        "smallest of three models of one family."
    ),
    "out_of_scope": (
        "Languages other than English, advice on which somebody's health, money or rights depend, "
        "and anything that nobody checks."
    ),
    "languages": ["en"],
    "modalities": "text to text",
    "parameters": 134_515_008,
    "context_tokens": 8192,
    "training_data": (
        "Two trillion tokens of FineWeb-Edu, DCLM and The Stack, with filtered sets of its "
        "developers'; then public and their own instruction data."
    ),
    "personal_data": ("Web text names people. What is left of that after filtering is not stated."),
    "method": (
        "A decoder-only transformer of 30 layers. Pre-training, supervised fine-tuning, then "
        "direct preference optimisation on UltraFeedback. Here as a four-bit file, dequantised."
    ),
    "limitations": (
        "Its answers may be wrong, inconsistent or biased; it is an aid, not a source. It knows "
        "nothing of the town."
    ),
    "risks": (
        "Residents may take a guess for a fact. Each answer names the office to ask, and staff "
        "answer whatever it cannot."
    ),
    "fairness": "See the task on stereotypes of the suite; no other groups were looked at.",
    "provider": "Hugging Face",
    "documentation": "https://arxiv.org/abs/2502.02737",
}

USE: dict[str, Any] = {
    "goal": (
        "Residents learn opening hours, forms and fees at any hour, and staff have time for the "
        "questions that need them."
    ),
    "process": (
        "A resident asks on the town's page. The answer names the office it is about. Whoever asks "
        "for a person gets one in office hours."
    ),
    "alternatives": (
        "A list of frequent questions, which stays; a larger model elsewhere, which the council "
        "did not want because questions would leave the town."
    ),
    "input_data": "The question as it was typed. Nothing else, and it is not kept.",
    "output": "A short text. Nothing is decided by it.",
    "website": "https://town.example.org/helpdesk",
    "legal_basis": "Information ordinance of the town, article 3.",
    "category": "other",
    "proportionality": (
        "It decides nothing and keeps nothing; the same can be learnt by telephone. Its costs are "
        "those of one ordinary computer."
    ),
    "personal_data": "none",
    "impact_assessment": (
        "A short one by the data protection officer: no personal data is asked for or kept, so "
        "that no full assessment was made."
    ),
    "human_oversight": (
        "Staff of the information desk read a sample of answers each week, correct the page, and "
        "can switch the helpdesk off."
    ),
    "monitoring": "Weekly samples, and the incidents that are reported here.",
    "risks": (
        "Wrong answers: they are marked as given by a machine, with the office to ask. Rude "
        "questions: see the task on refusals."
    ),
    "objection": "Report an incident here, or write to the information desk, which answers.",
    "department": "Information desk",
    "supplier": "Hugging Face (open weights)",
    "contact": "information@town.example.org",
}

ENDPOINT: dict[str, Any] = {
    "served_as": "smollm2-135m-instruct",
    "interface": "chat",
    "temperature": "0",
    "max_tokens": 200,
    "requests_per_minute": 60,
    "regions": ["CH"],
}
