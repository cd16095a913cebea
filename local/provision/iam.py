"""The role of the function and its policy."""

from typing import Any

from local.provision.clients import Clients
from local.resource import Resource


def create_role(clients: Clients, resource: Resource) -> dict[str, Any]:
    """Create the role, or give the one that exists the declared trust policy."""
    name, trust = resource.physical_name, resource.inputs["assumeRolePolicy"]
    iam = clients.iam
    try:
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        role = iam.get_role(RoleName=name)
    return {"arn": role["Role"]["Arn"]}


def put_role_policy(clients: Clients, resource: Resource) -> dict[str, Any]:
    """Set the policy of the role."""
    clients.iam.put_role_policy(
        RoleName=resource.inputs["role"],
        PolicyName=resource.physical_name,
        PolicyDocument=resource.inputs["policy"],
    )
    return {}
