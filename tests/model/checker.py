# SPDX-License-Identifier: MIT
"""Exhaustive exploration of small concurrent programs on a weak memory.

The memory is that of arm64 as our code uses it (Pulte et al., "Simplifying ARM
Concurrency", POPL 2018, without store forwarding: a thread's own words are in
registers here): one memory for all, in which a store is seen by all others at
once, and threads that perform their instructions in any order but for these:

  - an instruction waits for the registers that it uses;
  - two accesses to the same word stay in order;
  - nothing comes before an ACQUIRE load (or a lock) that stands ahead of it;
  - a RELEASE store (or an unlock) waits for everything ahead of it;
  - a RELEASE fence keeps later stores behind everything ahead of it;
  - an ACQUIRE fence keeps everything behind the loads ahead of it;
  - a FULL fence is both.

Whatever x86 may do is among it. An instruction with `when` is left out if the
condition is false; a store waits for its condition, as a processor does.

A program is straight: a reader's second try is another run of it.
"""
import collections

RELAXED, ACQUIRE, RELEASE, FULL = "relaxed", "acquire", "release", "full"
UNSET = None

Violation = collections.namedtuple("Violation", "text trace states")
Final = collections.namedtuple("Final", "memory registers")


class Instruction:
    """`words`: the words that it may touch, where the program computes which."""
    reads = writes = fence = False

    def __init__(self, words, order, when, text):
        self.words, self.order, self.when, self.text = frozenset(words), order, when, text
        self.register = None

    def __repr__(self):
        return self.text


class Load(Instruction):
    reads = True

    def __init__(self, register, word, order=RELAXED, when=None, words=None):
        super().__init__(words or [word], order, when, f"{register} = {words or word} ({order})")
        self.register, self.word = register, word

    def perform(self, memory, registers):
        registers[self.register] = memory[value_of(self.word, registers)]
        return True


class Store(Instruction):
    writes = True

    def __init__(self, word, value, order=RELAXED, when=None, words=None):
        super().__init__(words or [word], order, when, f"{words or word} := ({order})")
        self.word, self.value = word, value

    def perform(self, memory, registers):
        memory[value_of(self.word, registers)] = value_of(self.value, registers)
        return True


class Update(Instruction):
    """An atomic read-modify-write."""
    reads = writes = True

    def __init__(self, register, word, change, order=RELAXED, when=None):
        super().__init__([word], order, when, f"{word} changed at once ({order})")
        self.register, self.word, self.change = register, word, change

    def perform(self, memory, registers):
        registers[self.register] = memory[self.word]
        memory[self.word] = self.change(memory[self.word])
        return True


class Fence(Instruction):
    fence = True

    def __init__(self, order, when=None):
        super().__init__([], order, when, f"fence ({order})")

    def perform(self, memory, registers):
        return True


class Lock(Instruction):
    reads = writes = True

    def __init__(self, word="mutex", when=None):
        super().__init__([word], ACQUIRE, when, f"lock {word}")
        self.word = word

    def perform(self, memory, registers):
        if memory[self.word]:
            return False
        memory[self.word] = 1
        return True


def Unlock(word="mutex", when=None):
    return Store(word, 0, RELEASE, when)


class Wait(Instruction):
    """Until the word has the value; a full fence, like synchronize_rcu."""
    reads = fence = True

    def __init__(self, word, value):
        super().__init__([word], FULL, None, f"wait for {word} == {value}")
        self.word, self.value = word, value

    def perform(self, memory, registers):
        return memory[self.word] == self.value


def value_of(thing, registers):
    return thing(registers) if callable(thing) else thing


def must_follow(first, second):
    """Does the program order of these two have to be kept?"""
    if first.words & second.words and (first.writes or second.writes or
                                       (first.reads and second.reads)):
        return True
    if first.order == FULL or second.order == FULL:
        return True
    if first.fence or second.fence:
        if first.fence and second.fence:
            return True
        if first.fence:
            return first.order == ACQUIRE or second.writes
        return second.order == RELEASE or first.reads
    return ((first.reads and first.order == ACQUIRE) or
            (second.writes and second.order == RELEASE))


