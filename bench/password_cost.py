"""What a password costs: Argon2id (RFC 9106) with the parameters that were considered."""

import statistics
import time

import argon2

# Passes and KiB: OWASP's two floors, between, and RFC 9106's low-memory choice.
CANDIDATES = ((2, 19 * 1024), (1, 46 * 1024), (2, 32 * 1024), (3, 64 * 1024))


def hashes(rounds: int) -> dict[tuple[int, int], float]:
    """CPU milliseconds of one hash by passes and KiB, on one lane: the median of some rounds."""
    taken: dict[tuple[int, int], list[float]] = {each: [] for each in CANDIDATES}
    for _ in range(rounds):
        for passes, memory in CANDIDATES:
            hasher = argon2.PasswordHasher(passes, memory, parallelism=1)
            begun = time.process_time()
            hasher.hash("seven quiet otters")
            taken[passes, memory].append((time.process_time() - begun) * 1000)
    return {each: statistics.median(times) for each, times in taken.items()}
