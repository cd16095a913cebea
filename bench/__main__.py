"""`make bench`: measures, and prints what README shows."""

import zlib

import bundle
from bench import cold_start, password_cost, recorder, request_cost, scaling
from function import contract
from function.http import responses
from tests.support.fake_aws import stand

PAIRS, ROUNDS = 9, 7
# A Lambda has one processor at 1,769 MB, and a share of it below.
LAMBDA_SHARE = 1024 / 1769


def main() -> None:
    """Everything, in some minutes; a hundred thousand files take 2 GiB of memory."""
    with stand() as ground, request_cost.silent(responses.logger):
        environment = ground.deployed.environment
        settings = contract.settings(environment)
        tapes = recorder.record(ground, settings)
        accounts = scaling.record(ground, settings)
    say_warm(request_cost.figures(tapes, settings))
    say_curves(scaling.curves(accounts, settings))
    say_start(cold_start.starts(environment, PAIRS))
    say_hashes(password_cost.hashes(ROUNDS), settings)
    say_artifact()


def say_warm(figures: list[request_cost.Figure]) -> None:
    """The routes' table."""
    print("| Request | AWS calls | CPU, ms | Ratio |\n|---|--:|--:|--:|")
    for each in figures:
        print(f"| {each.route} | {each.calls} | {each.milliseconds:.1f} | {each.ratio:.1f} |")


def say_curves(curves: list[scaling.Curve]) -> None:
    """The table of accounts with many files."""
    sizes = " | ".join(f"{size:,} files, ms" for size in scaling.SIZES)
    print(f"\n| Request | AWS calls | {sizes} | Ratio |")
    print(f"|---|--:|{'--:|' * len(scaling.SIZES)}--:|")
    for each in curves:
        taken = " | ".join(f"{milliseconds:.1f}" for milliseconds in each.milliseconds)
        ratio = each.milliseconds[-1] / each.milliseconds[0]
        print(f"| {each.request} | {each.calls} | {taken} | {ratio:.2f} |")


def say_start(starts: dict[str, cold_start.Start]) -> None:
    """The table of cold starts."""
    words = {
        "bare": "*plain handler, imports and resources*",
        "imports": "Satchel, imports",
        "ready": "Satchel, imports and clients",
    }
    print("\n| Cold start | CPU, ms | Ratio |\n|---|--:|--:|")
    for name, each in starts.items():
        print(f"| {words[name]} | {each.milliseconds:.0f} | {each.ratio:.2f} |")


def say_hashes(hashes: dict[tuple[int, int], float], settings: contract.Settings) -> None:
    """The table of password hashes, and which one is chosen."""
    print("\n| Argon2id | CPU, ms | At 1,024 MB, ms | Ratio |\n|---|--:|--:|--:|")
    least = next(iter(hashes.values()))
    for (passes, memory), taken in hashes.items():
        chosen = (passes, memory) == (settings.hash_passes, settings.hash_memory)
        name = f"{memory // 1024} MiB, {passes} pass{'es' if passes > 1 else ''}"
        name = f"**{name}**" if chosen else name
        print(f"| {name} | {taken:.0f} | {taken / LAMBDA_SHARE:.0f} | {taken / least:.1f} |")


def say_artifact() -> None:
    """How big what Lambda runs is, if it has been built."""
    target = bundle.ROOT / bundle.ARTIFACT
    contents = [path.read_bytes() for path in bundle.files(target)] if target.exists() else []
    if contents:
        size, packed = sum(map(len, contents)), sum(len(zlib.compress(each)) for each in contents)
        print(f"\nArtifact: {packed / 2**20:.1f} MiB zipped, {size / 2**20:.1f} MiB unpacked.")


if __name__ == "__main__":
    main()
