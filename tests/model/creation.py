# SPDX-License-Identifier: MIT
"""A name is taken: by two starting writers, from a dead one, while they may die.

Each step here is a system call, which no other comes between.
"""
import collections

from checker import explore_steps

Writer = collections.namedtuple("Writer", "at fd held")
State = collections.namedtuple("State", "names locks writers deaths")
NAME, NUMBERED = "name", "name~1"
DEAD, FIRST = 1, 2 # inodes: the predecessor's, and of writer i FIRST + i


class Rules:
    def __init__(self, orders):
        self.lock_first = orders.keep("the file is locked before it is linked")
        self.lock_old = orders.keep("the old file's lock is taken before it is renamed")
        self.compare = orders.keep("locked file and name are compared")
        self.no_replace = orders.keep("link does not replace a name")


def change(state, i, writer, names=None, locks=None, deaths=0):
    writers = state.writers[:i] + (writer,) + state.writers[i + 1:]
    return State(state.names if names is None else tuple(sorted(names.items())),
                 state.locks if locks is None else tuple(sorted(locks.items())),
                 writers, state.deaths + deaths)


def steps_of(rules, state, i):
    """What writer i may do next. At: link, open, lock, compare, move, won, lost."""
    writer, names, locks = state.writers[i], dict(state.names), dict(state.locks)
    mine = FIRST + i
    if writer.at == "own lock":
        yield "locks its own file", change(state, i, writer._replace(at="link"),
                                           locks={**locks, mine: i})
    elif writer.at == "link":
        if NAME in names and rules.no_replace:
            yield "finds the name taken", change(state, i, writer._replace(at="open"))
        elif NAME in names and writer.fd != "seen":
            yield "finds the name taken", change(state, i, Writer("open", "seen", False))
        else:
            done = "won" if rules.lock_first else "late lock"
            yield "links its file", change(state, i, Writer(done, 0, False),
                                           names={**names, NAME: mine})
    elif writer.at == "late lock":
        yield "locks its own file", change(state, i, writer._replace(at="won"),
                                           locks={**locks, mine: i})
    elif writer.at == "open":
        if NAME not in names:
            yield "finds no name", change(state, i, writer._replace(at="link"))
        else:
            yield "opens the old file", change(
                state, i, Writer("lock" if rules.lock_old else "compare", names[NAME], False))
    elif writer.at == "lock":
        if writer.fd in locks:
            yield "finds it locked", change(state, i, writer._replace(at="lost"))
        else:
            yield "locks the old file", change(state, i, Writer("compare", writer.fd, True),
                                               locks={**locks, writer.fd: i})
    elif writer.at == "compare":
        if rules.compare and names.get(NAME) != writer.fd:
            yield "finds another file there", let_go(rules, state, i, names, locks)
        else:
            yield "finds the same file there", change(state, i, writer._replace(at="move"))
    elif writer.at == "move":
        moved = {name: inode for name, inode in names.items() if name != NAME}
        if NAME in names:
            moved[NUMBERED] = names[NAME]
        yield "renames the old file", let_go(rules, state, i, moved, locks)


def let_go(rules, state, i, names, locks):
    """Closes the old file, which gives its lock back, and starts over."""
    fd = state.writers[i].fd
    left = {inode: owner for inode, owner in locks.items() if (inode, owner) != (fd, i)}
    return change(state, i, Writer("link", 0 if rules.no_replace else "seen", False),
                  names=names, locks=left)


def death_of(state, i):
    left = {inode: owner for inode, owner in dict(state.locks).items() if owner != i}
    return change(state, i, Writer("dead", 0, False), locks=left, deaths=1)


def take_a_name(orders):
    """Two writers start; the name belongs to a dead one; either may be killed.

    Stands for: take_name (shm/publish.c)
    Stands for: shm_predecessor_clear (shm/predecessor.c)
    Stands for: prepare_file (shm/create.c)
    """
    rules = Rules(orders)
    begin = Writer("own lock" if rules.lock_first else "link", 0, False)
    start = State(((NAME, DEAD),), (), (begin, begin), 0)

    def steps(state):
        for i, writer in enumerate(state.writers):
            for text, new in steps_of(rules, state, i):
                yield f"writer {i} {text}", new
            if writer.at != "dead" and state.deaths == 0:
                yield f"writer {i} dies", death_of(state, i)

    def check(state):
        names, locks = dict(state.names), dict(state.locks)
        ends = [writer.at for writer in state.writers]
        for i, at in enumerate(ends):
            if at == "won" and names.get(NAME) != FIRST + i:
                return f"writer {i} lives, and its segment has lost its name"
            if names.get(NAME) == FIRST + i and at != "dead" and FIRST + i not in locks:
                return f"writer {i} lives, and readers take it for dead"
        if all(at in ("won", "lost") for at in ends) and ends.count("won") != 1:
            return f"not one of them has won: {ends}"
        return None

    return explore_steps(start, steps, check)


MODELS = [take_a_name]
