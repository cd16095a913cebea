"""Measures the hash of a password: Argon2id (RFC 9106) with several parameters."""

import statistics
import time

import argon2

# Passes and KiB: the two minima of OWASP, one between, and the low-memory choice of RFC 9106.
CANDIDATES = ((2, 19 * 1024), (1, 46 * 1024), (2, 32 * 1024), (3, 64 * 1024))


def measure(rounds: int) -> dict[tuple[int, int], float]:
    """The CPU milliseconds of one hash on one lane, by passes and KiB: the median of all rounds."""
    taken: dict[tuple[int, int], list[float]] = {each: [] for each in CANDIDATES}
    for _ in range(rounds):
        for passes, memory in CANDIDATES:
            hasher = argon2.PasswordHasher(passes, memory, parallelism=1)
            started = time.process_time()
            hasher.hash("seven quiet otters")
            taken[passes, memory].append((time.process_time() - started) * 1000)
    return {each: statistics.median(times) for each, times in taken.items()}
