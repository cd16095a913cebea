"""The limits of sizes and times, in one place. Sizes are bytes, times are seconds."""

DAY = 86_400
MIB = 1024 * 1024
SINGLE_PUT = 64 * MIB
SMALLEST_PART = 8 * MIB
LARGEST = 5 * 1024 * 1024 * MIB
DAYS = 7  # the most that an upload may take
UPLOAD_SECONDS = DAYS * DAY
SENT_SECONDS = 2 * DAY  # by a request: it holds a place meanwhile, whoever sends it or not
URL_SECONDS = 300
# No answer outgrows what a Lambda gives; beyond, a page ends early, with a cursor.
MOST_BYTES = 4 * 1024 * 1024
AT_MOST = 15  # seconds of a request; what is then left falls due
SMALL = 4 * 1024 * 1024  # as Base64 it fits the 6 MB that a Lambda takes and gives
