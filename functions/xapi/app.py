import json


def handler(event, context):
    print(json.dumps({"message": "request", "event": event}))
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"function": "xapi", "event": event}),
    }
