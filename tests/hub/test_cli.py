"""The command as people type it."""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.cli import main

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


def minsheng(*args: str, data: Path, typed: str = "", **environment: str) -> Done:
    """The command in this process: everything but a fresh interpreter, which takes seconds."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(ROOT)
        patch.setattr(sys, "stdin", io.StringIO(typed))
        for name, value in environment.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main([*args, "--data", str(data)])
    assert isinstance(ended.value.code, int)
    return Done(ended.value.code, out.getvalue(), err.getvalue())


def apart(*args: str, data: Path) -> Done:
    """The command in a process of its own, as people start it."""
    command = [sys.executable, "-m", "hub", *args, "--data", str(data)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Path:
    """A data folder with a trained model."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(models, folder / "models")
    return folder


def one_line(done: Done, says: str) -> None:
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_settings_are_one_line_and_exit_2(data: Path, tmp_path: Path) -> None:
    one_line(minsheng("check", data=tmp_path, MINSHENG_TYPO="1"), "MINSHENG_TYPO")
    one_line(
        minsheng("migrate", data=tmp_path, MINSHENG_DATABASE_URL="mysql://x"),
        "database_url",
    )
    one_line(
        minsheng("migrate", data=tmp_path, MINSHENG_DATABASE_URL="postgresql://u@127.0.0.1:1/x"),
        "can not open",
    )
    one_line(minsheng("run", "--only", "kitchen", data=tmp_path), "no such room")
    one_line(
        minsheng("replay", "missing.jsonl", "--channel", "x", data=tmp_path),
        "can not read",
    )
    one_line(minsheng("check", "--configs", str(tmp_path), data=tmp_path), "copy it from")
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "minsheng.db").write_bytes(b"not a database" * 1000)
    one_line(minsheng("migrate", data=bad), "restore it from a backup")


def test_unreachable_broker_is_one_line(tmp_path: Path) -> None:
    one_line(
        minsheng("migrate", data=tmp_path, MINSHENG_JOURNAL_URL="kafka://127.0.0.1:1"),
        "journal_url",
    )


