"""Shape of the HTML input on the deciding floor.

`texts` asks for what is proposed and said, `ballots` for votes, `charters` for a body's rules.
"""
