"""The adjustable quotas of this context."""

from shared.quotas import AccountQuotas, Quota, quota


class Quotas(AccountQuotas):
    """Those that this context keeps."""

    prefix_list_resolvers_per_ipam: Quota = quota(10)
    rules_per_prefix_list_resolver: Quota = quota(100)
    targets_per_prefix_list_resolver: Quota = quota(50)
    cidrs_per_prefix_list_resolver_version: Quota = quota(1000)
