# SPDX-License-Identifier: MIT
"""One record into a block of one's own, and a reader that looks meanwhile."""
from checker import ACQUIRE, Load, Store, explore


def histogram_record(orders):
    """Two samples, 1 and 2, each in a slot of its own; the second is a new maximum.

    Stands for: astshm_histogram_record (writer/include/astshm/hotpath.h)
    Stands for: read_block (readers/blocks.c)
    """
    memory = dict(slot1=0, slot2=0, max=0, sum=0, count=0)
    extreme = orders.release("slot, then extreme (writer)")
    total = orders.release("slot and extreme, then sum (writer)")
    commit = orders.release("all, then count (writer)")
    writer = [
        Store("slot1", 1), Store("max", 1, extreme), Store("sum", 1, total),
        Store("count", 1, commit),
        Store("slot2", 1), Store("max", 2, extreme), Store("sum", 3, total),
        Store("count", 2, commit),
    ]
    reader = [
        Load("count", "count", orders.acquire("count, then the rest (reader)")),
        Load("sum", "sum", orders.acquire("sum, then extremes and slots (reader)")),
        Load("max", "max", orders.acquire("extremes, then slots (reader)")),
        Load("slot1", "slot1"), Load("slot2", "slot2"),
    ]

    def check(final):
        seen = final.registers["reader"]
        # No extreme: the scan goes to the end.
        total = seen["slot1"] + (seen["slot2"] if seen["max"] != 1 else 0)
        if seen["count"] != total:
            return None # another try
        whole = [(0, 0, 0), (1, 1, 1), (2, 3, 2)]
        if (seen["count"], seen["sum"], seen["max"]) in whole and \
                seen["slot1"] == (seen["count"] > 0):
            return None
        return f"taken for whole: {seen}"

    return explore(memory, dict(writer=writer, reader=reader), check)


def sum_that_carries(orders):
    """The sum passes 2^64: its high word goes from 0 to 1, its low one from 9 to 2.

    Stands for: astshm_histogram_record (writer/include/astshm/hotpath.h)
    Stands for: read_block (readers/blocks.c)
    """
    memory = dict(slot=1, sum=9, sum_hi=0, count=1)
    writer = [
        Store("slot", 2),
        Store("sum_hi", 1, orders.release("slot, then high word (writer)")),
        Store("sum", 2, orders.release("high word, then low word (writer)")),
        Store("count", 2, orders.release("low word, then count (writer)")),
    ]
    reader = [
        Load("count", "count", orders.acquire("count, then sum (reader)")),
        Load("sum", "sum", ACQUIRE),
        Load("sum_hi", "sum_hi", orders.acquire("high word, then slots (reader)")),
        Load("slot", "slot"),
    ]

    def check(final):
        seen = final.registers["reader"]
        if seen["count"] != seen["slot"]:
            return None
        if (seen["count"], seen["sum_hi"], seen["sum"]) in [(1, 0, 9), (2, 1, 2)]:
            return None
        return f"taken for whole: {seen}"

    return explore(memory, dict(writer=writer, reader=reader), check)


def gauge_sample(orders):
    """Two values, 1 and 2.

    Stands for: astshm_gauge_sample (writer/include/astshm/hotpath.h)
    Stands for: read_gauge (readers/blocks.c)
    """
    memory = dict(begin=0, sum=0, max=0, count=0)
    total = orders.release("begin, then sum (writer)")
    extreme = orders.release("begin, then extremes (writer)")
    commit = orders.release("all, then count (writer)")
    writer = []
    for n, sum_ in (1, 1), (2, 3):
        writer += [Store("begin", n), Store("sum", sum_, total), Store("max", n, extreme),
                   Store("count", n, commit)]
    reader = [
        Load("count", "count", orders.acquire("count, then the rest (reader)")),
        Load("sum", "sum"), Load("max", "max"),
        *orders.fence("the rest, then begin (reader)", ACQUIRE),
        Load("begin", "begin"),
    ]

    def check(final):
        seen = final.registers["reader"]
        if seen["begin"] != seen["count"]:
            return None
        if (seen["count"], seen["sum"], seen["max"]) in [(0, 0, 0), (1, 1, 1), (2, 3, 2)]:
            return None
        return f"taken for whole: {seen}"

    return explore(memory, dict(writer=writer, reader=reader), check)


def up_down(orders):
    """A counter is made up-down by one thread and then falls, by that thread and
    by another that finds it so; no reader sees a monotonic one fall.

    Stands for: writer_registry_make_up_down (writer/registry.c)
    Stands for: astshm_counter_sub_checked (writer/record.c)
    Stands for: fill_counter (readers/collect.c)
    """
    memory = dict(flag=0, known=0, own=5, other=5)
    maker = [
        Store("flag", 1),
        Store("known", 1, orders.release("flag, then known to other threads (maker)")),
        *orders.fence("flag, then the subtraction (maker)", "release"),
        Store("own", 4),
    ]
    other = [
        Load("known", "known", ACQUIRE),
        Store("other", 4, when=lambda r: r["known"]),
    ]
    reader = [
        Load("own", "own"), Load("other", "other"),
        *orders.fence("cells, then flag (reader)", ACQUIRE),
        Load("flag", "flag"),
    ]

    def check(final):
        seen = final.registers["reader"]
        fell = seen["own"] < 5 or seen["other"] < 5
        return f"a monotonic counter fell: {seen}" if fell and not seen["flag"] else None

    return explore(memory, dict(maker=maker, other=other, reader=reader), check)


MODELS = [histogram_record, sum_that_carries, gauge_sample, up_down]
