"""`make bench`: measures all but the transfer of large files, and prints the tables as Markdown."""

import zlib

import bundle
from bench import (
    cold_start,
    contention,
    password_cost,
    price,
    recorder,
    request_cost,
    scaling,
    worst,
)
from function import contract
from function.core.limits import DAY
from function.http import problems
from tests.support.fake_aws import running_fake_aws

START_ROUNDS, HASH_ROUNDS = 15, 7
# A Lambda has one processor at 1,769 MB, and a share of it below.
LAMBDA_SHARE = 1024 / 1769


def main() -> None:
    """Measure and print, for some minutes; a hundred thousand files take 2 GiB of memory."""
    with running_fake_aws() as fake_aws, request_cost.muted(problems.logger):
        # A session that may idle for a day writes its last use every ten minutes. A request that is
        # played back sooner makes the calls that were recorded.
        idle = {contract.variable("idle_seconds"): str(DAY)}
        environment = fake_aws.deployed.environment | idle
        settings = contract.settings(environment)
        recordings = recorder.record_routes(fake_aws, settings)
        accounts = scaling.record_accounts(fake_aws, settings)
    print_request_costs(request_cost.measure(recordings, settings))
    print_prices(price.of(recordings))
    print_scalings(scaling.measure(accounts, settings))
    download = recordings["GET /download"]
    python, version = cold_start.interpreter()
    starts = cold_start.measure(python, environment, download, START_ROUNDS)
    print_cold_starts(starts, version)
    print_password_costs(password_cost.measure(HASH_ROUNDS), settings)
    print_artifact()
    with running_fake_aws() as fake_aws, request_cost.muted(problems.logger):
        print_worst(worst.measure(fake_aws))
        print_contentions(dict(contention.measure(fake_aws, settings)))


def print_request_costs(costs: list[request_cost.RequestCost]) -> None:
    """The table of each route's request."""
    print("| Request | AWS calls | Read units | Write units | CPU, ms | Ratio |")
    print("|---|--:|--:|--:|--:|--:|")
    for each in costs:
        units = f"{each.read_units:g} | {each.write_units}"
        taken = f"{each.milliseconds:.1f} | {each.ratio:.1f}"
        print(f"| {each.request} | {each.calls} | {units} | {taken} |")


def print_worst(costs: list[worst.WorstCost]) -> None:
    """The table of the largest requests, where everything is as large as the limits allow."""
    print("\n| Request at its worst | AWS calls | Rows read | Read units | Write units |")
    print("|---|--:|--:|--:|--:|")
    for route, cost in costs:
        units = f"{cost.read_units:,g} | {cost.write_units:,}"
        print(f"| {route} | {cost.calls} | {cost.rows:,} | {units} |")


def print_prices(prices: list[price.Price]) -> None:
    """The table of docs/costs.md."""
    print(f"\n| {' | '.join(price.COLUMNS)} |\n| --- |{' --: |' * (len(price.COLUMNS) - 1)}")
    for each in prices:
        print(f"| {' | '.join(each.cells())} |")


def print_scalings(scalings: list[scaling.Scaling]) -> None:
    """The table of requests in accounts of each size."""
    sizes = " | ".join(f"{size:,} files, ms" for size in scaling.SIZES)
    print(f"\n| Request | AWS calls | {sizes} | Ratio |")
    print(f"|---|--:|{'--:|' * len(scaling.SIZES)}--:|")
    for each in scalings:
        taken = " | ".join(f"{milliseconds:.1f}" for milliseconds in each.milliseconds)
        ratio = each.milliseconds[-1] / each.milliseconds[0]
        print(f"| {each.request} | {each.calls} | {taken} | {ratio:.2f} |")


def print_contentions(met: dict[str, list[contention.Contention]]) -> None:
    """The table of clients side by side, with the share of their requests that failed."""
    sizes = " | ".join(f"{clients} at once" for clients in contention.CLIENTS)
    print(f"\n| Requests side by side | {sizes} | A second | Tries | Slowest, s |")
    print(f"|---|{'--:|' * len(contention.CLIENTS)}--:|--:|--:|")
    for name, results in met.items():
        shares, most = " | ".join(f"{each.failed:.1%}" for each in results), results[-1]
        requests = most.statuses.total()
        rate, tries = requests / most.seconds, most.transactions / requests
        print(f"| {name} | {shares} | {rate:.0f} | {tries:.1f} | {most.slowest:.0f} |")


def print_cold_starts(starts: list[cold_start.Start], version: str) -> None:
    """The table of cold starts; without valgrind it has no instructions."""
    print(f"\n| Cold start, Python {version} | CPU, ms | Ratio | Instructions, millions | Ratio |")
    print("|---|--:|--:|--:|--:|")
    for each in starts:
        counted = f"{each.instructions:,.0f}" if each.instructions else ""
        ratio = f"{each.instructions_ratio:.2f}" if each.instructions_ratio else ""
        print(f"| {each.name} | {each.milliseconds:.0f} | {each.ratio:.2f} | {counted} | {ratio} |")


def print_password_costs(costs: dict[tuple[int, int], float], settings: contract.Settings) -> None:
    """The table of password hashes, with the stack's own in bold."""
    print("\n| Argon2id | CPU, ms | At 1,024 MB, ms | Ratio |\n|---|--:|--:|--:|")
    least = next(iter(costs.values()))
    for (passes, memory), taken in costs.items():
        chosen = (passes, memory) == (settings.hash_passes, settings.hash_memory)
        name = f"{memory // 1024} MiB, {passes} pass{'es' if passes > 1 else ''}"
        name = f"**{name}**" if chosen else name
        print(f"| {name} | {taken:.0f} | {taken / LAMBDA_SHARE:.0f} | {taken / least:.1f} |")


def print_artifact() -> None:
    """The size of the artifact, if it has been built."""
    target = bundle.ROOT / bundle.ARTIFACT
    contents = [path.read_bytes() for path in bundle.files(target)] if target.exists() else []
    if contents:
        size, packed = sum(map(len, contents)), sum(len(zlib.compress(each)) for each in contents)
        print(f"\nArtifact: {packed / 2**20:.1f} MiB zipped, {size / 2**20:.1f} MiB unpacked.")


if __name__ == "__main__":
    main()
