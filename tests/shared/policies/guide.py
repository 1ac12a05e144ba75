"""The policies that the guide has for making members use IPAM, letter for letter (ORG-6)."""

# ruff: noqa: W291 - as they are printed

REQUIRE_IPAM = """\
{ 
    "Version": "2012-10-17", 
    "Statement": [{ 
       "Effect": "Deny", 
        "Action": ["ec2:CreateVpc", "ec2:AssociateVpcCidrBlock"], 
        "Resource": "arn:aws:ec2:*:*:vpc/*", 
        "Condition": { 
            "Null": { 
                "ec2:Ipv4IpamPoolId": "true" 
            } 
        } 
     }]
}
"""
"""Members must use IPAM when they create VPCs."""

REQUIRE_POOL = """\
{ 
    "Version": "2012-10-17", 
    "Statement": [{ 
        "Effect": "Deny", 
        "Action": ["ec2:CreateVpc", "ec2:AssociateVpcCidrBlock"], 
        "Resource": "arn:aws:ec2:*:*:vpc/*", 
        "Condition": { 
            "StringNotEquals": { 
                "ec2:Ipv4IpamPoolId": "ipam-pool-0123456789abcdefg" 
            } 
          } 
    }]
}
"""
"""Members must use this very pool."""

REQUIRE_IPAM_EXCEPT = """\
{ 
     "Version": "2012-10-17", 
    "Statement": [{ 
 "Effect": "Deny", 
     "Action": ["ec2:CreateVpc", "ec2:AssociateVpcCidrBlock"], 
     "Resource": "arn:aws:ec2:*:*:vpc/*", 
     "Condition": { 
         "Null": { 
        "ec2:Ipv4IpamPoolId": "true" 
                }, 
         "ForAnyValue:StringNotLike": { 
             "aws:PrincipalOrgPaths": [ 
                 "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/", 
                 "o-a1b2c3d4e5/r-ab12/ou-ab13-22222222/ou-ab13-33333333/" 
             ] 
                } 
            } 
     }]
}
"""
"""Members must use IPAM, but for those in two OUs."""

POOL_ID = "ipam-pool-0123456789abcdefg"
"""Of the one pool of `REQUIRE_POOL`."""
LISTED_PATHS = (
    "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/",
    "o-a1b2c3d4e5/r-ab12/ou-ab13-22222222/ou-ab13-33333333/",
)
"""Of the two OUs of `REQUIRE_IPAM_EXCEPT`."""
