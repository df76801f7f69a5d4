"""What the container's files say is what is here: paths, port, health, commands and versions."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest
import yaml
from dockerfile_parse import DockerfileParser

from core.paths import ROOT
from tests.browser import free_port, wait_until_healthy

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
NGINX = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")


class Loader(yaml.SafeLoader):
    """YAML with Compose's tags."""


Loader.add_constructor("!reset", lambda loader, node: None)
REPLICAS = yaml.load((ROOT / "deploy" / "replicas.yaml").read_text(encoding="utf-8"), Loader)


@pytest.fixture(scope="module")
def dockerfile(tmp_path_factory: pytest.TempPathFactory) -> DockerfileParser:
    """A copy: the parser opens what it reads for writing too."""
    copy = tmp_path_factory.mktemp("docker") / "Dockerfile"
    shutil.copy(ROOT / "Dockerfile", copy)
    return DockerfileParser(str(copy))


def instructions(parser: DockerfileParser, name: str) -> list[str]:
    return [part["value"] for part in parser.structure if part["instruction"] == name]


def carried(folder: Path) -> None:
    """Copies what .dockerignore lets through, as `COPY . .` would."""
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line.startswith("!"):
            continue
        place = line[1:].rstrip("/")
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / place).is_dir():
            shutil.copytree(ROOT / place, folder / place, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / place, folder / place)


def test_the_python_is_one_that_the_project_supports(dockerfile: DockerfileParser) -> None:
    tag = dict(part.split("=", 1) for part in instructions(dockerfile, "ARG") if "=" in part)["PYTHON"]
    version = re.fullmatch(r"(3\.\d+)-slim-\w+", tag)
    assert version, "a pinned tag of the slim image"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == f">={version[1]}"
    assert set(dockerfile.parent_images) == {f"python:{tag}"}


def test_what_is_copied_exists_and_holds_no_secret() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*", "nothing but what is named"
    for place in (line[1:] for line in lines if line.startswith("!")):
        assert (ROOT / place).exists(), place
    for folder in ("tests", "data", "runs", ".streamlit/secrets.toml", ".streamlit", ".git"):
        assert f"!{folder}" not in lines
        assert f"!{folder}/" not in lines


def test_nobody_is_root_and_nothing_of_the_build_is_left(dockerfile: DockerfileParser) -> None:
    final = dockerfile.content.rsplit("\nFROM ", 1)[1]
    user = re.search(r"^USER (\d+)$", final, re.MULTILINE)
    assert user
    assert int(user[1]) > 0
    assert f"--uid {user[1]} " in final
    assert "pip " not in final
    assert "install --no-cache-dir --no-deps -e ." in dockerfile.content, (
        "the API gives the project's version"
    )
    assert "requirements-dev" not in dockerfile.content
    for service in COMPOSE["services"].values():
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]
        assert service["cap_drop"] == ["ALL"]


def test_compose_and_nginx_name_the_containers_port_health_and_folders(dockerfile: DockerfileParser) -> None:
    port = dockerfile.envs["STREAMLIT_SERVER_PORT"]
    assert instructions(dockerfile, "EXPOSE") == [port]
    (health,) = instructions(dockerfile, "HEALTHCHECK")
    main = COMPOSE["services"]["digitscope"]
    probe = main["healthcheck"]["test"][-1]
    assert f"127.0.0.1:{port}/healthz" in probe
    assert "/healthz" in health
    assert main["ports"] == ["${DIGITSCOPE_PORT:-8501}:" + port]
    (volume,) = instructions(dockerfile, "VOLUME")
    assert dockerfile.envs["DIGITSCOPE_DATA"] == volume
    for service in COMPOSE["services"].values():
        assert service["volumes"] == [f"data:{volume}"]
    behind = set(re.findall(r"server ([\w-]+):(\d+)", NGINX))
    assert behind == {(name, port) for name in REPLICAS["services"] if name != "proxy"}
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert f"client_max_body_size {config['server']['maxUploadSize']}m;" in NGINX
    front = (ROOT / "deploy" / "spaces" / "README.md").read_text(encoding="utf-8").split("---")[1]
    assert yaml.safe_load(front)["app_port"] == int(port)
    assert yaml.safe_load(front)["sdk"] == "docker"


def test_the_training_on_a_gpu_is_a_command_that_is_understood() -> None:
    import train

    program, script, *flags = COMPOSE["services"]["train"]["command"]
    assert (program, script) == ("python", "train.py")
    train.config_from(train.parse(flags))


def test_what_the_container_holds_runs_as_somebody_else_and_is_healthy(
    dockerfile: DockerfileParser, tmp_path: Path
) -> None:
    app, data, port = tmp_path / "app", tmp_path / "data", free_port()
    carried(app)
    data.mkdir()
    replaced = {"/app": str(app), "/data": str(data), "/tmp": str(tmp_path)}
    set_there = {name: text for name, text in dockerfile.envs.items() if name != "PATH"}
    for name in set_there:
        for there, here in replaced.items():
            set_there[name] = re.sub(rf"^{there}(?=/|$)", here, set_there[name])
    set_there |= {"STREAMLIT_SERVER_PORT": str(port), "STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}
    environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere", **set_there}
    program, *arguments = json.loads(dockerfile.cmd)
    for file in sorted(app.rglob("*"), reverse=True):  # root writes all the same; anybody else can't
        file.chmod(0o555 if file.is_dir() else 0o444)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", program, *arguments],
            cwd=app,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
        (health,) = instructions(dockerfile, "HEALTHCHECK")
        check = json.loads(re.search(r"CMD (\[.*\])", health)[1])
        command = [sys.executable, *check[1:]]
        for _ in range(5):  # as the engine does: a first one may come before the model is loaded
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode == 0:
                break
        assert done.returncode == 0, done.stderr
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/draw") as answer:
            assert b"<title>" in answer.read()
    finally:
        process.terminate()
        process.wait(timeout=20)
        for folder in (path for path in (app, *app.rglob("*")) if path.is_dir()):
            folder.chmod(0o755)
    assert "Traceback" not in log.read_text(encoding="utf-8")
    left = {path.relative_to(app) for path in app.rglob("__pycache__")}
    assert left == set(), "nothing is written beside the program"
