"""The limits of the product, in one place. Sizes are bytes, times are seconds.

The limits of a call of AWS are in the module of `aws` that calls it.
"""

MINUTE = 60
DAY = 86_400
WEEK = 7 * DAY
MIB = 1024 * 1024
# A file through the Lambda: as Base64 it fits the 6 MB of a request and of an answer.
SMALL_FILE_BYTES = 4 * MIB
MAX_FILE_BYTES = 5 * 1024 * 1024 * MIB
# A larger file goes to S3 in parts.
MAX_SINGLE_PUT_BYTES = 64 * MIB
MIN_PART_BYTES = 8 * MIB
MIN_S3_PART_BYTES = 5 * MIB  # of every part but the last (Amazon S3 quotas)
UPLOAD_DAYS = 7
UPLOAD_SECONDS = UPLOAD_DAYS * DAY
# Shorter: nobody said how many bytes it will bring, so nothing is reserved for them.
UNSIZED_UPLOAD_SECONDS = DAY
# Shorter than other uploads: it holds one of the file request's slots meanwhile.
FILE_REQUEST_UPLOAD_SECONDS = 2 * DAY
# How long a presigned URL works.
URL_SECONDS = 300
# A page of a list ends early, with a cursor, where its answer would outgrow that of a Lambda.
MAX_ANSWER_BYTES = 4 * MIB
# How long one request works at a job that the sweep can finish; a request ends after 28 seconds.
WORK_SECONDS = 15
# How long the rows of links, their events, file requests and jobs outlive them: an expired link
# still tells its visitors so, and its owner can still extend it.
EXPIRED_SECONDS = 90 * DAY
# How long a repeated request with the same Idempotency-Key gets the same answer.
IDEMPOTENCY_SECONDS = DAY
MAX_VERSION = 99_999_999  # the sort key of an archived version has eight digits
MAX_WORDS = 8  # of a file's name in the search index, and of a query
MAX_PARTS = 10_000  # of a multipart upload (Amazon S3 quotas)
MAX_SIGNED_PARTS = 100  # in one request
# The body of a request. A route that takes more says so in its signature (`http.dependencies`).
MAX_BODY_BYTES = 64 * 1024
MAX_COMPLETION_BYTES = MIB  # the list of the most parts, with the ETag of each
MAX_REQUEST_BYTES = 6 * MIB  # that a Lambda accepts (AWS Lambda quotas)
MAX_JSON_MARKS = 100_000  # the characters { [ : , of JSON: each may cost an object
MAX_FORM_PARTS = 20  # of a multipart form
