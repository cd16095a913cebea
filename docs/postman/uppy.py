"""The requests of Uppy, in the protocol of its Companion."""

from docs.postman.files import send
from docs.postman.requests import Folder, Request

UPPY = Folder(
    "Uppy",
    "The protocol of Companion, which the upload widget Uppy speaks. People have no use for it.",
    (
        Request(
            route="POST /s3/multipart",
            name="Create an upload in parts",
            body={"filename": "uppy.txt", "type": "text/plain"},
            facts={"Its key is the name": 'body.key == "uppy.txt"'},
            keep={"upload_id": "body.uploadId"},
        ),
        Request(
            route="GET /s3/multipart/{upload_id}/batch",
            name="Sign several parts",
            query={"partNumbers": "1,2"},
            facts={"Both are signed": 'Object.keys(body.presignedUrls) == ["1", "2"]'},
        ),
        Request(
            route="GET /s3/multipart/{upload_id}/{part_number}",
            name="Sign one part",
            path={"part_number": "1"},
            facts={"The address is good for five minutes": "body.expires == 300"},
            keep={"part_url": "body.url"},
        ),
        send("Send the part to S3", "part_url", keep={"part_etag": 'header("etag")'}),
        Request(
            route="GET /s3/multipart/{upload_id}",
            name="List the parts that have arrived",
            facts={"The first has": "body.map((each) => each.PartNumber) == [1]"},
        ),
        Request(
            route="POST /s3/multipart/{upload_id}/complete",
            name="Complete the upload in parts",
            before=('pm.collectionVariables.set("part_etag", $part_etag.replaceAll(\'"\', ""));',),
            body={"parts": [{"PartNumber": 1, "ETag": "{{part_etag}}"}]},
            facts={"It says where the file is": "body.location matches /file_name=uppy.txt/"},
        ),
        Request(
            route="POST /s3/multipart",
            name="Create another",
            body={"filename": "uppy-2.txt", "type": "text/plain"},
            facts={"It has an id": "body.uploadId matches /./"},
            keep={"upload_id": "body.uploadId"},
        ),
        Request(
            route="DELETE /s3/multipart/{upload_id}",
            name="Abort it",
            facts={"The answer is empty": "body == {}"},
        ),
        Request(
            route="GET /s3/params",
            name="Create an upload in one PUT",
            query={"filename": "uppy-3.txt", "type": "text/plain"},
            facts={"It takes a PUT": 'body.method == "PUT"'},
            keep={"put_url": "body.url", "put_headers": "JSON.stringify(body.headers)"},
        ),
        send("Send its bytes to S3", "put_url", headers="put_headers"),
        Request(
            route="POST /s3/params",
            name="The same with a body",
            body={"filename": "uppy-4.txt", "type": "text/plain"},
            facts={"It takes a PUT": 'body.method == "PUT"'},
        ),
    ),
)
