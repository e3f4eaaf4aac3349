#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Who may ask astshm-export: TLS, tokens, users."""
import base64
import os
import shutil
import socket
import ssl

import harness
from exporter import Exporter
from harness import Skip, case, check, equal


def secret(t, name, text, mode=0o600):
    path = t.folder / name
    path.write_text(text)
    os.chmod(path, mode)
    return path


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@case
def a_token_is_asked_for(t):
    token = secret(t, "token", "first-token\n\nsecond token\n")
    exporter = Exporter(t, "--token-file", token, t.fixture().name)
    refused = exporter.get("/metrics", status=401)
    equal(refused.headers.get_all("WWW-Authenticate"),
          ['Bearer realm="astshm"', 'Basic realm="astshm", charset="UTF-8"'])
    check("events_received" not in refused.text, refused.text)
    for path in ("/", "/page/main.js", "/segments.json", "/healthz", "/snapshot.json", "/nothing"):
        exporter.get(path, status=401)
    for wrong in ("Bearer", "Bearer ", "Bearer first-toke", "Bearer first-token1", "first-token",
                  "Bearer second", "Basic first-token", "Bearer \"first-token\"",
                  basic("first-token"), basic("token"), basic("token:"), basic("token:first-toke"),
                  basic("token:first-token\n"), basic("tokens:first-token"),
                  "Bearer token:first-token", "Bearer" + "x" * 9000):
        exporter.get("/metrics", status=401, Authorization=wrong)
    for right in ("Bearer first-token", "bearer   first-token", basic("token:first-token")):
        exporter.get("/metrics", Authorization=right)
    check("first-token" not in exporter.stop(), "a token on stderr")


@case
def a_user_is_asked_for(t):
    users = secret(t, "users", "ann:s:e c\u00e9ret\r\n\nbob::\n")
    exporter = Exporter(t, "--user-file", users, t.fixture().name)
    refused = exporter.get("/metrics", status=401)
    equal(refused.headers["WWW-Authenticate"], 'Basic realm="astshm", charset="UTF-8"')
    for wrong in (basic("ann:"), basic("ann"), basic("ann:s:e"), basic("ann:s:e c\u00e9ret\r"),
                  basic("bob:"), basic("eve:"), basic(""), "Basic", "Basic !!!!",
                  "Basic " + "A" * 8000, "Bearer ann:s"):
        exporter.get("/metrics", status=401, Authorization=wrong)
    for right in ("ann:s:e c\u00e9ret", "bob::"):
        exporter.get("/metrics", Authorization=basic(right))


@case
def with_both_either_will_do(t):
    exporter = Exporter(t, "--token-file", secret(t, "token", "abc"), "--user-file",
                        secret(t, "users", "ann:secret"), t.fixture().name)
    exporter.get("/metrics", status=401)
    exporter.get("/metrics", Authorization="Bearer abc")
    exporter.get("/metrics", Authorization=basic("ann:secret"))
    exporter.get("/metrics", status=401, Authorization="Bearer ann:secret")


@case
def files_that_are_no_good_are_refused(t):
    name = t.fixture().name
    for path, status in ((secret(t, "open", "abc", 0o644), 1), (secret(t, "empty", ""), 2),
                         (secret(t, "lines", "\n\r\n\n"), 2), (t.folder / "missing", 1),
                         (t.folder, 1), (secret(t, "large", "x" * (1 << 20) + "y"), 1)):
        for option in ("--token-file", "--user-file"):
            done = t.run(t.tools.export, "--listen", "127.0.0.1:0", option, path, name)
            equal(done.status, status, f"{option} {path.name} ({done.err!r})")
            equal(done.err.count("\n"), 1, done.err)


