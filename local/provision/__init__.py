"""Creates declared resources with boto3, one module an AWS service.

Each function creates one kind of resource or adopts the one that exists, so that a second run
changes nothing. It returns the outputs that the emulator decides.
"""