def test_taken_port_is_one_line(data: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = apart("run", "--port", str(taken.getsockname()[1]), data=tmp_path)
    one_line(done, "listen.port")


def test_check_says_what_is_good(tmp_path: Path) -> None:
    done = apart("check", data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": good\n") == 3


def test_classify_keeps_order_and_survives_bad_lines(data: Path, tmp_path: Path) -> None:
    lines = [
        '{"id": "a", "text": "楼道里全是小广告"}',
        "not json",
        '{"id": 2, "text": ""}',
        '{"id": "c", "text": "谢谢"}',
    ]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = minsheng("classify", "--input", str(source), "--output", str(target), data=data)
    assert done.returncode == 1
    assert "line 2" in done.stderr
    answers = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [a["id"] for a in answers] == ["a", 2, "c"]
    keys = {"kind", "problems", "campaigns", "urgency", "dept", "decision", "confidence", "reasons"}
    assert all(keys <= a.keys() for a in answers)
    assert answers[1]["decision"] == "desk"


def test_evaluate_prints_measures(data: Path) -> None:
    seed = ROOT / "classify" / "corpus" / "seed.jsonl"
    done = minsheng("evaluate", "--json", "--data", str(seed), data=data)
    measures = json.loads(done.stdout)
    assert measures["rows"] == len(seed.read_text(encoding="utf-8").splitlines())
    assert {
        "problems_macro_f1",
        "campaigns_macro_f1",
        "ece_problems",
        "auto_share",
        "auto_right",
    } <= measures.keys()


def test_classify_gives_labels_place_and_reasons(data: Path, tmp_path: Path) -> None:
    lines = tmp_path / "in.jsonl"
    lines.write_text(
        json.dumps({"id": 7, "text": "胜利大街12号门口污水横流，下水井一直往外冒"})
        + "\nnot json\n",
        encoding="utf-8",
    )
    out = tmp_path / "out.jsonl"
    done = minsheng("classify", "--input", str(lines), "--output", str(out), data=data)
    assert done.returncode == 1
    assert "line 2" in done.stderr
    (answer,) = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert answer["id"] == 7
    assert answer["problems"] == ["sewage"]
    assert answer["dept"]
    assert answer["place"]["area"] == "shengli"
    assert {r["label"] for r in answer["reasons"]} >= {"sewage"}
    assert set(answer["confidence"]) >= {"litter", "urban_rural", "complaint"}


def test_models_are_listed_tried_out_used_and_rolled_back(data: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(data / "models", home / "models")
    listed = minsheng("models", data=home)
    assert "in use" in listed.stdout
    base = listed.stdout.split()[0]
    few = tmp_path / "few.csv"
    few.write_text(
        "text,problems\n" + "".join(f"{n}号楼下的脏东西没人管,litter\n" for n in range(80)),
        encoding="utf-8",
    )
    done = minsheng("train", "--data", str(few), data=home)
    assert done.returncode == 0, done.stderr
    other = done.stderr.split("model ")[1].split(":")[0]
    assert "not promoted" in done.stderr
    assert "on trial" in minsheng("models", "shadow", other, data=home).stdout
    minsheng("models", "use", other, data=home)
    assert f"{other}" in minsheng("models", data=home).stdout.split("in use")[0].splitlines()[-1]
    assert base in minsheng("models", "rollback", data=home).stderr
    one_line(minsheng("models", "rollback", data=home), "no earlier model")
    one_line(minsheng("models", "use", "nothing", data=home), "can not be read")


def test_person_can_be_added_and_short_password_is_refused(tmp_path: Path) -> None:
    command = ("user", "li", "--role", "admin")
    good = minsheng(*command, data=tmp_path, typed="a long password\n")
    assert good.returncode == 0, good.stderr
    short = minsheng(*command, data=tmp_path, typed="short\n")
    assert short.returncode == 1
    assert "at least 10" in short.stderr


class Demo:
    """The demonstration in a process group of its own."""

    def __init__(self, home: Path) -> None:
        command = [sys.executable, "-m", "hub", "run", "--demo", "--port", "0", "--data", str(home)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
            start_new_session=True,
        )  # fmt: skip
        self.told = home / "hub.json"

    def wait_for(self, *counters: str) -> None:
        """Until its metrics have them all."""
        metrics = ""
        for _ in range(1200):
            if self.told.exists():
                url = json.loads(self.told.read_text())["url"]
                with urllib.request.urlopen(f"{url}/metrics") as answer:
                    metrics = answer.read().decode()
            if metrics and all(one in metrics for one in counters):
                return
            time.sleep(0.05)
        pytest.fail(metrics or "the hub did not start")

    def stop(self, by: signal.Signals) -> str:
        """What it said until it ended."""
        os.killpg(self.process.pid, by)
        return self.process.communicate(timeout=60)[1]


@pytest.fixture
def demo(data: Path, tmp_path: Path) -> Iterator[Demo]:
    home = tmp_path / "demo"
    shutil.copytree(data / "models", home / "models")
    made = Demo(home)
    yield made
    if made.process.poll() is None:
        made.stop(signal.SIGKILL)


def test_demo_lives_stops_cleanly_and_takes_a_recording_meanwhile(
    demo: Demo, tmp_path: Path
) -> None:
    demo.wait_for()
    recording = tmp_path / "r.jsonl"
    recording.write_text(
        "".join(json.dumps({"id": n, "text": f"路灯不亮{n}"}) + "\n" for n in range(20)),
        encoding="utf-8",
    )
    home = demo.told.parent
    done = apart("replay", str(recording), "--channel", "hotline", "--json", data=home)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["admitted"] == 20
    channels = ("app", "forum", "weibo", "news")
    demo.wait_for(*(f'hub_items_received_total{{of="{one}"}}' for one in channels))
    one_line(apart("run", "--port", "0", data=home), "in use by another hub")
    said = demo.stop(signal.SIGTERM)
    assert demo.process.returncode == 0, said
    assert "fictional" in said
    assert not demo.told.exists()


@pytest.mark.parametrize("counters", [(), ("hub_cases_total{",)], ids=["as it begins", "at work"])
def test_logs_are_json_without_what_citizens_said(demo: Demo, counters: tuple[str, ...]) -> None:
    demo.wait_for(*counters)
    said = demo.stop(signal.SIGINT)  # as Ctrl-C does: the classifier's process hears it too
    assert demo.process.returncode == 0
    assert "Traceback" not in said
    logged = [line for line in said.splitlines() if line.startswith("{")]
    assert all(json.loads(line)["level"] for line in logged)
    assert "盲道" not in said


def test_month_is_assessed_and_frozen_once(tmp_path: Path) -> None:
    """An empty month has no values; the present one can not be frozen; words that are no month are refused."""
    one_line(minsheng("assess", "2026-10", data=tmp_path), "minsheng.db is not there")
    assert minsheng("migrate", data=tmp_path).returncode == 0
    shown = minsheng("assess", "2020-10", "--by", "territory", data=tmp_path)
    assert "未固化" in shown.stdout
    assert "按期处置率" in shown.stdout
    assert "本月应结工单" in shown.stdout
    first = minsheng("assess", "2020-10", "--freeze", "--json", data=tmp_path)
    assert "frozen now" in first.stderr
    told = json.loads(first.stdout)
    assert told["frozen"] is True
    assert told["units"][0]["numbers"]["timely"]["value"] is None
    again = minsheng("assess", "2020-10", "--freeze", data=tmp_path)
    assert "was frozen 20" in again.stderr
    assert "已固化" in again.stdout
    early = minsheng("assess", "9990-10", "--freeze", data=tmp_path)
    assert early.returncode == 1
    assert "can not be frozen before 9990-11-03 06:00" in early.stderr
    assert minsheng("assess", "2026-Oct", data=tmp_path).returncode == 1
