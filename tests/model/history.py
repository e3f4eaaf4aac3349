# SPDX-License-Identifier: MIT
"""An entry of the history that is overwritten while a reader copies it."""
from checker import ACQUIRE, RELEASE, Load, Store, explore


def history_entry(orders):
    """Entry 1 is made and then gives way to entry 2, which takes its chunk.

    Stands for: forget (writer/history.c)
    Stands for: store_entry (writer/history.c)
    Stands for: load_head (readers/history.c)
    Stands for: history_fetch (readers/history.c)
    """
    memory = dict(sequence=0, head=0, chunk=0)
    whole = orders.release("entry and chunk, then sequence (writer)")
    writer = [
        Store("chunk", 1), Store("head", 1), Store("sequence", 1, whole),
        Store("sequence", 0),
        *orders.fence("no sequence, then entry and chunk (writer)", RELEASE),
        Store("chunk", 2), Store("head", 2), Store("sequence", 2, whole),
    ]
    reader = [
        Load("before", "sequence", orders.acquire("sequence, then the entry (reader)")),
        Load("head", "head"), Load("chunk", "chunk"),
        *orders.fence("entry and chunk, then sequence again (reader)", ACQUIRE),
        Load("after", "sequence"),
    ]

    def check(final):
        seen = final.registers["reader"]
        if seen["before"] == 0 or seen["before"] != seen["after"]:
            return None # another try, or none
        if seen["head"] == seen["chunk"] == seen["before"]:
            return None
        return f"taken for whole: {seen}"

    return explore(memory, dict(writer=writer, reader=reader), check)


def history_table(orders):
    """The first tick makes the table; a reader looks for it meanwhile.

    Stands for: make_table (writer/history.c)
    Stands for: history_place (readers/history.c)
    """
    memory = dict(table=0, off=0)
    writer = [
        Store("table", 1),
        Store("off", 1, orders.release("table, then where it is (writer)")),
    ]
    reader = [
        Load("off", "off", orders.acquire("where it is, then table (reader)")),
        Load("table", "table"),
    ]

    def check(final):
        seen = final.registers["reader"]
        return "found before it was filled" if seen["off"] and not seen["table"] else None

    return explore(memory, dict(writer=writer, reader=reader), check)


MODELS = [history_entry, history_table]
