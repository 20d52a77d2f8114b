"""Uses the object store through the cloud's client library for Python. Reads its input from stdin."""
import base64
import hashlib
import json
import os
import sys

import requests
from qcloud_cos import CosConfig, CosS3Client, CosServiceError

given = json.load(sys.stdin)
bucket, port = given["bucket"], given["port"]
pair = dict(SecretId=given["id"], SecretKey=given["key"])


def client(**changes):
    place = dict(Region="ap-guangzhou", Scheme="http", IP="127.0.0.1", Port=port)
    return CosS3Client(CosConfig(**{**place, **pair, **changes}), retry=0)


cos = client()
# Some calls take no account of IP and Port: they find the store through a proxy.
proxy = {"http": f"http://127.0.0.1:{port}"}
proxied = client(IP=None, Port=None, Proxies=proxy)


def read(key, **options):
    return cos.get_object(Bucket=bucket, Key=key, **options)["Body"].get_raw_stream().read()


def refused(code, status, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except CosServiceError as error:
        found = (error.get_error_code(), error.get_status_code())
        assert found == (code, status), (found, error.get_error_msg())
        return error
    raise AssertionError(f"not refused with {code}")


def thousand():
    for number in range(1000):
        key, body = f"many/{number:04}", b"content of %d" % number
        etag = cos.put_object(Bucket=bucket, Key=key, Body=body)["ETag"]
        assert etag == '"%s"' % hashlib.md5(body).hexdigest()
        listed = cos.list_objects(Bucket=bucket, Prefix=key)["Contents"]
        assert [(entry["Key"], entry["Size"]) for entry in listed] == [(key, str(len(body)))], listed
    for number in range(1000):
        key = f"many/{number:04}"
        if number % 10 == 0:
            assert read(key) == b"content of %d" % number
        cos.delete_object(Bucket=bucket, Key=key)
    assert "Contents" not in cos.list_objects(Bucket=bucket)


def features():
    # The library leaves out the first slash of a key.
    keys = ["a", "a/b", "folder/", "//x", "///y", "a//b", "AbC0123==", "a/../b", "./c", "聊/天 +&?#%=é", "a<b>"]
    for key in keys:
        cos.put_object(Bucket=bucket, Key=key, Body=key.encode(), EnableMD5=True)
    stored = {key[1:] if key.startswith("/") else key: key for key in keys}
    listed = [entry["Key"] for entry in cos.list_objects(Bucket=bucket)["Contents"]]
    assert listed == sorted(stored, key=str.encode), listed
    raw = cos.list_objects(Bucket=bucket, EncodingType="url")["Contents"]
    assert "AbC0123%3D%3D" in [entry["Key"] for entry in raw], raw
    for key in keys:
        assert read(key) == key.encode()
        assert cos.head_object(Bucket=bucket, Key=key)["Content-Length"] == str(len(key.encode()))
    found = cos.list_objects(Bucket=bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in found["CommonPrefixes"]] == ["./", "/", "a/", "folder/", "聊/"], found

    # Metadata, ranges, conditions, and what a request overrides.
    meta = {"x-cos-meta-name": "a b", "x-cos-meta-Other": "1"}
    cos.put_object(Bucket=bucket, Key="m", Body=b"0123456789", ContentType="text/x; a=b", CacheControl="no-cache",
                   ContentDisposition="attachment", Metadata=meta)
    head = cos.head_object(Bucket=bucket, Key="m")
    assert head["x-cos-meta-name"] == "a b" and head["x-cos-meta-other"] == "1", head
    assert (head["Content-Type"], head["Cache-Control"]) == ("text/x; a=b", "no-cache")
    assert head["x-cos-hash-crc64ecma"] and head["x-cos-request-id"] and head["Last-Modified"]
    assert read("m", Range="bytes=2-4") == b"234"
    refused("InvalidRange", 416, cos.get_object, Bucket=bucket, Key="m", Range="bytes=10-")
    refused("PreconditionFailed", 412, cos.get_object, Bucket=bucket, Key="m", IfMatch='"other"')
    assert read("m", IfMatch=head["ETag"]) == b"0123456789"
    other = cos.get_object(Bucket=bucket, Key="m", ResponseContentType="a/b", ResponseCacheControl="x y")
    assert (other["Content-Type"], other["Cache-Control"]) == ("a/b", "x y")

    # Copies.
    source = {"Bucket": bucket, "Key": "m", "Region": "ap-guangzhou"}
    cos.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    assert cos.head_object(Bucket=bucket, Key="copy")["x-cos-meta-name"] == "a b"
    cos.copy_object(Bucket=bucket, Key="copy", CopySource=source, CopyStatus="Replaced", Metadata={"x-cos-meta-new": "1"})
    assert "x-cos-meta-name" not in cos.head_object(Bucket=bucket, Key="copy")
    assert read("copy") == b"0123456789"

    # URLs that are signed, through a proxy that leads here.
    url = proxied.get_presigned_url(Bucket=bucket, Key="a/b", Method="GET", Params={"response-content-type": "x/y"})
    answer = requests.get(url, proxies=proxy)
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"a/b", "x/y"), answer.text
    assert requests.put(url, proxies=proxy).status_code == 403
    url = proxied.get_presigned_url(Bucket=bucket, Key="put/by url==", Method="PUT")
    assert requests.put(url, data=b"by url", proxies=proxy).status_code == 200
    assert read("put/by url==") == b"by url"
    url = proxied.get_presigned_url(Bucket=bucket, Key="a", Method="GET", Expired=-1)
    answer = requests.get(url, proxies=proxy)
    assert answer.status_code == 403 and "<Message>Request has expired</Message>" in answer.text, answer.text
    answer = requests.get(url.split("?")[0], proxies=proxy)
    assert answer.status_code == 403 and "<Code>AccessDenied</Code>" in answer.text, answer.text

    # Buckets.
    second = "second-1250000000"
    cos.create_bucket(Bucket=second)
    refused("BucketAlreadyOwnedByYou", 409, cos.create_bucket, Bucket=second)
    names = [entry["Name"] for entry in proxied.list_buckets()["Buckets"]["Bucket"]]
    assert names == [bucket, second], names
    assert cos.bucket_exists(second) and not cos.bucket_exists("third-1250000000")
    cos.put_object(Bucket=second, Key="a", Body=b"")
    refused("BucketNotEmpty", 409, cos.delete_bucket, Bucket=second)
    refused("NoSuchBucket", 404, cos.put_object, Bucket="third-1250000000", Key="a", Body=b"x" * 100_000)
    refused("NoSuchKey", 404, cos.get_object, Bucket=second, Key="b")
    refused("NotImplemented", 501, cos.get_bucket_acl, Bucket=second)
    assert not cos.object_exists(second, "b") and cos.object_exists(second, "a")
    cos.delete_object(Bucket=second, Key="a")
    cos.delete_bucket(Bucket=second)

    # Several at once.
    objects = {"Object": [{"Key": key} for key in [*stored, "not there"]], "Quiet": "false"}
    deleted = cos.delete_objects(Bucket=bucket, Delete=objects)["Deleted"]
    assert sorted(entry["Key"] for entry in deleted) == sorted([*stored, "not there"]), deleted
    listed = [entry["Key"] for entry in cos.list_objects(Bucket=bucket)["Contents"]]
    assert listed == ["copy", "m", "put/by url=="], listed


