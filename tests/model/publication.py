# SPDX-License-Identifier: MIT
"""What a writer makes, and a reader that comes upon it."""
from checker import ACQUIRE, RELEASE, Load, Store, explore


def new_record(orders):
    """A record appended to a table in a new extent.

    Stands for: publish_record (writer/registry.c)
    Stands for: writer_table_publish (writer/storage.c)
    Stands for: view_table_count (readers/view.c)
    """
    memory = dict(extent=0, text=0, state=0, count=0)
    writer = [
        Store("extent", 1), Store("text", 1), Store("state", "live"),
        Store("count", 1, orders.release("record and extent, then count (writer)")),
    ]
    reader = [
        Load("count", "count", orders.acquire("count, then extent and record (reader)")),
        Load("extent", "extent"), Load("state", "state"), Load("text", "text"),
    ]

    def check(final):
        seen = final.registers["reader"]
        whole = seen["extent"] and seen["state"] == "live" and seen["text"]
        return f"half a record: {seen}" if seen["count"] and not whole else None

    return explore(memory, dict(writer=writer, reader=reader), check)


def reused_record(orders):
    """A retired record becomes another series, in place: its text is overwritten.

    Stands for: publish_record (writer/registry.c)
    Stands for: parse_series (readers/parse.c)
    """
    memory = dict(state="retired 1", text=1, kind=1)
    writer = [
        Store("state", "reserved 2"),
        *orders.fence("reserved, then the text (writer)", RELEASE),
        Store("text", 2), Store("kind", 2),
        Store("state", "live 2", orders.release("the text, then live (writer)")),
        # And again: retired, a grace period later made a third one.
        Store("state", "retired 2", RELEASE),
        Store("state", "reserved 3"),
        *orders.fence("reserved, then the text (writer)", RELEASE),
        Store("text", 3),
        Store("state", "live 3", RELEASE),
    ]
    reader = [
        Load("state", "state", orders.acquire("state, then the text (reader)")),
        Load("text", "text"), Load("kind", "kind"),
        *orders.fence("the text, then state again (reader)", ACQUIRE),
        Load("again", "state"),
    ]

    def check(final):
        seen = final.registers["reader"]
        if not seen["state"].startswith("live") or seen["state"] != seen["again"]:
            return None
        number = int(seen["state"].split()[1])
        if (seen["text"], seen["kind"]) == (number, 2):
            return None
        return f"a name that is not its own: {seen}"

    return explore(memory, dict(writer=writer, reader=reader), check)


def key_moves(orders):
    """A key is removed and made again in another record; a reader that has read
    the old one's state before, and now finds the new one live, looks again.

    Stands for: retire (writer/remove.c)
    Stands for: is_stale (readers/directory.c)
    """
    memory = dict(old="live", new="free")
    writer = [
        Store("old", "retired"),
        Store("new", "live", orders.release("retired, then the new one live (writer)")),
    ]
    reader = [
        Load("old", "old"),
        Load("new", "new", orders.acquire("new state, then old state again (reader)")),
        *([Load("again", "old")] if orders.keep("a second look at the old one (reader)") else []),
    ]

    def check(final):
        seen = final.registers["reader"]
        twice = seen["new"] == "live" and seen.get("again", seen["old"]) == "live"
        return f"one key twice: {seen}" if twice else None

    return explore(memory, dict(writer=writer, reader=reader), check)


def first_block(orders):
    """A thread's first block of a series: its slot, its header, the list's head.

    Stands for: link_block (writer/touch.c)
    Stands for: blocks_chain_start (readers/blocks.c)
    """
    memory = dict(slots=1, index=0, slot=0, head=0)
    writer = [
        Store("slots", 2, RELEASE),
        Store("index", 7), Store("slot", 1),
        Store("head", 64, orders.release("slot and header, then the list's head (writer)")),
    ]
    reader = [
        Load("head", "head", orders.acquire("head, then header and slots (reader)")),
        Load("slots", "slots", ACQUIRE),
        Load("index", "index"), Load("slot", "slot"),
    ]

    def check(final):
        seen = final.registers["reader"]
        if not seen["head"] or (seen["index"] == 7 and seen["slot"] < seen["slots"] and
                                seen["slot"] == 1):
            return None
        return f"a bad block: {seen}"

    return explore(memory, dict(writer=writer, reader=reader), check)


def growth(orders):
    """The file grows; a block is put there; a reader must not touch what is not.

    Stands for: shm_grow (shm/grow.c)
    Stands for: shm_committed (shm/attach.c)
    """
    memory = dict(page=0, committed=1)
    writer = [
        Store("page", 1), # posix_fallocate
        Store("committed", 2, orders.release("pages, then committed size (writer)")),
    ]
    # It has an offset already, whatever from: a damaged file may hold any.
    reader = [
        Load("committed", "committed", orders.acquire("committed size, then pages (reader)")),
        Load("page", "page"),
    ]

    def check(final):
        seen = final.registers["reader"]
        touched = seen["committed"] == 2
        return f"a page that is not there: {seen}" if touched and not seen["page"] else None

    return explore(memory, dict(writer=writer, reader=reader), check)


MODELS = [new_record, reused_record, key_moves, first_block, growth]
