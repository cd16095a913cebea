"""`make serve`: the declared stack on this machine, and `make reset`, which forgets its data.

The emulator, what `__main__.py` declares made in it, and the handler behind a gateway, with the
credentials of the declared role and no others. Imports the rest of `local`.
"""

import argparse
import json
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from operator import itemgetter
from pathlib import Path
from typing import Any

import boto3
import pulumi

from local.arrivals import Errands
from local.crew import HANDLER, Crew
from local.deploy import Deployment, deploy
from local.emulator import HOST, REGION, ROOT, Emulator, State, Trouble, listen
from local.gateway.cors import Cors
from local.mails import SENDER
from local.record import record_resources
from local.resource import only_resource

WALK = Path(__file__).with_name("walkthrough.sh")

_READY_SECONDS = 60
SECONDS = {"rate(1 hour)": 3_600, "rate(1 day)": 86_400}


def main(arguments: list[str], stop: threading.Event) -> int:
    """Serve until `stop`, or forget; the exit status."""
    parser = argparse.ArgumentParser(prog="satchel", description="Satchel on this machine.")
    parser.add_argument("--reset", action="store_true", help="forget all data")
    reset = parser.parse_args(arguments).reset
    try:
        with State(Path(os.environ.get("SATCHEL_STATE") or ROOT / ".satchel")) as state:
            if reset:
                state.forget()
                print(f"Forgot everything in {state.folder}.")
            else:
                serve(state, _port(), stop)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return 0


def serve(state: State, port: int, stop: threading.Event) -> None:
    """Start everything, say where it is, and keep it running until `stop`. Raises Trouble."""
    config = {"mailFrom": SENDER, **configured()}
    listener = listen(port)
    port = int(listener.getsockname()[1])
    with Emulator(state, port + 1 if port < 65_535 else 0) as emulator:  # noqa: PLR2004
        key, secret = state.administrator()
        session = boto3.Session(key, secret, region_name=REGION)
        try:
            deployed = deploy(session, config=config, endpoint_url=emulator.url)
        except RuntimeError as error:  # what stands does not fit what is declared
            raise Trouble(f"The stack cannot be made: {error}.") from None
        environment = {**deployed.environment, **as_role(state, deployed.role_arn, emulator.url)}
        log = state.folder / "log" / "function.log"
        handler = os.environ.get("SATCHEL_HANDLER", HANDLER)
        cors, errands = cors_of(deployed), errands_of(deployed)
        crew = Crew(listener, environment, log, cors=cors, errands=errands, handler=handler)
        with crew:
            if wait_until_ready(f"http://{HOST}:{port}", crew, stop):
                print(welcome(port, emulator.port, state.folder), flush=True)
            while not stop.wait(0.1):
                crew.tend()
                if emulator.process.poll() is not None:
                    raise Trouble(f"The emulator ended; {state.folder}/log/emulator.log says why.")
            print("\nStopping.", flush=True)


def configured() -> dict[str, str]:
    """What SATCHEL_CONFIG sets of the stack's configuration, over Pulumi.dev.yaml. Raises Trouble.

    It is a JSON object of the keys that README lists, tried out before anything is started.
    """
    try:
        given = json.loads(os.environ.get("SATCHEL_CONFIG") or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Trouble("SATCHEL_CONFIG is no JSON object.")
    config = {
        key: each if isinstance(each, str) else json.dumps(each) for key, each in given.items()
    }
    try:
        if config:
            record_resources("dev", config)
    except (KeyError, ValueError, pulumi.RunError) as error:
        raise Trouble(f"SATCHEL_CONFIG cannot be used: {error.args[0]}.") from None
    return config


def leave_the_cloud_alone() -> None:
    """Forget the person's own AWS account, and any proxy: everything here is on loopback."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


def as_role(state: State, role_arn: str, endpoint: str) -> dict[str, str]:
    """The environment with which botocore takes on the role, and renews it, by itself."""
    key, secret = state.administrator()
    path = state.folder / "aws" / "config"
    path.touch(mode=0o600)
    path.write_text(
        f"[profile administrator]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n\n"
        f"[profile function]\nrole_arn = {role_arn}\nsource_profile = administrator\n"
    )
    return {
        "AWS_CONFIG_FILE": str(path),
        "AWS_SHARED_CREDENTIALS_FILE": str(path.with_name("none")),
        "AWS_PROFILE": "function",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": "satchel-local",
    }


def cors_of(deployed: Deployment) -> Cors:
    """The CORS configuration that the stack declares for its API."""
    api = only_resource(deployed.resources, "aws:apigatewayv2/api:Api")
    declared: dict[str, Any] = api.inputs.get("corsConfiguration") or {}
    return Cors(
        allow_origins=declared.get("allowOrigins", ()),
        allow_methods=declared.get("allowMethods", ()),
        allow_headers=declared.get("allowHeaders", ()),
        expose_headers=declared.get("exposeHeaders", ()),
        max_age=declared.get("maxAge"),
        allow_credentials=declared.get("allowCredentials", False),
    )


def errands_of(deployed: Deployment) -> Errands:
    """What the stack declares to call the function besides its API."""
    mapping = only_resource(
        deployed.resources, "aws:lambda/eventSourceMapping:EventSourceMapping"
    ).inputs
    rules = {
        each.physical_name: each.inputs["scheduleExpression"]
        for each in deployed.resources
        if each.kind == "aws:cloudwatch/eventRule:EventRule"
    }
    schedules = [
        (json.loads(target.inputs["input"]), SECONDS[rules[target.inputs["rule"]]])
        for target in deployed.resources
        if target.kind == "aws:cloudwatch/eventTarget:EventTarget"
    ]
    return Errands(
        queue_url=deployed.exports["queues"]["uploadNotifications"],
        queue_arn=mapping["eventSourceArn"],
        batch_size=mapping["batchSize"],
        schedules=sorted(schedules, key=itemgetter(1)),
    )


def wait_until_ready(url: str, crew: Crew, stop: threading.Event) -> bool:
    """Whether the function answers, before somebody wants to stop. Raises Trouble."""
    answered = threading.Event()

    def ask() -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            opener.open(f"{url}/health", timeout=_READY_SECONDS).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            return
        answered.set()

    threading.Thread(target=ask, daemon=True).start()
    for _ in range(_READY_SECONDS * 10):
        if answered.wait(0.1) or stop.is_set():
            return answered.is_set()
        crew.tend()
    raise Trouble(f"The function does not answer; {crew.log} says why.")


def welcome(port: int, storage_port: int, folder: Path) -> str:
    """What a person reads when everything runs."""
    url = f"http://{HOST}:{port}"
    walk = WALK.read_text().replace("http://127.0.0.1:8000", url)
    return (
        f"Satchel is at {url} (large files go to and from port {storage_port}).\n"
        f"Data and logs are in {folder}; `make reset` forgets them. Ctrl-C stops.\n\n"
        f"Paste this into another terminal:\n\n{walk}"
    )


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or int(text) > 65_535:  # noqa: PLR2004
        raise Trouble(f"PORT={text} is not a port.")
    return int(text)


def interrupted() -> threading.Event:
    """What is set when somebody wants this process to end.

    A signal is only noted: what is being started or written ends in order, without a traceback.
    """
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    leave_the_cloud_alone()
    sys.exit(main(sys.argv[1:], interrupted()))