def multipart():
    parts = [os.urandom(1 << 20) for _ in range(20)]
    names = dict(Bucket=bucket, Key="parts")
    upload = cos.create_multipart_upload(**names, ContentType="a/b", Metadata={"x-cos-meta-a": "1"})["UploadId"]
    names["UploadId"] = upload
    etags = []
    for number, part in enumerate(parts, 1):
        if number == 7:
            cos.upload_part(**names, PartNumber=number, Body=b"other" * 1000)
        etags.append(cos.upload_part(**names, PartNumber=number, Body=part, EnableMD5=True)["ETag"])
    page = cos.list_parts(**names, MaxParts=15)
    assert (len(page["Part"]), page["IsTruncated"], page["NextPartNumberMarker"]) == (15, "true", "15"), page
    page = cos.list_parts(**names, PartNumberMarker=15)
    assert [entry["PartNumber"] for entry in page["Part"]] == [str(number) for number in range(16, 21)], page
    uploads = cos.list_multipart_uploads(Bucket=bucket)["Upload"]
    assert [(entry["Key"], entry["UploadId"]) for entry in uploads] == [("parts", upload)], uploads
    refused("NoSuchKey", 404, cos.get_object, Bucket=bucket, Key="parts")
    chosen = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    wrong = [*chosen[:3], {"PartNumber": 4, "ETag": etags[0]}]
    refused("InvalidPart", 400, cos.complete_multipart_upload, **names, MultipartUpload={"Part": wrong})
    refused("InvalidPartOrder", 400, cos.complete_multipart_upload, **names, MultipartUpload={"Part": chosen[::-1]})
    done = cos.complete_multipart_upload(**names, MultipartUpload={"Part": chosen})
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    assert done["ETag"] == '"%s-20"' % hashlib.md5(digests).hexdigest(), done
    assert read("parts") == b"".join(parts)
    head = cos.head_object(Bucket=bucket, Key="parts")
    assert (head["Content-Type"], head["x-cos-meta-a"]) == ("a/b", "1"), head
    refused("NoSuchUpload", 404, cos.complete_multipart_upload, **names, MultipartUpload={"Part": chosen})

    # Small parts, copied parts, and an upload that is given up.
    names["UploadId"] = cos.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    small = [cos.upload_part(**names, PartNumber=number, Body=b"small")["ETag"] for number in (1, 2)]
    small = {"Part": [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(small, 1)]}
    refused("EntityTooSmall", 400, cos.complete_multipart_upload, **names, MultipartUpload=small)
    source = {"Bucket": bucket, "Key": "parts", "Region": "ap-guangzhou"}
    copied = cos.upload_part_copy(**names, PartNumber=1, CopySource=source, CopySourceRange="bytes=5-1500000")
    last = cos.upload_part(**names, PartNumber=2, Body=b"last")["ETag"]
    small = {"Part": [{"PartNumber": 1, "ETag": copied["ETag"]}, {"PartNumber": 2, "ETag": last}]}
    cos.complete_multipart_upload(**names, MultipartUpload=small)
    assert read("parts") == b"".join(parts)[5:1500001] + b"last"
    names["UploadId"] = cos.create_multipart_upload(Bucket=bucket, Key="given up")["UploadId"]
    names["Key"] = "given up"
    cos.abort_multipart_upload(**names)
    refused("NoSuchUpload", 404, cos.abort_multipart_upload, **names)
    assert "Upload" not in cos.list_multipart_uploads(Bucket=bucket)

    # Files, whose checksum the library compares.
    path = os.path.join(given["folder"], "file")
    with open(path, "wb") as file:
        file.write(b"".join(parts[:12]) + b"end")
    cos.upload_file(Bucket=bucket, Key="file", LocalFilePath=path, PartSize=1, MAXThread=3, EnableMD5=True)
    cos.download_file(Bucket=bucket, Key="file", DestFilePath=path + ".back", PartSize=1, EnableCRC=True)
    with open(path, "rb") as one, open(path + ".back", "rb") as other:
        assert one.read() == other.read()
    proxied.copy(Bucket=bucket, Key="file copy", CopySource={**source, "Key": "file"}, PartSize=5)
    assert read("file copy") == b"".join(parts[:12]) + b"end"


