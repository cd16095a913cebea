"""`make serve`: the declared stack on this machine. `make reset` deletes its data.

It starts the emulator, creates in it the resources that `__main__.py` declares, and runs the
handler behind a gateway, with the credentials of the declared role.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import threading
import urllib.error
import urllib.request
from operator import itemgetter
from pathlib import Path
from typing import Any

import boto3
import botocore
import pulumi

import bundle
from local import ROOT
from local.deploy import Deployment, deploy
from local.emulator.mail import SENDER
from local.emulator.process import HOST, REGION, Emulator, listen
from local.emulator.state import ServeError, StateFolder
from local.event_sources import EventSourceConfig
from local.gateway.cors import Cors
from local.record import record_resources
from local.resource import only_resource
from local.worker_pool import HANDLER, WorkerPool

WALKTHROUGH = Path(__file__).with_name("walkthrough.sh")
PERIODS = {"rate(5 minutes)": 300, "rate(1 day)": 86_400}  # seconds

_READY_SECONDS = 60


def main(arguments: list[str], stop: threading.Event) -> int:
    """Serve until `stop` is set, or reset; the exit status."""
    parser = argparse.ArgumentParser(prog="satchel", description="Satchel on this machine.")
    parser.add_argument("--reset", action="store_true", help="delete all data")
    reset = parser.parse_args(arguments).reset
    try:
        with StateFolder(Path(os.environ.get("SATCHEL_STATE") or ROOT / ".satchel")) as state:
            if reset:
                state.delete()
                print(f"Deleted all data in {state.folder}.")
            else:
                serve(state, _port(), stop)
    except ServeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def serve(state: StateFolder, port: int, stop: threading.Event) -> None:
    """Start everything, print the URL, and keep it running until `stop`. Raises ServeError."""
    config = {"mailFrom": SENDER, "administratorToken": state.setup_token(), **stack_config()}
    listener = listen(port)
    port = int(listener.getsockname()[1])
    with Emulator(state, port + 1 if port < 65_535 else 0) as emulator:  # noqa: PLR2004
        session = boto3.Session(*state.admin_keys(), region_name=REGION)
        try:
            deployment = deploy(session, config=config, endpoint_url=emulator.url)
        except RuntimeError as error:
            raise ServeError(f"The stack cannot be made: {error}.") from None
        role = role_environment(state, deployment.role_arn, emulator.url)
        pool = WorkerPool(
            listener,
            {**deployment.environment, **role},
            state.log("function"),
            cors=declared_cors(deployment),
            sources=declared_event_sources(deployment),
            handler=os.environ.get("SATCHEL_HANDLER", HANDLER),
        )
        with pool:
            if wait_until_ready(f"http://{HOST}:{port}", pool, stop):
                setup = str(config["administratorToken"])
                print(welcome(port, emulator.port, state.folder, setup), flush=True)
            while not stop.wait(0.1):
                pool.restart_killed()
                if emulator.process.poll() is not None:
                    raise ServeError(f"The emulator ended; {state.log('emulator')} says why.")
            print("\nStopping.", flush=True)


def stack_config() -> dict[str, Any]:
    """The keys of the stack's configuration that SATCHEL_CONFIG sets, over Pulumi.dev.yaml.

    It is a JSON object. Raises ServeError when the stack does not accept it.
    """
    try:
        given = json.loads(os.environ.get("SATCHEL_CONFIG") or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ServeError("SATCHEL_CONFIG is no JSON object.")
    try:
        if given:
            record_resources("dev", given)
    except (KeyError, ValueError, pulumi.RunError) as error:
        raise ServeError(f"SATCHEL_CONFIG cannot be used: {error.args[0]}.") from None
    return given


def clear_aws_environment() -> None:
    """Remove the user's AWS account and proxies from the environment: all requests are local."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


