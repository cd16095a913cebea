"""What falls due: rows that end at a time, and the bytes that then go with them.

The list has a shelf for each day, of which no user name can be the owner, and a line for each row;
it tells the hourly sweep what to look at without reading anything else. A line is written in the
commit that writes its row, and struck in the commit that makes the row's bytes somebody's.
"""

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
