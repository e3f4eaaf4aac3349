#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Which series astshm-cat prints, in which order, and single numbers."""
import harness
from harness import case, check, equal


def keys(t, *arguments, kind="counters"):
    return list(t.cat("-f", "json", *arguments).json()["metrics"].get(kind, {}))


@case
def match_looks_at_the_name_alone(t):
    name = t.fixture().name
    equal(keys(t, "-m", "events.received", name), ["events.received"])
    equal(len(keys(t, "-m", "events.received.*", name)), 3)
    equal(keys(t, "-m", "*zone*", name, "-m", "queue*"), ["queue:count"])
    equal(keys(t, "--match", "[ej]?bs.active", name), ["jobs.active"])


@case
def match_may_be_given_several_times(t):
    name = t.fixture().name
    equal(keys(t, "-m", "queue*", "-m", "jobs*", name), ["jobs.active", "queue:count"])


@case
def tag_selects_by_value_pattern(t):
    name = t.fixture().name
    equal(keys(t, "-t", "zone=a", name),
          ["multi.tagged[host=n1,zone=a]", "multi.tagged[host=n2,zone=a]"])
    equal(keys(t, "--tag", "event_type=/live/track/*", name),
          ["events.received.by_type[event_type=/live/track/mute]",
           "events.received.by_type[event_type=/live/track/renamed]"])


@case
def first_match_in_command_line_order_decides(t):
    name = t.fixture().name
    one, other = "multi.tagged[host=n1,zone=b]", "multi.tagged[host=n2,zone=a]"
    equal(keys(t, "-t", "!zone=a", "-m", "multi.*", name), [one])
    equal(len(keys(t, "-m", "multi.*", "-t", "!zone=a", name)), 3)
    equal(keys(t, "-t", "host=n2", "-t", "!zone=a", "-m", "multi.*", name), [one, other])


@case
def only_exclusions_keep_the_rest(t):
    name = t.fixture().name
    kept, everything = keys(t, "-m", "!multi.*", "-m", "!events.*", name), keys(t, name)
    equal(kept, [k for k in everything if not k.startswith(("multi.", "events."))])
    check(0 < len(kept) < len(everything))


@case
def selection_without_a_match_exits_8(t):
    name = t.fixture().name
    result = t.cat("-m", "no.such.*", name, status=8)
    equal(result.bytes, b"")
    t.cat("-t", "zone=nowhere", name, status=8)
    t.cat("-m", "no.such.*", "-w", "0.01", name, status=8)
    t.cat("-m", "work.done", "--sort", "p95", "--top", "1", name, status=8)


@case
def group_by_adds_up_over_other_tags(t):
    name = t.fixture().name
    counters = t.cat("-g", "zone", "-m", "multi.*", name).json()["metrics"]["counters"]
    equal({k: v["value"] for k, v in counters.items()},
          {"multi.tagged[zone=a]": 10, "multi.tagged[zone=b]": 5})
    both = t.cat("--group-by", "zone,host", "-m", "multi.*", name).json()["metrics"]["counters"]
    equal(len(both), 3)


@case
def group_by_nothing_adds_up_over_all_tags(t):
    metrics = t.cat("-g", "", t.fixture().name).json()["metrics"]
    equal(metrics["counters"]["multi.tagged"]["value"], 15)
    equal(metrics["counters"]["events.received.by_type"]["value"], 1000)
    duration = metrics["timings"]["event.processing.duration"]
    equal((duration["count"], duration["min"], duration["max"]), (1000, 0.000001, 0.0006))


@case
def value_prints_each_field(t):
    server = t.fixture()
    for key, wanted in {
            "events.received": "1000", "events.received:value": "1000", "jobs.active": "3",
            "cpu.time": "1.5", "queue:count": "7", "queue:count:value": "7",
            "multi.tagged[host=n1,zone=b]": "5",
            "cache.hit_rate": "0.873", "cache.hit_rate:current": "0.873",
            "cache.hit_rate:count": "2", "cache.hit_rate:min": "0.5",
            "cache.hit_rate:max": "0.873", "cache.hit_rate:sum": "1.373",
            "cache.hit_rate:mean": "0.6865",
            "request.duration:count": "100", "request.duration:sum": "5.05",
            "request.duration:mean": "0.0505", "request.duration:min": "0.001",
            "request.duration:max": "0.1", "request.duration:p100": "0.1",
            "request.duration:q0": "0.001", "slow.operation:max": "2.000000001",
            "slow.operation:p50": "2.000000001", "idle.duration:count": "0",
            "message.size:sum": "5500", "message.size:max": "1000",
            "message.size:mean": "550"}.items():
        equal(t.cat("--value", key, server.name).out, wanted + "\n", key)


@case
def value_agrees_with_the_document(t):
    server = t.fixture()
    server.kill()
    metrics = t.cat("-f", "json", server.name).json()["metrics"]
    for kind, key in (("timings", "request.duration"), ("distributions", "message.size"),
                      ("timings", "event.processing.duration[event_type=/live/track/mute]")):
        for field in ("count", "sum", "mean", "min", "max", "p50", "p90", "p95", "p99", "p999"):
            out = t.cat("--value", f"{key}:{field}", server.name).out
            equal(float(out), metrics[kind][key][field], f"{key}:{field}")
        equal(t.cat("--value", key, server.name).out,
              t.cat("--value", key + ":p95", server.name).out, "default field")


@case
def value_takes_any_quantile(t):
    name = t.fixture().name
    for field, exact in (("p75", 0.075), ("p99.9", 0.1), ("q0.25", 0.025), ("p1", 0.001)):
        out = t.cat("--value", f"request.duration:{field}", name).out
        check(abs(float(out) / exact - 1) < 0.03, field, out)


