"""A dr.yaml as Python sees it, and everything that is wrong with a broken one."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import dr
import pytest


def test_the_example_is_what_it_says(example: Path) -> None:
    spec = dr.load(example, {})
    assert spec.application == "ecommerce"
    assert spec.endpoint == "https://api.ecommerce.com"
    assert spec.objectives.rto == datetime.timedelta(minutes=5)
    assert spec.objectives.rpo == datetime.timedelta(minutes=1)
    assert [(region.id, region.role) for region in spec.regions] == [
        ("us-east-1", "active"),
        ("eu-west-1", "warm-standby"),
        ("eu-central-1", "witness"),
    ]
    name = next(resource for resource in spec.resources if resource.id == "public-name")
    assert name.kind == "aws.route53_failover"
    assert sorted(name.depends_on) == ["orders-db", "platform", "sessions"]
    assert {service.id: (service.standby, service.full) for service in spec.services}["catalog"] == (2, 6)


def test_the_schema_knows_the_drivers(example: Path) -> None:
    schema = dr.load(example, {}).schema()
    assert "resources" in schema["properties"]
    assert "aws.aurora_global" in str(schema)


def test_variables_are_any_mapping_and_the_environment_by_default(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dr.load(example, {"DR_LAB_PUBLIC_URL": "http://here:1"}).endpoint == "http://here:1"
    monkeypatch.setenv("DR_LAB_PUBLIC_URL", "http://there:2")
    assert dr.load(str(example)).endpoint == "http://there:2"
    assert dr.load(example, os.environ).endpoint == "http://there:2"


def test_a_broken_file_tells_all_its_mistakes_at_once(example: Path, tmp_path: Path) -> None:
    text = example.read_text()
    text = text.replace("rto: 5m", "rto: five minutes")
    text = text.replace("role: warm-standby", "role: warm")
    text = text.replace("kind: aws.elasticache_global", "kind: aws.memcached_global")
    broken = tmp_path / "broken.dr.yaml"
    broken.write_text(text)
    with pytest.raises(dr.SpecError) as raised:
        dr.load(broken, {})
    error = raised.value
    assert (error.kind, error.effect, error.retry) == ("invalid", "not-applied", "never")
    paths = [finding.path for finding in error.findings]
    for path in ["objectives.rto", "regions[1].role", "resources[1].kind"]:
        assert path in paths, paths
    lines = text.splitlines()
    rto = next(finding for finding in error.findings if finding.path == "objectives.rto")
    assert "five minutes" in lines[rto.line - 1]
    assert rto.column == lines[rto.line - 1].index("five") + 1
    assert rto.file == str(broken)
    assert rto.message and rto.remedy
    assert f"{broken}:{rto.line}:{rto.column}" in str(error)
    assert isinstance(error, dr.DrError)


def test_a_file_that_is_not_there_is_an_error_of_its_kind(tmp_path: Path) -> None:
    with pytest.raises(dr.DrError) as raised:
        dr.load(tmp_path / "none.yaml", {})
    assert raised.value.kind == "storage"
    assert not isinstance(raised.value, dr.SpecError)


def test_env_files_are_read_and_their_lines_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# a lab\nA=1\n\nexport B='two words'\nC=\"x=y\"\nD=\n")
    assert dr.read_env(file) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}
    file.write_text("A=1\nhunter2\n")
    with pytest.raises(dr.DrError, match=":2: ") as raised:
        dr.read_env(file)
    assert "hunter2" not in str(raised.value)


def test_no_secret_is_shown(example: Path) -> None:
    variables = {
        "DR_LAB_ADMIN": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "AKIDTEST",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
    }
    spec = dr.load(example, variables)
    plan = spec.plan(survey=False)
    for shown in [repr(spec), repr(plan), plan.json(), plan.text(), repr(spec.regions), repr(plan.steps)]:
        assert "hunter2" not in shown
        assert "AKIDTEST" not in shown
