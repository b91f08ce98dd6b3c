"""What pages put around words that are put in or taken out, for those who see no colour."""


def put_in(words: str) -> str:
    return (
        f'<ins><span class="visually-hidden">(put in: </span>{words}'
        '<span class="visually-hidden">)</span></ins>'
    )


def taken_out(words: str) -> str:
    return (
        f'<del><span class="visually-hidden">(taken out: </span>{words}'
        '<span class="visually-hidden">)</span></del>'
    )