@case
def a_line_that_is_no_user_is_refused(t):
    name = t.fixture().name
    for text, line in (("ann", 1), ("ann:secret\r\n\r\nbob\r\n", 3), ("ann:secret\nbob:", 2),
                       (":secret", 1), (":", 1), ("ann:" + "x" * 1024, 1)):
        users = secret(t, "users", text)
        done = t.run(t.tools.export, "--listen", "127.0.0.1:0", "--user-file", users, name)
        equal(done.status, 2, f"status for {text[:30]!r} ({done.err!r})")
        equal(done.err, f"astshm-export: {users}:{line}: is no NAME:PASSWORD of at most 1024 "
                        "bytes\n")


def make_certificate(t, name):
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    certificate, key = t.folder / f"{name}.pem", t.folder / f"{name}.key"
    done = t.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                 "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)
    check(done.status == 0, done.err)
    os.chmod(key, 0o600)
    return certificate, key


@case
def tls_is_spoken_with_the_certificate_that_was_given(t):
    certificate, key = make_certificate(t, "good")
    context = ssl.create_default_context(cafile=certificate)
    exporter = Exporter(t, "--tls-certificate", certificate, "--tls-key", key, "--token-file",
                        secret(t, "token", "abc"), t.fixture().name, context=context)
    equal(exporter.scheme, "https://")
    exporter.get("/metrics", status=401)
    text = exporter.get("/metrics", Authorization="Bearer abc").text
    check("events_received_total 1000\n" in text, text[:200])
    large = exporter.get("/snapshot.json?buckets=1", Authorization="Bearer abc").bytes
    check(large.rstrip().endswith(b"}"), "cut off")
    exporter.context = ssl.create_default_context()
    try:
        exporter.get("/metrics")
        check(False, "a certificate that nobody signed was taken")
    except ssl.SSLCertVerificationError:
        pass
    host, port = exporter.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=harness.PATIENCE) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer abc\r\n\r\n")
        said = client.recv(100)
        check(not said.startswith(b"HTTP/"), "answered without TLS:", said)
    exporter.stop()


@case
def certificates_that_are_no_good_are_refused(t):
    certificate, key = make_certificate(t, "good")
    _, other = make_certificate(t, "other")
    name = t.fixture().name
    open_key = secret(t, "open.key", key.read_text(), 0o644)
    for options, status in (
            (["--tls-certificate", certificate], 2), (["--tls-key", key], 2),
            (["--tls-certificate", certificate, "--tls-key", other], 1),
            (["--tls-certificate", certificate, "--tls-key", open_key], 1),
            (["--tls-certificate", key, "--tls-key", key], 1),
            (["--tls-certificate", t.folder / "missing", "--tls-key", key], 1)):
        done = t.run(t.tools.export, "--listen", "127.0.0.1:0", *options, name)
        equal(done.status, status, f"{options} ({done.err!r})")
        equal(done.err.count("\n"), 1, done.err)


# --- what the server is called ----------------------------------------------------------


def status_for(exporter, *hosts, version="1.1", path="/healthz"):
    """Of a request with these headers Host, and what it says."""
    family = socket.AF_INET6 if exporter.address.startswith("[") else socket.AF_INET
    address, port = exporter.address.rsplit(":", 1)
    with socket.socket(family) as client:
        client.settimeout(harness.PATIENCE)
        client.connect((address.strip("[]"), int(port)))
        client.sendall("".join([f"GET {path} HTTP/{version}\r\n",
                                *(f"Host: {host}\r\n" for host in hosts),
                                "Connection: close\r\n\r\n"]).encode("latin-1"))
        answer = client.makefile("rb").read().decode()
    check(answer.startswith("HTTP/1."), repr(answer))
    return int(answer.split(" ")[1]), answer.split("\r\n\r\n", 1)[1]


RIGHT_HOSTS = ["127.0.0.1", "127.0.0.1:9464", "10.1.2.3:80", "[::1]", "[::1]:9464",
               "[FE80::1%25eth0]:9464", "[fe80::1%eth0]", "[::ffff:127.0.0.1]:1", "localhost",
               "LocalHost:9464", "localhost.", "localhost.:9464", "localhost:"]
