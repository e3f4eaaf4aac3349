# SPDX-License-Identifier: MIT
"""A series is removed, and its record becomes another series."""
from checker import ACQUIRE, FULL, RELEASE, Fence, Load, Lock, Store, Unlock, Wait, explore

SHUT, OPEN = 0, 1


def record_by_name(tag):
    """Inside a read section: look the series up, open the gate if it is shut."""
    found, gate, still, value = (f"{word}{tag}" for word in ("found", "gate", "still", "value"))

    def shut(r):
        return r[found] and r[gate] == SHUT

    def records(r):
        return r[found] and (r[gate] == OPEN or r[still])

    return [
        Store("section", 1), Fence(FULL),
        Load(found, "table"),
        Load(gate, "gate"),
        Lock(when=shut),
        Load(still, "table", when=shut),
        Store("gate", OPEN, when=lambda r: shut(r) and r[still]),
        Unlock(when=shut),
        Load(value, "cell"),
        Store("cell", lambda r: r[value] + 1, when=records),
        Fence(FULL), Store("section", 0),
    ]


def remove_beside_record(orders):
    """A thread records by name while the series is removed; then the next series
    counts 100 in the same cell. That clean() shuts the gates once more is left out:
    who touches looks under the lock whether there is a series.

    Stands for: bury (writer/remove.c)
    Stands for: retire (writer/remove.c)
    Stands for: clean (writer/remove.c)
    Stands for: may_touch (writer/touch.c)
    Stands for: enter (writer/named.c)
    """
    memory = dict(table=1, gate=SHUT, cell=5, section=0, mutex=0)
    grace = [Wait("section", 0)]
    if not orders.keep("a grace period before the cells are zeroed"):
        grace = []
    unlock, lock = [Unlock()], [Lock()]
    if not orders.keep("the grace period is waited for without the lock"):
        unlock, lock = [], []
    remover = [
        Lock(), Store("table", 0), Store("gate", SHUT), *unlock,
        *grace,
        *lock, Store("cell", 0), Unlock(),
        # The next series, recorded into by way of its handle.
        Lock(), Load("stale", "gate"), Unlock(),
        Store("cell", 100),
    ]

    def check(final):
        if final.memory["cell"] != 100:
            return f"the next series counts {final.memory['cell']} instead of 100"
        if final.registers["remover"]["stale"] == OPEN:
            return "the gate of the removed series is still open"
        return None

    return explore(memory, dict(remover=remover, recorder=record_by_name("")), check)


def remove_beside_reader(orders):
    """A reader that knows series 1 (of value 5) from an earlier pass looks on while
    it is removed and its record becomes series 2 (of value 100).

    Stands for: step_retiring (writer/remove.c)
    Stands for: retire (writer/remove.c)
    Stands for: collect_snapshot (readers/collect.c)
    Stands for: drop_retired (readers/collect.c)
    """
    memory = dict(state="live 1", retiring=0, cell=5)
    retired = [Store("state", "retired 1", RELEASE)]
    zeroed = [
        Store("retiring", 1, RELEASE),
        *orders.fence("retiring odd, then zeroes (writer)", RELEASE),
        Store("cell", 0),
        Store("retiring", 2, RELEASE),
    ]
    in_order = orders.keep("retired, then zeroes (writer)")
    remover = [
        *(retired + zeroed if in_order else zeroed + retired),
        Store("state", "reserved 2"), Fence(RELEASE),
        Store("state", "live 2", RELEASE),
        Store("cell", 100),
    ]
    reader = [
        Load("retiring", "retiring",
             orders.acquire("retiring, then states and cells (reader)")),
        Load("state", "state", ACQUIRE),
        Load("cell", "cell"),
        *orders.fence("cells, then retiring and state again (reader)", ACQUIRE),
        Load("retiring again", "retiring"), Load("state again", "state"),
    ]

    def check(final):
        seen = final.registers["reader"]
        if seen["retiring"] == 0: # nothing to look at again: the name is known
            shown = "1" if seen["retiring again"] == 0 else None
        else:
            shown = seen["state"].split()[1] if seen["state"].startswith("live") else None
            if seen["retiring"] == 1 and seen["state again"] != seen["state"]:
                shown = None
            if seen["retiring"] == 2 and seen["retiring again"] != 2:
                shown = None
        wrong = (shown == "1" and seen["cell"] != 5) or (shown == "2" and seen["cell"] == 5)
        return f"series {shown} shows {seen['cell']}: {seen}" if wrong else None

    return explore(memory, dict(remover=remover, reader=reader), check)


def recent_name(orders):
    """A thread remembers the series of a name; the series is removed and freed.

    Stands for: enter_familiar (writer/named.c)
    Stands for: is_fresh (writer/named.c)
    Stands for: writer_registry_unlink (writer/registry.c)
    """
    memory = dict(removals=0, section=0, freed=0)
    raised = [Store("removals", 1, RELEASE)]
    grace = [Wait("section", 0)]
    in_order = orders.keep("removals raised, then the grace period (remover)")
    remover = [*(raised + grace if in_order else grace + raised), Store("freed", 1)]
    recorder = [
        Store("section", 1),
        *orders.fence("the section, then the look at removals (recorder)", FULL),
        Load("removals", "removals", ACQUIRE),
        Load("freed", "freed"), # the series itself, if removals is what it was
        *orders.fence("use of the series, then the section's end (recorder)", FULL),
        Store("section", 0),
    ]

    def check(final):
        seen = final.registers["recorder"]
        return "used after it was freed" if seen["removals"] == 0 and seen["freed"] else None

    return explore(memory, dict(remover=remover, recorder=recorder), check)


MODELS = [remove_beside_record, remove_beside_reader, recent_name]
