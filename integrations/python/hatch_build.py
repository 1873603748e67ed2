"""Names the platform of the wheel: a program is in it, and nothing that depends on the version of Python."""
import os

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PlatformHook(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + os.environ.get("CLEANNET_WHEEL_PLATFORM", "linux_x86_64")
