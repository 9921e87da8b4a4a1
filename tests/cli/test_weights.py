"""`ganlab weights`: what is looked for where, and the one way to download it, from a server on this machine."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ganlab.cli import main
from ganlab.contracts import WeightsFile
from ganlab.errors import DataError
from ganlab.files import PARTIAL
from ganlab.weights import KnownWeights, fetch

CONTENT = b"weights " * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PLUGIN = f"""
from ganlab import Component, WeightsFile, hookimpl

FILE = WeightsFile(
    name="eyes.pt", size={len(CONTENT)}, sha256="{DIGEST}", url="https://example.invalid/eyes.pt", variable="EYES"
)

@hookimpl
def ganlab_evaluators():
    return [Component("glance", object, weights=(FILE,)), Component("stare", object, weights=(FILE,))]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed_plugin: Any) -> Path:
    """Return the folder of weights, which is not there yet; a plugin needs a file in it."""
    installed_plugin("eyes", PLUGIN)
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    for variable in ("EYES", "GANLAB_FID_WEIGHTS"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "home/weights"


@pytest.fixture
def served() -> Iterator[Callable[..., str]]:
    """Return `served(content, promised)`: the address of a file on a server of this machine, and its stated length."""
    servers: list[ThreadingHTTPServer] = []

    def serve(content: bytes, promised: int | None = None, status: int = 200) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content) if promised is None else promised))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/eyes.pt"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["weights", *words])
    return code, *capsys.readouterr()


def listed(capsys: pytest.CaptureFixture[str], command: str = "list") -> dict[str, Any]:
    """Return what is told of the plugin's file."""
    _, out, _ = answer(capsys, command, "--json")
    return next(file for file in json.loads(out)["weights"] if file["name"] == "eyes.pt")


def test_a_file_is_listed_with_its_place_and_what_needs_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys) == {
        "name": "eyes.pt",
        "state": "missing",
        "size": len(CONTENT),
        "sha256": DIGEST,
        "path": str(folder / "eyes.pt"),
        "url": "https://example.invalid/eyes.pt",
        "needed_by": ["evaluator glance", "evaluator stare"],
    }
    code, out, _ = answer(capsys, "list")
    row = f"missing  {len(CONTENT):,}"
    assert (code, [row in line for line in out.splitlines() if line.startswith("eyes.pt")]) == (0, [True])


def test_a_variable_may_name_another_place(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "eyes.pt").write_bytes(CONTENT)
    with pytest.MonkeyPatch.context() as patch:
        for place in (tmp_path, tmp_path / "eyes.pt"):
            patch.setenv("EYES", str(place))
            assert (listed(capsys)["path"], listed(capsys)["state"]) == (str(tmp_path / "eyes.pt"), "there")


