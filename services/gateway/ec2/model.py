"""AWS's own description of EC2, as botocore ships it."""

from botocore.loaders import Loader
from botocore.model import ServiceModel


def load_model() -> ServiceModel:
    """The EC2 model. What a user keeps in ``~/.aws/models`` doesn't change what we answer."""
    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    return ServiceModel(loader.load_service_model("ec2", "service-2"), "ec2")