class Thread:
    def __init__(self, name, instructions):
        self.name, self.instructions = name, instructions
        self.registers = [i.register for i in instructions if i.register]
        self.before = [0] * len(instructions)
        for j, second in enumerate(instructions):
            for i, first in enumerate(instructions[:j]):
                if must_follow(first, second):
                    self.before[j] |= 1 << i
        self.all = (1 << len(instructions)) - 1

    def named(self, values):
        return {name: value for name, value in zip(self.registers, values)
                if value is not UNSET}

    def skip(self, done, values):
        """Instructions whose condition is known to be false are done."""
        registers = self.named(values)
        for i, instruction in enumerate(self.instructions):
            if done >> i & 1 or instruction.when is None:
                continue
            try:
                if not instruction.when(registers):
                    done |= 1 << i
            except KeyError:
                pass
        return done

    def step(self, i, done, values, memory):
        """Performs instruction i: the new (done, values, memory), or None."""
        instruction = self.instructions[i]
        if done >> i & 1 or self.before[i] & ~done:
            return None
        registers = self.named(values)
        memory = dict(memory)
        try:
            if instruction.when is not None and not instruction.when(registers):
                return None
            if not instruction.perform(memory, registers):
                return None
        except KeyError: # of a register that is not known yet
            return None
        values = tuple(registers.get(name, UNSET) for name in self.registers)
        return self.skip(done | 1 << i, values), values, memory


def explore(memory, threads, check):
    """Runs every order there is. Returns (states, None or a Violation)."""
    threads = [Thread(name, code) for name, code in threads.items()]
    words = sorted(memory)

    def freeze(values):
        return tuple(values[word] for word in words)

    empty = tuple((thread.skip(0, (UNSET,) * len(thread.registers)),
                   (UNSET,) * len(thread.registers)) for thread in threads)
    start = (freeze(memory), empty)
    came_from = {start: None}
    stack = [start]

    def trace(state):
        lines = []
        while came_from[state]:
            state, line = came_from[state]
            lines.append(line)
        return lines[::-1]

    while stack:
        state = stack.pop()
        frozen, parts = state
        moved = False
        for t, thread in enumerate(threads):
            done, values = parts[t]
            for i in range(len(thread.instructions)):
                result = thread.step(i, done, values, dict(zip(words, frozen)))
                if result is None:
                    continue
                moved = True
                new = (freeze(result[2]), parts[:t] + ((result[0], result[1]),) + parts[t + 1:])
                if new not in came_from:
                    came_from[new] = (state, f"{thread.name}: {thread.instructions[i]}")
                    stack.append(new)
        if moved:
            continue
        if any(done != thread.all for thread, (done, _) in zip(threads, parts)):
            text = "a hang"
        else:
            text = check(Final(dict(zip(words, frozen)),
                               {thread.name: thread.named(values)
                                for thread, (_, values) in zip(threads, parts)}))
        if text:
            return len(came_from), Violation(text, trace(state), len(came_from))
    return len(came_from), None


def explore_steps(start, steps, check):
    """The same for states of any kind: steps(state) gives (text, state) pairs."""
    came_from = {start: None}
    stack = [start]
    while stack:
        state = stack.pop()
        text = check(state)
        if text:
            lines = []
            while came_from[state]:
                state, line = came_from[state]
                lines.append(line)
            return len(came_from), Violation(text, lines[::-1], len(came_from))
        for line, new in steps(state):
            if new not in came_from:
                came_from[new] = (state, line)
                stack.append(new)
    return len(came_from), None


class Orders:
    """The orders of a model, each of which can be left out by its name."""

    def __init__(self, dropped=None):
        self.dropped, self.names = dropped, []

    def keep(self, name):
        if name not in self.names:
            self.names.append(name)
        return name != self.dropped

    def release(self, name):
        return RELEASE if self.keep(name) else RELAXED

    def acquire(self, name):
        return ACQUIRE if self.keep(name) else RELAXED

    def fence(self, name, order):
        return [Fence(order)] if self.keep(name) else []
