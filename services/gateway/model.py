"""AWS's own descriptions of its services, as botocore ships them."""

from botocore.loaders import Loader
from botocore.model import ServiceModel


def load_model(service: str, protocol: str = "") -> ServiceModel:
    """The model of ``ec2``, ``ram`` or another service, by the name botocore has for it.

    Of a service that speaks several protocols, as if ``protocol`` were the only one.

    What a user keeps in ``~/.aws/models`` doesn't change what we answer.
    """
    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    description = loader.load_service_model(service, "service-2")
    if protocol:
        metadata = {**description["metadata"], "protocol": protocol, "protocols": [protocol]}
        description = {**description, "metadata": metadata}
    return ServiceModel(description, service)
