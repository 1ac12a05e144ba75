"""AWS's own descriptions of its services, as botocore ships them."""

from botocore.loaders import Loader
from botocore.model import ServiceModel


def load_model(service: str) -> ServiceModel:
    """The model of ``ec2``, ``ram`` or another service, by the name botocore has for it.

    What a user keeps in ``~/.aws/models`` doesn't change what we answer.
    """
    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    return ServiceModel(loader.load_service_model(service, "service-2"), service)
