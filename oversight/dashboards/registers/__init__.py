"""A deployment in the fields of public registers, filled from the record and its descriptions.

`entry` gathers what is known; each other room writes it in the fields of one register and says
which of those that the register asks for are empty. Nothing is made up to fill one.
"""
