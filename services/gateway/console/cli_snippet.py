from botocore.model import ServiceModel
from google.protobuf.message import Message


def command_line(model: ServiceModel, operation: str, request: Message, *, region: str) -> str:
    return "aws ec2 ..."