@case
def value_of_an_unknown_metric_exits_8(t):
    name = t.fixture().name
    for key in ("no.such", "no.such:p95", "events.received:nofield", "idle.duration:p95",
                "idle.duration", "events.received:rate", ":count"):
        result = t.cat("--value", key, name, status=8)
        equal(result.bytes, b"", key)


@case
def value_with_a_field_of_another_kind_exits_2(t):
    name = t.fixture().name
    for key in ("events.received:p95", "cache.hit_rate:p50", "request.duration:value",
                "events.received:current"):
        t.cat("--value", key, name, status=2)


@case
def sort_puts_the_largest_first(t):
    name = t.fixture().name
    values = t.cat("--sort", "value", "-f", "json", name).json()["metrics"]["counters"]
    numbers = [v["value"] for v in values.values()]
    check(1.5 in numbers, "no counter of time:", numbers)
    equal(numbers, sorted(numbers, reverse=True))
    p95 = t.cat("--sort", "p95", "-f", "json", name).json()["metrics"]["timings"]
    some = [v["p95"] for v in p95.values() if v["p95"] is not None]
    equal(some, sorted(some, reverse=True))
    equal(list(p95)[-1], "idle.duration")
    equal(list(p95)[0], "slow.operation")


@case
def sort_upwards_and_by_key(t):
    name = t.fixture().name
    everything = keys(t, name)
    equal(keys(t, "--sort", "key", name), everything)
    equal(keys(t, "--sort", "-key", name), everything[::-1])
    equal(keys(t, "--sort", "+p50", name, kind="timings")[-2:], ["slow.operation",
                                                               "idle.duration"])


@case
def sort_goes_by_any_number_of_a_series(t):
    server = t.fixture()
    saved = t.save(server)
    server.ask("more")
    for arguments in (), ("--since", saved):
        for kind, fields in (("gauges", ("current", "count", "mean", "min", "max")),
                             ("timings", ("count", "mean", "min", "max", "p99"))):
            for field in fields:
                shown = t.cat("--sort", field, "-f", "json", *arguments,
                              server.name).json()["metrics"][kind].values()
                numbers = [series[field] for series in shown if series[field] is not None]
                check(numbers, kind, field)
                equal(numbers, sorted(numbers, reverse=True))


@case
def sort_compares_time_counted_as_it_is_told(t):
    server = t.fixture()
    saved = t.save(server)
    server.ask("more")
    server.ask("busy")
    for field in ("rate", "increase"):
        top = t.cat("--sort", field, "--top", "2", "--since", saved, "-f", "json",
                    server.name).json()["metrics"]["counters"]
        equal(list(top), ["events.received", "cpu.time"], f"{field} of 50 events and 2 s")


@case
def sort_orders_the_table_too(t):
    name = t.fixture().name
    lines = t.cat("-f", "table", "--sort", "p95", name).out.splitlines()
    at = {key: next(i for i, line in enumerate(lines) if key in line)
          for key in ("slow.operation", "request.duration", "work.duration")}
    check(at["slow.operation"] < at["request.duration"] < at["work.duration"], at)


@case
def top_keeps_the_first_of_each_kind_that_has_the_field(t):
    name = t.fixture().name
    metrics = t.cat("--sort", "p95", "--top", "2", "-f", "json", name).json()["metrics"]
    equal(list(metrics["timings"]), ["slow.operation", "request.duration"])
    equal(list(metrics["distributions"]), ["message.size"])
    equal((metrics["counters"], metrics["gauges"]), ({}, {}))
    alone = t.cat("--top", "1", "-f", "json", name).json()["metrics"]
    equal([len(alone[kind]) for kind in ("counters", "gauges", "timings", "distributions")],
          [1, 1, 1, 1])
    equal((list(alone["gauges"]), list(alone["timings"])),
          (["websocket.clients"], ["slow.operation"]))


@case
def value_is_found_after_sorting(t):
    name = t.fixture().name
    equal(t.cat("--sort", "value", "--value", "jobs.active", name).out, "3\n")


@case
def value_takes_tags_in_any_order(t):
    server = t.fixture()
    server.ask("odd")
    equal(t.cat("--value", "multi.tagged[zone=b,host=n1]", server.name).out, "5\n")
    equal(t.cat("--value", "multi.tagged[zone=a,host=n2]:value", server.name).out, "6\n")
    equal(t.cat("--value", r"odd.many[z=1,k=a\,b]", server.name).out, "2\n")
    for key in ("multi.tagged[zone=b,zone=b]", "multi.tagged[zone=b]", "multi.tagged[host=n1,zone",
                r"odd.many[z=1\,k=a,b]", "multi.tagged[zone=a,host=n1,]", "multi.tagged["):
        t.cat("--value", key, server.name, status=8)


@case
def value_of_a_name_with_tags_alone_hints_at_group_by(t):
    name = t.fixture().name
    for key in ("multi.tagged", "multi.tagged:value"):
        err = t.cat("--value", key, name, status=8).err
        check("-g ''" in err, err)
        equal(t.cat("-g", "", "--value", key, name).out, "15\n")
    check("-g" not in t.cat("--value", "multi", name, status=8).err, "a hint that does not help")


@case
def value_that_is_no_number_is_told(t):
    server = t.fixture()
    server.ask("odd")
    for key, what in (("odd.nan", "NaN"), ("odd.nan:current", "NaN"), ("odd.inf", "+Inf")):
        err = t.cat("--value", key, server.name, status=8).err
        check(what in err, key, err)
    check("no such number" in t.cat("--value", "odd.nan:min", server.name, status=8).err)


if __name__ == "__main__":
    harness.main()
