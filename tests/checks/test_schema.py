"""JSON Schema after is-json and contains-json."""

from __future__ import annotations

import json
import time

import pytest

from core.checks import check, parse
from core.errors import CheckError

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DOUBLING = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)} | {"d30": {}}


def passes(schema: object, value: object) -> bool:
    return check(f"is-json:{json.dumps(schema)}", json.dumps(value)).passed


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "object", "required": ["name"]}, {"name": "x"}, {"nam": "x"}),
        ({"type": "array", "items": {"type": "integer"}}, [1, 2.0], [1, "2"]),
        ({"properties": {"a": {"enum": ["x", None]}}}, {"a": None}, {"a": "y"}),
        ({"prefixItems": [{"type": "string"}], "items": False}, ["a"], ["a", 1]),
        ({"$defs": {"n": {"type": "number", "minimum": 0}}, "items": {"$ref": "#/$defs/n"}}, [0, 1], [-1]),
        ({"$schema": DRAFT_7, "definitions": {"n": {"minimum": 0}}, "$ref": "#/definitions/n"}, 0, -1),
        ({"$id": "https://a.example/b", "$defs": {"n": {"$anchor": "n", "minimum": 0}}, "$ref": "#n"}, 0, -1),
        ({"type": "string", "pattern": "^[A-Z]{2}$"}, "DE", "de"),
        ({"type": "string", "format": "date"}, "2024-02-29", "2023-02-29"),
        ({"type": "string", "format": "date-time"}, "2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59"),
        ({"type": "string", "format": "time"}, "12:30:00+01:00", "12:30"),
        ({"type": "string", "format": "email"}, "a@b.example", "a at b"),
        ({"type": "string", "format": "ipv4"}, "127.0.0.1", "127.0.0.256"),
        ({"type": "string", "format": "ipv6"}, "::1", "::g"),
        ({"type": "string", "format": "uri"}, "https://a.example/b?c#d", "a b"),
        ({"type": "string", "format": "uuid"}, "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ({"properties": {"$ref": {"type": "string"}, "format": {"type": "number"}}}, {"format": 1}, {"$ref": 1}),
        ({"const": {"format": "postcode", "foo": 1}}, {"format": "postcode", "foo": 1}, {}),
        ({"$schema": DRAFT_7, "dependencies": {"a": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}),
        ({}, 1, None),
    ],
)  # fmt: skip
def test_a_schema_judges(schema: object, good: object, bad: object) -> None:
    assert passes(schema, good)
    assert not check(f"not-is-json:{json.dumps(schema)}", json.dumps(good)).passed
    if schema != {}:
        assert not passes(schema, bad)
        assert check(f"not-is-json:{json.dumps(schema)}", json.dumps(bad)).passed


def test_a_schema_in_yaml() -> None:
    line = "is-json:\n  type: object\n  required: [color]\n  properties:\n    color:\n      type: string\n"
    assert check(line, '{"color": "red"}').passed
    assert check(line, '{"color": 1}').reason == "the answer is JSON, but at .color: 1 is not of type 'string'"
    assert check("is-json: required: [a]", '{"a": 1}').passed


def test_contains_json_by_a_schema() -> None:
    named = '{"type": "object", "required": ["name"]}'
    assert check(f"contains-json:{named}", 'first {"a": 1}, then {"name": 1}').passed
    assert not check(f"contains-json:{named}", '{"outer": {"name": 1}}').passed
    assert not check(f"not-contains-json:{named}", 'so {"name": 1}').passed
    assert check(f"not-contains-json:{named}", "nothing").passed
    assert check('contains-json:{"type": "array", "items": {"type": "number"}}', 'as ["a"] or [1, 2] says').passed
    assert not check('contains-json:{"required": ["name"]}', "see [1]").passed
    assert not check("contains-json:name", '{"outer": {"name": 1}}').passed


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ('{"type": "objekt"}', "not valid"),
        ('{"type": "object", "requierd": ["a"]}', "'requierd', which is no keyword"),
        ('{"name": "string"}', "'name', which is no keyword"),
        ('{"properties": {"a": {"tpye": "string"}}}', "'tpye', which is no keyword"),
        ('{"items": [{"type": "string"}]}', "not valid"),
        ('{"dependencies": {"a": ["b"]}}', "dependentRequired"),
        ('{"$ref": "https://example.org/schema.json"}', r"only those to '#\.\.\.' are read"),
        ('{"properties": {"a": {"$ref": "other.json#/a"}}}', r"only those to '#\.\.\.' are read"),
        ('{"$ref": "#/definitions/a"}', "refers to '#/definitions/a', which is not in it"),
        ('{"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"y": {}}}', "which is not in it"),
        ('{"allOf": [{}], "not": {"$ref": "#/allOf/x"}}', "refers to '#/allOf/x', which is not in it"),
        ('{"$id": "https://a.example/b", "$ref": "#node"}', "refers to '#node', which is not in it"),
        ('{"format": "postcode"}', "the format 'postcode'; known are date"),
        ('{"pattern": "("}', "not valid"),
        ('{"type": "object"', "neither JSON nor YAML"),
        ('["name", "age"]', "needs a schema"),
        ("true", "needs a schema"),
        ("null", "needs a schema"),
        ('{"allOf": [' * 80 + "{}" + "]}" * 80, "nested over"),
        ("file://schema.json", "reads no files"),
    ],
)
@pytest.mark.parametrize("name", ["is-json", "not-contains-json"])
def test_a_schema_that_would_mean_nothing_is_refused(name: str, schema: str, reason: str) -> None:
    with pytest.raises(CheckError, match=rf"{reason}.*; write it like this: "):
        parse(f"{name}:{schema}")


def test_a_key_of_the_name_of_a_constant_stands_in_quotes() -> None:
    assert check('is-json:"true"', '{"true": 1}').passed


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"$ref": "#"}, "1"),
        ({"pattern": "^(a|a)*$"}, json.dumps("a" * 60 + "!")),
        ({"$defs": DOUBLING, "$ref": "#/$defs/d0"}, "1"),
    ],
)  # fmt: skip
def test_a_schema_without_end_is_stopped(schema: object, answer: str) -> None:
    began = time.perf_counter()
    for negated in ("", "not-"):
        outcome = check(f"{negated}is-json:{json.dumps(schema)}", answer)
        assert (outcome.passed, outcome.judged) == (False, False)
        assert outcome.reason.startswith("not judged: ")
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize("answer", ["1e999", "9" * 5_000, '{"a": 1e-999}', '"\\ud800"', "[" * 900 + "]" * 900])
def test_odd_json_is_judged_or_said(answer: str) -> None:
    assert check("is-json", answer).passed
    for schema in ('{"multipleOf": 0.1}', '{"uniqueItems": true, "maxLength": 3}', '{"enum": [1]}'):
        assert check(f"is-json:{schema}", answer).reason