def role_environment(state: StateFolder, role_arn: str, endpoint: str) -> dict[str, str]:
    """The environment in which botocore assumes the role, and renews its credentials."""
    access_key, secret_key = state.admin_keys()
    path = state.folder / "aws" / "config"
    path.touch(mode=0o600)
    path.write_text(
        f"[profile administrator]\naws_access_key_id = {access_key}\n"
        f"aws_secret_access_key = {secret_key}\n\n"
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
        "AWS_DATA_PATH": str(botocore_data(state)),
        "AWS_LAMBDA_FUNCTION_NAME": "satchel-local",
    }


def botocore_data(state: StateFolder) -> Path:
    """The folder with botocore's data as the artifact has it: all of it takes 12 MiB a worker more.

    botocore reads there first, and has the services that are not there from its own data.
    """
    folder = state.folder / "aws" / "botocore"
    shutil.rmtree(folder, ignore_errors=True)
    bundle.copy_trimmed(Path(botocore.__file__).with_name("data"), folder)
    return folder


def declared_cors(deployment: Deployment) -> Cors:
    """The CORS configuration of the API."""
    api = only_resource(deployment.resources, "aws:apigatewayv2/api:Api")
    declared: dict[str, Any] = api.inputs.get("corsConfiguration") or {}
    return Cors(
        allow_origins=declared.get("allowOrigins", ()),
        allow_methods=declared.get("allowMethods", ()),
        allow_headers=declared.get("allowHeaders", ()),
        expose_headers=declared.get("exposeHeaders", ()),
        max_age=declared.get("maxAge"),
        allow_credentials=declared.get("allowCredentials", False),
    )


def declared_event_sources(deployment: Deployment) -> EventSourceConfig:
    """The queue and the schedules of the function, the shortest period first."""
    resources = deployment.resources
    mapping = only_resource(resources, "aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    rules = {
        each.physical_name: each.inputs["scheduleExpression"]
        for each in resources
        if each.kind == "aws:cloudwatch/eventRule:EventRule"
    }
    schedules = [
        (json.loads(target.inputs["input"]), PERIODS[rules[target.inputs["rule"]]])
        for target in resources
        if target.kind == "aws:cloudwatch/eventTarget:EventTarget"
    ]
    return EventSourceConfig(
        queue_url=deployment.exports["queues"]["uploadNotifications"],
        queue_arn=mapping["eventSourceArn"],
        batch_size=mapping["batchSize"],
        schedules=sorted(schedules, key=itemgetter(1)),
    )


def wait_until_ready(url: str, pool: WorkerPool, stop: threading.Event) -> bool:
    """Whether the function answered before `stop` was set. Raises ServeError."""
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
        pool.restart_killed()
    raise ServeError(f"The function does not answer; {pool.log} says why.")


def welcome(port: int, storage_port: int, folder: Path, setup_token: str) -> str:
    """The text that `make serve` prints when everything runs."""
    url = f"http://{HOST}:{port}"
    walkthrough = WALKTHROUGH.read_text().replace("http://127.0.0.1:8000", url)
    sweep = "make sweep" if port == 8000 else f"make sweep PORT={port}"  # noqa: PLR2004
    return (
        f"Satchel is at {url} (large files go to and from port {storage_port}).\n"
        f"Data and logs are in {folder}; `make reset` deletes them. Ctrl-C stops.\n"
        f"administrator setup token: {setup_token}\n\n"
        "Paste these lines into another terminal. Alice and Bob register, she shares a file with "
        f"him, and he reads it:\n\n{walkthrough}\n"
        "Next: docs/walkthrough.md goes on from here, docs/large-files.md sends gigabytes, and "
        f"`{sweep}` does now what is scheduled.\n"
        f"In a browser: {url}/docs"
    )


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or int(text) > 65_535:  # noqa: PLR2004
        raise ServeError(f"PORT={text} is not a port.")
    return int(text)


def stop_on_signals() -> threading.Event:
    """An event that SIGINT, SIGTERM and SIGHUP set, so that nothing is interrupted half-way."""
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    clear_aws_environment()
    sys.exit(main(sys.argv[1:], stop_on_signals()))
