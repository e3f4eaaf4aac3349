# SPDX-License-Identifier: MIT
"""The four readers that poll all the time, and what each must see in whatever it reads."""
import asyncio
import json

import jsonschema
import msgpack

import harness
import measure

FOR_EVER = "100000s"
PIECE = 1 << 16
MEMORY_BYTES = 512 << 10  # by which a reader may grow from one server's life to the last


def totals(document):
    """Whatever may not fall within one generation."""
    metrics, families = document["metrics"], document["families"]
    found = {key: one["value"] for key, one in metrics["counters"].items()
             if families[one.get("name", key)]["monotonic"]}
    for kind in ("timings", "distributions"):
        found.update({key + ".count": one["count"] for key, one in metrics[kind].items()})
    return found


class Reader:
    """An astshm-cat that runs from the first server to the last."""

    def __init__(self, name, seconds, *arguments):
        self.name = name
        self.arguments = ["-w", str(seconds), "--wait", FOR_EVER, *arguments]
        self.documents = 0
        self.generations = []
        self.previous = {}
        self.process = self.task = None
        self.rests = []

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            harness.tools.cat, *self.arguments, self.name, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, limit=1 << 24)
        self.task = asyncio.create_task(self.read())

    async def stop(self):
        self.process.terminate()
        await asyncio.wait_for(self.task, harness.PATIENCE)
        assert await self.process.wait() == 0, (self.arguments, self.process.returncode)
        assert self.documents > 0, self.arguments

    async def read(self):
        while text := await self.process.stdout.readline():
            self.take(json.loads(text))

    def take(self, document):
        self.documents += 1
        self.check_generation(document["segment"])
        current = totals(document)
        for key, value in self.previous.items():
            assert current[key] >= value, (self.arguments, key, value, current[key])
        self.previous = current

    def check_generation(self, segment):
        generation = segment["generation"]
        assert segment["bad_records"] == 0, segment
        # Killed, or without its processor: a thread is inside of one record at a time.
        assert segment["torn"] <= segment["threads"], segment
        if self.generations and generation == self.generations[-1]:
            return
        assert generation not in self.generations, "an old generation came back"
        self.generations.append(generation)
        self.previous = {}


class JsonReader(Reader):
    """Keeps the newest document; every so often one is held against the schema."""

    def __init__(self, name, schema):
        super().__init__(name, 0.2, "-f", "json")
        self.validator = jsonschema.Draft7Validator(schema)
        self.newest = None

    def take(self, document):
        if self.documents % 50 == 0:
            self.validator.validate(document)
        super().take(document)
        self.newest = document


class MsgpackReader(Reader):
    def __init__(self, name):
        super().__init__(name, 0.5, "-f", "msgpack")

    async def read(self):
        unpacker = msgpack.Unpacker(max_buffer_size=1 << 24)
        while piece := await self.process.stdout.read(PIECE):
            unpacker.feed(piece)
            for document in unpacker:
                self.take(document)
        assert unpacker.tell() == self.bytes_of_all(unpacker), "a torn document"

    @staticmethod
    def bytes_of_all(unpacker):
        """What was fed, if nothing is left of it."""
        try:
            unpacker.skip()
        except msgpack.OutOfData:
            return unpacker.tell()
        return -1

    def take(self, document):
        for one in document["metrics"]["timings"].values():
            buckets = one["buckets"]
            assert one["count"] == sum(buckets["counts"]) + buckets["zero_count"] + \
                buckets["overflow_count"], one
        super().take(document)


class DeltaReader(Reader):
    """Rates; those of a counter that only rises are never negative."""

    def __init__(self, name):
        super().__init__(name, 0.5, "-d", "-f", "json")

    def take(self, document):
        self.documents += 1
        self.check_generation(document["segment"])
        for key, one in document["metrics"]["counters"].items():
            assert one["increase"] >= 0 and one["rate"] >= 0, (key, one)


class PrometheusReader(Reader):
    """Its documents do not tell the generation, but when the process began: totals, counts
    and buckets fall only with a restart."""

    def __init__(self, name):
        super().__init__(name, 1, "-f", "prometheus")
        self.began = None  # of a server that died young perhaps none
        self.lines, self.types = {}, {}

    async def read(self):
        while line := await self.process.stdout.readline():
            self.take_line(line.decode().rstrip("\n"))
        self.end_document()

    def take_line(self, line):
        if not line:
            self.end_document()
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            self.types[name] = kind
        elif not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            assert series not in self.lines, series
            self.lines[series] = float(value)

    def is_total(self, series):
        name = series.split("{")[0]
        return self.types.get(name) == "counter" or name.endswith(("_count", "_bucket"))

    def end_document(self):
        current = {series: value for series, value in self.lines.items() if self.is_total(series)}
        if not current:
            return
        self.documents += 1
        start = self.lines.get("process_start_time_seconds")
        fallen = {series: (value, current.get(series)) for series, value in self.previous.items()
                  if current.get(series, 0) < value}
        assert not fallen or start != self.began, (fallen, start)
        self.began, self.previous, self.lines, self.types = start, current, {}, {}


class Readers:
    def __init__(self, name, schema):
        self.json, self.msgpack = JsonReader(name, schema), MsgpackReader(name)
        self.delta, self.prometheus = DeltaReader(name), PrometheusReader(name)
        self.all = (self.json, self.msgpack, self.delta, self.prometheus)

    async def start(self):
        for reader in self.all:
            await reader.start()

    def raise_failures(self):
        for reader in self.all:
            if reader.task.done():
                reader.task.result()
                raise AssertionError(f"ended: {reader.arguments}")

    def measure(self):
        """Called when a server's life is over; what readers hold must not grow with lives."""
        for reader in self.all:
            reader.rests.append(measure.rest(reader.process.pid, len(reader.rests)))

    async def stop(self):
        for reader in self.all:
            await reader.stop()

    def check(self, lives):
        """`lives` long enough to be seen by each."""
        for reader in (self.json, self.msgpack, self.delta):
            assert len(reader.generations) >= lives, (reader.arguments, lives)
        for reader in self.all:
            measure.check_flat(reader.rests[1:], MEMORY_BYTES)
            print(f"reader {' '.join(reader.arguments)}: {reader.documents} documents, "
                  f"{reader.rests[1].memory >> 10} KiB and at the end "
                  f"{reader.rests[-1].memory >> 10}, {reader.rests[-1].descriptors} descriptors")
