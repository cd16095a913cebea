"""The limits of sizes and times, in one place. Sizes are bytes, times are seconds."""

DAY = 86_400
MIB = 1024 * 1024
# A file through the Lambda: as Base64 it fits the 6 MB of a request and of an answer.
SMALL_FILE_BYTES = 4 * MIB
MAX_FILE_BYTES = 5 * 1024 * 1024 * MIB
# A larger file goes to S3 in parts.
MAX_SINGLE_PUT_BYTES = 64 * MIB
MIN_PART_BYTES = 8 * MIB
UPLOAD_DAYS = 7
UPLOAD_SECONDS = UPLOAD_DAYS * DAY
# Shorter than other uploads: it holds one of the file request's slots meanwhile.
FILE_REQUEST_UPLOAD_SECONDS = 2 * DAY
# How long a presigned URL works.
URL_SECONDS = 300
# A page of a list ends early, with a cursor, where its answer would outgrow that of a Lambda.
MAX_ANSWER_BYTES = 4 * MIB
# How long one request works at a job that the sweep can finish; the gateway waits for 30 s.
WORK_SECONDS = 15
