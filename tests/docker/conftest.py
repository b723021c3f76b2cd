"""The image under test, built once per run on the engine that DOCKER_HOST names."""

from __future__ import annotations

import pytest

from tests.docker import base, engine
from tests.docker import image as images


@pytest.fixture(scope="session")
def image() -> str:
    """Tag of the built image. Skips, with the reason, where no engine answers or the base cannot be made."""
    if not engine.answers():
        pytest.skip("no Docker Engine answers; ./check starts one as root where dockerd is installed")
    if why := base.missing():
        pytest.skip(f"the base image cannot be made: {why}")
    return images.build()
