"""What a thousand requests cost, by the units that were recorded: the table of docs/costs.md.

Prices are dollars, list prices of us-east-1 in 2025. The milliseconds of Lambda are estimates: the
CPU of a request, and some for each call of AWS.
"""

from collections.abc import Mapping
from typing import NamedTuple

from bench.recorder import Recording

REQUESTS = 1000
API_AND_LAMBDA = 1.20e-6  # an HTTP API's and Lambda's price of a request
LAMBDA_GB_SECOND = 1.33334e-5
READ_UNIT, WRITE_UNIT = 0.125e-6, 0.625e-6
S3_PUT, S3_GET = 5.00e-6, 0.40e-6
LOG_GB, LOG_BYTES = 0.50, 700
COLUMNS = (
    "1,000 requests", "HTTP API and Lambda", "Lambda time at 1 GB", "DynamoDB", "S3",
    "Logs of 0.7 KB", "Sum",
)  # fmt: skip
# What people do: the recorded requests that it takes, their milliseconds, S3's calls by price.
USES: Mapping[str, tuple[tuple[str, ...], int, dict[str, float]]] = {
    "logins": (("POST /login",), 70, {}),
    "uploads of 100 KiB by `PUT /file`": (("PUT /file, 100 KiB",), 60, {"PUT": S3_PUT}),
    "uploads straight to S3": (
        ("POST /uploads, one PUT", "POST /uploads/{id}/complete, one PUT"),
        90,
        {"PUT": S3_PUT, "HEAD": S3_GET},
    ),
    "downloads by presigned URL": (("GET /download",), 20, {"GET": S3_GET}),
    "downloads by link": (("POST /s/{token}/download",), 30, {"GET": S3_GET}),
    "lists of 100 files": (("GET /files, 100 of one's own",), 40, {}),
    "shares": (("POST /share",), 30, {}),
}


class Price(NamedTuple):
    """The price of a thousand of one use, in parts."""

    use: str
    requests: int
    milliseconds: int
    reads: float
    writes: int
    s3: Mapping[str, float]

    def cells(self) -> list[str]:
        """The cells of a row of the table."""
        gateway = REQUESTS * self.requests * API_AND_LAMBDA
        time = REQUESTS * self.milliseconds / 1000 * LAMBDA_GB_SECOND
        database = REQUESTS * (self.reads * READ_UNIT + self.writes * WRITE_UNIT)
        storage = REQUESTS * sum(self.s3.values())
        logs = REQUESTS * self.requests * LOG_BYTES / 1e9 * LOG_GB
        units = f"{self.reads:g} reads, {self.writes} writes"
        calls = f"{', '.join(self.s3)}: {storage:.4f}" if self.s3 else ""
        total = gateway + time + database + storage + logs
        return [
            self.use, f"{gateway:.4f}", f"{self.milliseconds} ms: {time:.4f}",
            f"{units}: {database:.4f}", calls, f"{logs:.4f}", f"**${total:.4f}**",
        ]  # fmt: skip


def of(recordings: Mapping[str, Recording]) -> list[Price]:
    """The price of each use."""
    return [
        Price(
            use,
            len(labels),
            milliseconds,
            sum(recordings[label].cost.read_units for label in labels),
            sum(recordings[label].cost.write_units for label in labels),
            s3,
        )
        for use, (labels, milliseconds, s3) in USES.items()
    ]
