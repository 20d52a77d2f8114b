"""Calls Invoke with Tencent's own client. The arguments are endpoint, secret id and key. Reads a list
of requests from stdin, and writes the list of responses to stdout."""

import json
import sys

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.scf.v20180416 import models, scf_client


def invoke(client, parameters):
    request = models.InvokeRequest()
    request.from_json_string(json.dumps(parameters))
    try:
        return json.loads(client.Invoke(request).to_json_string())
    except TencentCloudSDKException as error:
        return {"code": error.get_code(), "message": error.get_message(), "id": error.get_request_id()}


endpoint, secret_id, secret_key = sys.argv[1:]
http = HttpProfile(protocol="http", endpoint=endpoint, reqTimeout=30)
profile = ClientProfile(httpProfile=http)
client = scf_client.ScfClient(Credential(secret_id, secret_key), "ap-guangzhou", profile)
json.dump([invoke(client, parameters) for parameters in json.load(sys.stdin)], sys.stdout)
