"""Headlines that are findings: numbers in words, and sentences made of them."""

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve")  # fmt: skip


def number_word(number: int) -> str:
    """Return small numbers as words, larger ones as digits."""
    return _SMALL[number] if 0 <= number < len(_SMALL) else f"{number:,}"


def counted(number: int, one: str, many: str) -> str:
    """Return `three models`, `one model`, `no models`."""
    return f"{number_word(number)} {one if number == 1 else many}"


def sentence(text: str) -> str:
    """Return the text with a capital letter and a full stop."""
    return text[0].upper() + text[1:] + "."


def home_headline(in_service: int, being_decided: int) -> list[str]:
    """Return the home page's two sentences."""
    serving = counted(in_service, "model is", "models are") + " in service"
    deciding = counted(being_decided, "decision is", "decisions are") + " open"
    return [sentence(serving), sentence(deciding)]


def listed(items: list[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def votes_headline(votes_for: int, against: int, abstained: int) -> str:
    """Return `14 for, 3 against, 2 abstained`."""
    parts = [f"{votes_for} for", f"{against} against"]
    return ", ".join([*parts, f"{abstained} abstained"] if abstained else parts)


def lowered(text: str) -> str:
    """Return the text as the middle of a sentence has it."""
    return text[:1].lower() + text[1:]


def full_stop(text: str) -> str:
    """Return the text as a sentence that ends."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