def test_a_fetched_file_is_whole_and_good_and_stays(
    folder: Path, served: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    address = served(CONTENT)
    code, out, err = answer(capsys, "fetch", "glance", "--from", address)
    path = folder / "eyes.pt"
    assert (code, out) == (0, f"{path}: fetched, with the published digest\n"), err
    assert path.read_bytes() == CONTENT
    assert [file.name for file in folder.iterdir()] == ["eyes.pt"]
    assert listed(capsys, "check")["state"] == "good"
    before = path.stat().st_mtime_ns
    code, out, _ = answer(capsys, "fetch", "eyes.pt", "--from", "http://127.0.0.1:1/nobody")  # it is not even asked
    assert (code, out, path.stat().st_mtime_ns) == (0, f"{path}: is there already, with its digest\n", before)


def test_a_file_of_this_machine_is_fetched_as_well(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "down load.pt").write_bytes(CONTENT)
    assert answer(capsys, "fetch", "eyes.pt", "--from", str(tmp_path / "down load.pt"))[0] == 0
    assert (folder / "eyes.pt").read_bytes() == CONTENT


def test_a_damaged_file_is_found_and_replaced(
    folder: Path, served: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder.mkdir(parents=True)
    path = folder / "eyes.pt"
    for content, state in ((b"x" * len(CONTENT), "there"), (b"x", "wrong size")):
        path.write_bytes(content)
        assert listed(capsys)["state"] == state
        assert listed(capsys, "check")["state"] == "damaged"
        code, _, err = answer(capsys, "check")
        line = f"ganlab: error: damaged: {path}; `ganlab weights fetch` replaces a file in the folder of weights\n"
        assert (code, err.endswith(line)) == (DataError.code, True)
    assert answer(capsys, "fetch", "eyes.pt", "--from", served(CONTENT))[0] == 0
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "promised", "status", "reason"),
    [
        (CONTENT[:-1], None, 200, "gave 7,999 bytes, not 8,000; nothing was kept"),
        (CONTENT + b"x", None, 200, "gave more bytes, not 8,000; nothing was kept"),
        (b"x" * len(CONTENT), None, 200, f"gave another file: sha256 {hashlib.sha256(b'x' * 8000).hexdigest()}, not {DIGEST}"),
        (CONTENT[:100], 8000, 200, "gave 100 bytes, not 8,000; nothing was kept"),
        (b"gone", None, 404, "Not Found"),
    ],
)
def test_what_is_not_the_published_file_is_not_kept(
    content: bytes,
    promised: int | None,
    status: int,
    reason: str,
    folder: Path,
    served: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = answer(capsys, "fetch", "eyes.pt", "--from", served(content, promised, status))
    assert (code, out, list(folder.iterdir())) == (DataError.code, "", [])
    (line,) = [line for line in err.splitlines() if line.startswith("ganlab: error: ")]
    assert line.startswith("ganlab: error: eyes.pt: ")
    assert reason in line


def test_without_a_network_there_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("http://127.0.0.1:1/eyes.pt", "nowhere.pt", "http://"):
        code, out, err = answer(capsys, "fetch", "eyes.pt", "--from", place)
        assert (code, out) == (DataError.code, "")
        errors = [line for line in err.splitlines() if line.startswith(("ganlab: error", "Traceback", "  "))]
        assert len(errors) == 1
        assert errors[0].startswith(f"ganlab: error: eyes.pt: cannot be had from {place}: ")
        assert f"put it at {folder / 'eyes.pt'}, or name it by --from" in errors[0]


def test_a_stop_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "eyes.pt").write_bytes(CONTENT)
    file = WeightsFile(name="eyes.pt", size=len(CONTENT), sha256=DIGEST, url="https://example.invalid/eyes.pt")
    known = KnownWeights(file=file, components=(), path=folder / "eyes.pt")

    def stop(here: int, total: int) -> None:
        assert [entry.name.endswith(PARTIAL) for entry in folder.iterdir()] == [True]  # under its name there is nothing
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(known, str(tmp_path / "eyes.pt"), stop)
    assert list(folder.iterdir()) == []


def test_a_name_that_nobody_needs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = answer(capsys, "fetch", "eyes.pth")
    assert (code, err) == (2, "ganlab: error: no file of weights is called 'eyes.pth'; did you mean 'eyes.pt'?\n")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"url": "http://example.invalid/x"}, "has the address 'http://example.invalid/x', which is not https"),
        ({"sha256": "0" * 63}, "needs its size in bytes and its SHA-256 in 64 small hexadecimal digits"),
        ({"size": 0}, "needs its size in bytes and its SHA-256 in 64 small hexadecimal digits"),
        ({"name": "../x"}, "the file of weights '../x' is not named by letters, digits, `_`, `-` and `.`"),
    ],
)
def test_a_file_that_cannot_be_checked_is_a_fault_of_its_plugin(change: dict[str, Any], fault: str, entry_point: Any) -> None:
    from types import SimpleNamespace

    from ganlab import Component, hookimpl
    from ganlab.plugins import load_plugins

    facts = {"name": "x.pt", "size": 1, "sha256": "0" * 64, "url": "https://example.invalid/x", **change}
    component = Component("a", object, weights=(WeightsFile(**facts),))
    (record,) = load_plugins([entry_point("x", SimpleNamespace(ganlab_evaluators=hookimpl(lambda: [component])))]).records
    assert record.status == "bad component"
    assert record.fault is not None
    assert record.fault.line.startswith("ganlab_evaluators: 'a': ")
    assert fault in record.fault.line
