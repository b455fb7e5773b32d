"""The AWS command line against the endpoint."""
import json
import os
import subprocess
import uuid

import pytest

from dynamo import KEY, REGION, SECRET, not_tested
from lab import together

AWS = "/usr/bin/aws"        # Debian's


@pytest.fixture(scope="module")
def aws(endpoint):
    if not os.path.exists(AWS):
        not_tested("the AWS command line: awscli is not installed")

    def run(command, **parameters):
        args = [AWS, "dynamodb", command, "--output", "json",
                "--endpoint-url", endpoint.url]
        for name, value in parameters.items():
            args += ["--" + name.replace("_", "-"), value if
                     isinstance(value, str) else json.dumps(value)]
        done = subprocess.run(args, env=dict(
            os.environ, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET,
            AWS_DEFAULT_REGION=REGION, AWS_MAX_ATTEMPTS="1", AWS_PAGER="",
            AWS_EC2_METADATA_DISABLED="true"), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=60, check=False)
        if done.returncode:
            return done.stderr
        return json.loads(done.stdout or "{}")

    return run


def test_what_is_put_is_found(aws):
    name = "cli." + uuid.uuid4().hex[:12]
    told = aws("create-table", table_name=name,
               attribute_definitions="AttributeName=id,AttributeType=S",
               key_schema="AttributeName=id,KeyType=HASH",
               billing_mode="PAY_PER_REQUEST")
    assert told["TableDescription"]["TableName"] == name
    item = {"id": {"S": "a"}, "n": {"N": "1"}}
    assert aws("put-item", table_name=name, item=item) == {}
    found, again, scanned = together(lambda call: call(), (
        lambda: aws("query", table_name=name,
                    key_condition_expression="id = :i",
                    expression_attribute_values={":i": {"S": "a"}}),
        lambda: aws("put-item", table_name=name, item=item,
                    condition_expression="attribute_not_exists(id)"),
        lambda: aws("scan", table_name=name, page_size="1")))
    assert found["Items"] == scanned["Items"] == [item]
    assert "(ConditionalCheckFailedException)" in again
    aws("delete-table", table_name=name)