WRONG_HOSTS = ["evil.example", "evil.example:9464", "127.0.0.1.evil.example",
               "localhost.evil.example", "evil-localhost", "localhost..", "localhost.:x",
               "localhost:9464x", "localhost:94:64", "localhos", "localhost,evil", "127.0.0.1x",
               "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.1@evil.example",
               "evil.example@127.0.0.1", "", ":9464", ".", "::1", "[::1", "[::1]x", "[::1]:x",
               "[evil.example]", "[]", "[%eth0]", "[127.0.0.1]", "[" + "1" * 3000 + "]",
               "x" * 3000, "\u00e4", "a b", "*", "scraped.example"]


@case
def a_strangers_name_that_leads_here_opens_nothing(t):
    exporter = Exporter(t, "--max-rate", "10000", t.fixture().name)
    for host in RIGHT_HOSTS:
        equal(status_for(exporter, host)[0], 200, host)
    for host in WRONG_HOSTS:
        status, text = status_for(exporter, host)
        equal(status, 421, host)
        check("--allow-host NAME" in text and text.count("\n") == 1, text)
    for path in ("/", "/page/main.js", "/metrics", "/snapshot.json", "/segments.json", "/nothing"):
        equal(status_for(exporter, "evil.example", path=path)[0], 421, path)
    equal(status_for(exporter, "evil.example", version="1.0")[0], 421, "also of HTTP/1.0")
    exporter.stop()


@case
def a_header_host_is_there_once(t):
    exporter = Exporter(t, t.fixture().name)
    equal(status_for(exporter)[0], 400, "none")
    equal(status_for(exporter, version="1.0")[0], 200, "none, of HTTP/1.0")
    for hosts in (("localhost", "evil.example"), ("evil.example", "localhost"),
                  ("localhost", "localhost")):
        equal(status_for(exporter, *hosts)[0], 400, hosts)
        equal(status_for(exporter, *hosts, version="1.0")[0], 400, hosts)


@case
def names_can_be_allowed(t):
    name = t.fixture().name
    exporter = Exporter(t, "--allow-host", "Scraped.example", "--allow-host", "other.", name)
    for host in ("scraped.example", "SCRAPED.example.:9464", "other:1", "localhost", "127.0.0.1"):
        equal(status_for(exporter, host)[0], 200, host)
    for host in ("evil.example", "scraped.example.evil", "xscraped.example", "othe"):
        equal(status_for(exporter, host)[0], 421, host)
    anybody = Exporter(t, "--allow-host", "*", name)
    for hosts in (["evil.example"], [], ["a", "b"]):
        equal(status_for(anybody, *hosts)[0], 200, hosts)
    # Prometheus asks by the name that its configuration has.
    listener = Exporter(t, name, listen="localhost:0")
    equal(status_for(listener, "localhost:9464")[0], 200)


@case
def an_address_that_others_reach_has_the_same_names(t):
    exporter = Exporter(t, "--allow-remote", t.fixture().name, listen="0.0.0.0:0")
    equal(status_for(exporter, "192.0.2.7:9464")[0], 200)
    equal(status_for(exporter, "evil.example")[0], 421)


@case
def where_a_secret_is_asked_for_any_name_will_do(t):
    name = t.fixture().name
    token = Exporter(t, "--token-file", secret(t, "token", "abc"), name)
    token.get("/metrics", Host="evil.example", Authorization="Bearer abc")
    equal(status_for(token, "evil.example")[0], 401)
    users = Exporter(t, "--user-file", secret(t, "users", "ann:secret"), name)
    users.get("/metrics", Host="evil.example", Authorization=basic("ann:secret"))
    socket_only = Exporter(t, name, listen=f"unix:{t.folder}/door")
    socket_only.get("/metrics", Host="evil.example")


if __name__ == "__main__":
    harness.main()
