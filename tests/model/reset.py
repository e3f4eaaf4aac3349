# SPDX-License-Identifier: MIT
"""Both resets, while a thread records and a reader reads."""
from checker import ACQUIRE, RELEASE, Load, Lock, Store, Unlock, Wait, explore


def reset_counters(orders):
    """Two resets, one after the other, of a counter that grows meanwhile.

    Stands for: rebase_counters (writer/reset.c)
    Stands for: fill_counter (readers/collect.c)
    """
    memory = dict(cell=0, base0=0, base1=0, epoch=1)
    halves = orders.keep("the baseline goes into the other half (writer)")
    raised = orders.release("baseline, then epoch (writer)")
    owner = [Store("cell", 1), Store("cell", 2)]
    resetter = []
    for epoch, base in (2, "base0"), (3, "base1"):
        resetter += [
            *orders.fence("epoch, then the next baseline (writer)", RELEASE),
            Load(f"total{epoch}", "cell"),
            Store(base if halves else "base1", lambda r, e=epoch: r[f"total{e}"]),
            Store("epoch", epoch, raised),
        ]
    which = (lambda r: f"base{r['epoch'] & 1}") if halves else "base1"
    reader = [
        Load("epoch", "epoch", orders.acquire("epoch, then cell and baseline (reader)")),
        Load("cell", "cell"),
        Load("base", which, words=["base0", "base1"]),
        *orders.fence("cell and baseline, then epoch again (reader)", ACQUIRE),
        Load("again", "epoch"),
    ]

    def check(final):
        seen = final.registers["reader"]
        if seen["epoch"] != seen["again"]:
            return None
        own = final.registers["resetter"].get(f"total{seen['epoch']}", 0)
        if seen["base"] == own and seen["cell"] >= own:
            return None
        return f"cell {seen['cell']} less {seen['base']}, in epoch {seen['epoch']}, whose " \
               f"baseline is {own}"

    return explore(memory, dict(owner=owner, resetter=resetter, reader=reader), check)


def record_behind_gate(tag, stamp_order):
    """One record of the owner: through the gate, or by way of the library."""
    gate, old, epoch, value = (f"{word}{tag}" for word in ("gate", "stamp", "epoch", "value"))

    def shut(r):
        return r[gate] == 0

    def stale(r):
        return r[gate] == 0 and r[old] != r[epoch]

    return [
        Load(gate, "gate"),
        Lock(when=shut),
        Load(old, "stamp", when=shut), Load(epoch, "epoch", when=shut),
        Store("first", 0, when=stale), Store("second", 0, when=stale),
        Store("stamp", lambda r: r[epoch], stamp_order, when=stale),
        Store("gate", 1, when=shut),
        Unlock(when=shut),
        Load(value, "first"),
        Store("first", lambda r: r[value] + 1),
        Store("second", lambda r: r[value] + 1, RELEASE),
    ]


def resetting_thread(orders):
    if orders.keep("the epoch is raised before gates are shut, or under the same lock (writer)"):
        return [Lock(), Store("epoch", 2, RELEASE), Store("gate", 0), Unlock(),
                Store("over", 1, RELEASE)]
    return [Lock(), Store("gate", 0), Unlock(), Lock(), Store("epoch", 2, RELEASE), Unlock(),
            Store("over", 1, RELEASE)]


def reset_block(orders):
    """A block of two words that are always equal, except for a record under way.
    Its owner records once beside the reset and once after it.

    The fences of restamp, before the zeroes, and of collect_stamp_again, after the
    block, are left out: the owner has seen the new epoch when it zeroes, and what
    one thread has seen of this memory, all see. C17 does not promise that.

    Stands for: astshm_reset (writer/reset.c)
    Stands for: restamp (writer/touch.c)
    Stands for: blocks_current (readers/blocks.h)
    """
    memory = dict(epoch=1, stamp=1, gate=1, first=10, second=10, mutex=0, over=0)
    stamped = orders.release("zeroes, then the stamp (writer)")
    owner = [
        *record_behind_gate(1, stamped), Wait("over", 1), *record_behind_gate(2, stamped),
    ]
    reader = [
        Load("epoch", "epoch", ACQUIRE),
        Load("stamp", "stamp", orders.acquire("stamp, then the block (reader)")),
        Load("second", "second", ACQUIRE), Load("first", "first"),
        *([Load("again", "epoch")] if orders.keep("a second look at the epoch (reader)") else []),
    ]

    def check(final):
        seen, left = final.registers["reader"], final.memory
        if left["stamp"] != 2 or not 1 <= left["first"] <= 2:
            return f"the record after the reset is not shown: {left}"
        if seen["epoch"] != seen.get("again", seen["epoch"]):
            return None
        counted = seen["second"] if seen["stamp"] == seen["epoch"] else 0
        if counted and seen["first"] != seen["second"]:
            return None # a record under way: another try
        if seen["epoch"] == 1 and counted < 10:
            return f"a count steps back before the reset: {seen}"
        if seen["epoch"] == 2 and counted > 2:
            return f"old values under the new stamp: {seen}"
        return None

    return explore(memory, dict(owner=owner, resetter=resetting_thread(orders), reader=reader),
                   check)


def switch_off(orders):
    """Recording is switched off while a thread touches a series for the first time.

    Stands for: astshm_writer_set_recording (writer/open.c)
    Stands for: writer_touch (writer/touch.c)
    """
    memory = dict(on=1, gate=0, cell=0, mutex=0, over=0)
    looks = [Load("on", "on")]
    inside = orders.keep("the switch is looked at under the lock (writer)")
    owner = [
        *([] if inside else looks), Lock(), *(looks if inside else []),
        Store("gate", 1, when=lambda r: r["on"]), Unlock(),
        Wait("over", 1),
        Load("open", "gate"), Store("cell", 1, when=lambda r: r["open"]),
    ]
    switcher = [Lock(), Store("on", 0), Store("gate", 0), Unlock(), Store("over", 1, RELEASE)]

    def check(final):
        return "recorded after the switch was off" if final.memory["cell"] else None

    return explore(memory, dict(owner=owner, switcher=switcher), check)


MODELS = [reset_counters, reset_block, switch_off]
