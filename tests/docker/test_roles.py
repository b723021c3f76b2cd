"""compose.yaml brought up: web, worker and runner in containers of their own over PostgreSQL, one submission scored.

The engine of the check has no bridge, so the three services share the loopback of web, and PostgreSQL (whose image
cannot be pulled) is the cluster of the other tests, reached by its socket. All else is as the file says.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests import postgres, scenario
from tests.docker.compose import ENVIRONMENT, compose, program, read

pytestmark = [
    *(pytest.mark.docker, pytest.mark.postgres, pytest.mark.sandbox, pytest.mark.slow),
    pytest.mark.timeout(900),
]

URL = "http://127.0.0.1:8000"
STATE = "/var/lib/arbitre-runner"
ACTS = f"""
admin = signed_in({URL!r}, "admin@example.org", ("read", "submit", "organise"))
made = cases()
slug = publish(admin, folder(made))
team = person({URL!r}, "ada")
join(team, slug)
number = submit(team, slug, entry(made))["number"]
state = scored(team, slug, number)["state"]
rows = until(lambda: team.get(f"/challenges/{{slug}}/phases/main/leaderboard")["rows"])
import json
print(json.dumps([state, [row["team"] for row in rows]]))
"""

Compose = Callable[..., subprocess.CompletedProcess[str]]


def on_one_loopback(cluster: postgres.Cluster) -> str:
    """compose.yaml without networks, ports and the PostgreSQL service."""
    document = read()
    services = document["services"]
    del document["networks"], services["postgres"], services["web"]["ports"], services["web"]["depends_on"]
    for name, service in services.items():
        del service["networks"], service["build"]
        service["network_mode"] = "none" if name == "web" else "service:web"
        if "environment" in service:
            service["environment"] |= {"ARBITRE_DATABASE_URL": "postgresql://postgres@/roles?host=/postgres"}
            service["volumes"].append(f"{cluster.folder}:/postgres")
    services["runner"]["command"] = ["arbitre-runner", "start", "--server", URL, "--state", STATE]
    return yaml.safe_dump(document)


@pytest.fixture
def project(image: str, cluster: postgres.Cluster, tmp_path: Path) -> Iterator[Compose]:
    """Compose on the changed file; whatever it started is taken down, volumes too."""
    if program() is None:
        pytest.skip("neither docker compose nor docker-compose is installed")
    cluster.folder.chmod(0o711)
    cluster.execute("CREATE DATABASE roles")
    file = tmp_path / "compose.yaml"
    file.write_text(on_one_loopback(cluster))
    place = ("-p", "arbitre-check-roles", "-f", str(file), "--project-directory", ".")

    def call(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        ended = compose(*place, *arguments, environment=ENVIRONMENT | {"ARBITRE_IMAGE": image}, given=given)
        assert ended.returncode == 0, ended.stdout + ended.stderr + compose(*place, "logs").stdout
        return ended

    yield call
    call("down", "--volumes", "--timeout", "20")
    cluster.execute("DROP DATABASE roles WITH (FORCE)")


def test_one_submission_goes_through_the_three_roles(project: Compose) -> None:
    project("up", "-d", "worker")
    account = ("--email", "admin@example.org", "--name", "Admin")
    project("exec", "-T", "web", "arbitre", "admin", "create", *account, given=f"{scenario.PASSWORD}\n")
    token = project("exec", "-T", "web", "arbitre", "admin", "runner", "add").stdout.strip()
    register = ("arbitre-runner", "register", "--server", URL, "--state", STATE, "--token", token)
    project("run", "--rm", "runner", *register)
    project("up", "-d", "runner")
    acts = Path(scenario.__file__).read_text() + ACTS
    assert json.loads(project("exec", "-T", "web", "python3", "-", given=acts).stdout) == ["scored", ["ada"]]
