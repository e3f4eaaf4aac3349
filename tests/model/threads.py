# SPDX-License-Identifier: MIT
"""A thread ends, and its slot goes to the next one."""
from checker import ACQUIRE, RELAXED, Load, Lock, Store, Unlock, Update, explore

DUMMY, REAL = 0, 1


def add(register, word, when=None):
    """What astshm_cell_add is on arm64: nobody else writes the word."""
    return [Load(register, word), Store(word, lambda r: r[register] + 1, when=when)]


def inherit(orders):
    """The old thread counts, ends, and counts once more from a late destructor of
    the host; the new one takes the slot, if it is free by then, and counts.

    Stands for: leave_writer (writer/thread.c)
    Stands for: take_slot (writer/thread.c)
    Stands for: free_slot (writer/thread.c)
    """
    memory = dict(row=REAL, free=0, cell=0, shared=0, mutex=0)
    dummy = [Store("row", DUMMY)]
    freed = [Lock(), Store("free", 1), Unlock()]
    if not orders.keep("the slot is freed and taken under the lock"):
        freed = [Store("free", 1)]
    first = orders.keep("the dummy row, then the slot is freed (old thread)")
    old = [
        *add("mine", "cell"),
        *(dummy + freed if first else freed),
        Load("row", "row"),
        *add("late", "cell", when=lambda r: r["row"] == REAL),
        Update("drop", "shared", lambda n: n + 1, when=lambda r: r["row"] == DUMMY),
        *([] if first else dummy),
    ]
    locked = orders.keep("the slot is freed and taken under the lock")
    new = [
        *([Lock()] if locked else []),
        Load("free", "free"),
        *([Unlock()] if locked else []),
        *add("heir", "cell", when=lambda r: r["free"]),
        Update("drop", "shared", lambda n: n + 1, when=lambda r: not r["free"]),
    ]

    def check(final):
        total = final.memory["cell"] + final.memory["shared"]
        return None if total == 3 else f"3 records, {total} counted"

    return explore(memory, dict(old=old, new=new), check)


def shared_slot(orders):
    """Two threads that found no slot count in the same cell.

    Stands for: shared_add (writer/record.c)
    """
    memory = dict(cell=0)
    at_once = orders.keep("the addition is one step")

    def thread(name):
        if at_once:
            return [Update(name, "cell", lambda n: n + 1)]
        return add(name, "cell")

    def check(final):
        return None if final.memory["cell"] == 2 else f"{final.memory['cell']} of 2 counted"

    return explore(memory, dict(one=thread("one"), other=thread("other")), check)


def signal_cell(orders):
    """A counter becomes safe for signal handlers while a handler looks for its cell.

    Stands for: give_shared_cell (writer/registry.c)
    Stands for: astshm_counter_add_signal (writer/record.c)
    """
    # The storage held something before: a removed series' cell is zeroed first.
    memory = dict(cell=7, pointer=0)
    maker = [
        Store("cell", 0),
        Store("pointer", 1, orders.release("the zero, then the pointer (maker)")),
    ]
    handler = [
        Load("pointer", "pointer", ACQUIRE),
        Update("old", "cell", lambda n: n + 1, RELAXED, when=lambda r: r["pointer"]),
    ]

    def check(final):
        expected = 1 if final.registers["handler"]["pointer"] else 0
        return None if final.memory["cell"] == expected else \
            f"the cell holds {final.memory['cell']} instead of {expected}"

    return explore(memory, dict(maker=maker, handler=handler), check)


def last_values(orders):
    """A writer closes; a reader that finds it closed has its last values.

    Stands for: mark_closed (writer/open.c)
    Stands for: is_closed (readers/reader.c)
    """
    memory = dict(cell=1, state="live")
    writer = [Store("cell", 2),
              Store("state", "closed", orders.release("values, then closed (writer)"))]
    reader = [Load("state", "state", orders.acquire("closed, then values (reader)")),
              Load("cell", "cell")]

    def check(final):
        seen = final.registers["reader"]
        late = seen["state"] == "closed" and seen["cell"] != 2
        return f"closed, but without the last value: {seen}" if late else None

    return explore(memory, dict(writer=writer, reader=reader), check)


MODELS = [inherit, shared_slot, signal_cell, last_values]
