"""Real answers held against the document, both ways: nothing undocumented, nothing documented that never comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openapi_schema_validator import OAS31Validator


class Shapes:
    """What the document says of answers. `seen`: (schema, field) of all that has been held against it."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        self.seen: set[tuple[str, str]] = set()

    def wrong(self, schema: Mapping[str, Any], value: Any) -> list[str]:
        """What is wrong with a value: types and limits, fields that are missing, fields nobody told of."""
        validator = OAS31Validator(
            {**schema, "components": self.spec["components"]}, format_checker=OAS31Validator.FORMAT_CHECKER
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)] + self._new(
            schema, value, "$"
        )

    def schema_of(self, operation: str, status: int, media: str) -> Mapping[str, Any] | None:
        """The schema of one answer; None when the document does not tell of it."""
        told: Mapping[str, Any] | None = self._answer(operation, status).get("content", {}).get(media)
        return None if told is None else told.get("schema", {})

    def codes_of(self, operation: str, status: int) -> list[str]:
        """The codes of the problems that an operation may answer with that status."""
        codes: list[str] = self._answer(operation, status).get("x-codes", [])
        return codes

    def _answer(self, operation: str, status: int) -> Mapping[str, Any]:
        """What the document says of one answer; nothing when it does not tell of it."""
        told = [one for path in self.spec["paths"].values() for one in path.values()]
        answers: Mapping[str, Any] = next((one["responses"] for one in told if one["operationId"] == operation), {})
        return self._resolved(answers.get(str(status), {}))

    def _resolved(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in told:
            found: Any = self.spec
            for part in told["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            told = found
        return told

    def _new(self, schema: Mapping[str, Any], value: Any, where: str) -> list[str]:
        """Fields that the document does not tell of."""
        name = schema.get("$ref", "").rpartition("/")[2]
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return min((self._new(choice, value, where) for choice in self._fitting(schema["anyOf"], value)), key=len)
        if isinstance(value, list):
            return [
                line for i, one in enumerate(value) for line in self._new(schema.get("items", {}), one, f"{where}[{i}]")
            ]
        if not isinstance(value, dict) or "properties" not in schema:
            return []
        return self._fields(name, schema["properties"], value, where)

    def _fitting(self, choices: list[Mapping[str, Any]], value: Any) -> list[Mapping[str, Any]]:
        """Those of several schemas that the value obeys, or all of them when it obeys none."""
        components = {"components": self.spec["components"]}
        return [choice for choice in choices if OAS31Validator({**choice, **components}).is_valid(value)] or choices

    def _fields(self, name: str, properties: Mapping[str, Any], value: Mapping[str, Any], where: str) -> list[str]:
        self.seen |= {(name, field) for field in value}
        found = [f"{where}.{field} is not documented" for field in value if field not in properties]
        for field in value.keys() & properties.keys():
            found += self._new(properties[field], value[field], f"{where}.{field}")
        return found