def secrets():
    wrong = client(SecretKey="another-secret-key-here")
    for call in (lambda cos: cos.put_object(Bucket=bucket, Key="a", Body=b"a"),
                 lambda cos: cos.list_objects(Bucket=bucket),
                 lambda cos: cos.delete_object(Bucket=bucket, Key="a")):
        refused("SignatureDoesNotMatch", 403, call, wrong)
        refused("InvalidAccessKeyId", 403, call, client(SecretId="AKIDother"))
        refused("AccessDenied", 403, call, client(Anonymous=True, SecretId=None, SecretKey=None))
    assert "Contents" not in cos.list_objects(Bucket=bucket)
    # A body that is not as its MD5 says.
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    refused("BadDigest", 400, cos.put_object, Bucket=bucket, Key="a", Body=b"a", ContentMD5=md5)
    refused("KeyTooLong", 400, cos.put_object, Bucket=bucket, Key="k" * 851, Body=b"a")
    assert "Contents" not in cos.list_objects(Bucket=bucket)


def pages():
    keys, count, marker = [], 0, ""
    while True:
        page = cos.list_objects(Bucket=bucket, Prefix="pages/", Marker=marker)
        keys += [entry["Key"] for entry in page["Contents"]]
        count += 1
        if page["IsTruncated"] == "false":
            break
        marker = page["NextMarker"]
    assert len(set(keys)) == len(keys) and keys == sorted(keys)
    folders, marker = [], ""
    while True:
        page = cos.list_objects(Bucket=bucket, Prefix="pages/", Delimiter="/", Marker=marker, MaxKeys=2)
        folders += [entry["Prefix"] for entry in page["CommonPrefixes"]]
        if page["IsTruncated"] == "false":
            break
        marker = page["NextMarker"]
    return {"keys": len(keys), "pages": count, "folders": folders}


print(json.dumps(globals()[given["part"]]()))
