"""The services' names, without what all have in common, and words of their contracts."""

ORGANIZATIONS = "control.organizations.v1.OrganizationsService"
SHARING = "control.sharing.v1.SharingService"
IAM = "control.iam.v1.IamService"
CONTROL = "control.v1.ControlPlaneService"
DISCOVERIES = "control.v1.ResourceDiscoveryService"
ALLOCATION = "allocation.v1.AllocationService"
PLACEMENT = "allocation.v1.PlacementService"
BATCH = "allocation.v1.BatchService"
NETWORK = "network.v1.NetworkService"

IPV4 = "ADDRESS_FAMILY_IPV4"
SCP = "POLICY_TYPE_SERVICE_CONTROL_POLICY"
IPAM_SERVICE, RAM_SERVICE = "ipam.amazonaws.com", "ram.amazonaws.com"
ROLE = "AWSServiceRoleForIPAM"
ALLOW_ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'

_PERMISSION = "arn:aws:ram::aws:permission/AWSRAM"
DEFAULT_PERMISSION = f"{_PERMISSION}DefaultPermissionsIpamPool"
IMPORT_PERMISSION = f"{_PERMISSION}PermissionIpamPoolByoipCidrImport"
DISCOVERY_PERMISSION = f"{_PERMISSION}PermissionIpamResourceDiscovery"
