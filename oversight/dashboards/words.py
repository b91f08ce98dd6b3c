"""Headlines that are findings: numbers in words, and sentences made of them."""

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve")  # fmt: skip


def number_word(number: int) -> str:
    """Return small numbers as words, larger ones as digits."""
    return _SMALL[number] if 0 <= number < len(_SMALL) else f"{number:,}".replace(",", "\u202f")


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
