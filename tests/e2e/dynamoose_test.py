"""Node's clients against the endpoint: Dynamoose, and AWS's own SDK.

Their modules come from npm; without it the tests are skipped aloud.
"""
from dynamo import node


def test_dynamoose(endpoint):
    assert len(node("models.js", endpoint)) == 13


def test_the_sdk_and_its_documents(endpoint):
    assert len(node("sdk.js", endpoint)) == 8
