"""What the Hub accepts as the front matter of a README.md: its documented fields and values."""

import re

import yaml

# What a field of a card has to be: a type; a set of values; [schema] for an array; (schema,) for
# one or an array; a dict for an object that needs these fields; a number for a text of at most
# this length; None for anything.
SDKS = ("gradio", "streamlit", "docker", "static")
LICENSES = frozenset(
    [
        "afl-3.0",
        "agpl-3.0",
        "apache-2.0",
        "artistic-2.0",
        "bigcode-openrail-m",
        "bigscience-bloom-rail-1.0",
        "bigscience-openrail-m",
        "bsd",
        "bsd-2-clause",
        "bsd-3-clause",
        "bsd-3-clause-clear",
        "bsl-1.0",
        "c-uda",
        "cc",
        "cc-by-2.0",
        "cc-by-2.5",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-nc-2.0",
        "cc-by-nc-3.0",
        "cc-by-nc-4.0",
        "cc-by-nc-nd-3.0",
        "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-2.0",
        "cc-by-nc-sa-3.0",
        "cc-by-nc-sa-4.0",
        "cc-by-nd-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc0-1.0",
        "cdla-permissive-1.0",
        "cdla-permissive-2.0",
        "cdla-sharing-1.0",
        "creativeml-openrail-m",
        "deepfloyd-if-license",
        "ecl-2.0",
        "epl-1.0",
        "epl-2.0",
        "etalab-2.0",
        "eupl-1.1",
        "eupl-1.2",
        "gemma",
        "gfdl",
        "gpl",
        "gpl-2.0",
        "gpl-3.0",
        "isc",
        "lgpl",
        "lgpl-2.1",
        "lgpl-3.0",
        "lgpl-lr",
        "llama2",
        "lppl-1.3c",
        "mit",
        "mpl-2.0",
        "ms-pl",
        "ncsa",
        "odbl",
        "odc-by",
        "ofl-1.1",
        "openrail",
        "openrail++",
        "osl-3.0",
        "other",
        "pddl",
        "postgresql",
        "unknown",
        "unlicense",
        "wtfpl",
        "zlib",
    ]
)
COLORS = frozenset(["red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"])
SIZES = frozenset(
    [
        "n<1K",
        "1K<n<10K",
        "10K<n<100K",
        "100K<n<1M",
        "1M<n<10M",
        "10M<n<100M",
        "100M<n<1B",
        "1B<n<10B",
        "10B<n<100B",
        "100B<n<1T",
        "n>1T",
    ]
)
RESULT = {
    "task": {"type": str},
    "dataset": {"type": str, "name": str},
    "metrics": [{"type": str, "value": None}],
}
DATASET = re.compile(r"[\w.-]+(/[\w.-]+)?")
LANGUAGE, EMOJI = re.compile("[a-z]{2,3}|code|multilingual"), re.compile(r"[^\x00-\xff]+")
FIELDS = {
    "license": (LICENSES,),
    "license_name": str,
    "tags": [str],
    "datasets": (DATASET,),
    "language": (LANGUAGE,),
}
FIELDS_OF = {
    "model": {
        "library_name": str,
        "pipeline_tag": str,
        "base_model": (str,),
        "metrics": [str],
        "widget": [None],
    }
    | {"model-index": [{"name": str, "results": [RESULT]}]},
    "dataset": {"pretty_name": str, "size_categories": (SIZES,), "task_categories": [str]}
    | {"configs": [{"config_name": str, "data_files": None}]},
    "space": {
        "sdk": frozenset(SDKS),
        "colorFrom": COLORS,
        "colorTo": COLORS,
        "title": str,
        "app_file": str,
        "pinned": bool,
    }
    | {"short_description": 60, "emoji": EMOJI, "models": [str]},
}


def mismatches(name: str, value, schema) -> list[str]:
    """Where a value is not what the schema says, in words like those of the Hub."""
    if isinstance(schema, tuple):
        schema = list(schema) if isinstance(value, list) else schema[0]
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f'"{name}" must be an array']
        return sum(
            (mismatches(f"{name}[{index}]", item, schema[0]) for index, item in enumerate(value)),
            [],
        )
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            return [f'"{name}" must be of type object']
        missing = [f'"{name}.{key}" is required' for key in schema if value.get(key) is None]
        return missing + sum(
            (
                mismatches(f"{name}.{key}", value[key], schema[key])
                for key in schema
                if key in value
            ),
            [],
        )
    if isinstance(schema, frozenset) and not (isinstance(value, str) and value in schema):
        return [f'"{name}" must be one of [{", ".join(sorted(schema))}]']
    if isinstance(schema, type) and not isinstance(value, schema):
        return [f'"{name}" must be a {"string" if schema is str else "boolean"}']
    if isinstance(schema, int) and len(str(value)) > schema:
        return [f'"{name}" length must be less than or equal to {schema} characters long']
    if isinstance(schema, re.Pattern) and not schema.fullmatch(str(value)):
        return [f'"{name}" with value "{value}" is not valid']
    return []


def front_matter(text: str) -> dict | None:
    """The YAML block that a card begins with. Raises yaml.YAMLError."""
    block = re.match(r"\ufeff?\s*---[ \t]*\r?\n(|.*?\n)---[ \t]*(?:\r?\n|$)", text, re.DOTALL)
    return yaml.safe_load(block[1]) if block else None


def check_card(text: str, repo_type: str) -> tuple[list[str], list[str]]:
    """Errors and warnings of the metadata in a README.md."""
    try:
        data = front_matter(text) or {}
    except yaml.YAMLError as error:
        return [f"Invalid YAML in README.md: {error}"], []
    if not isinstance(data, dict):
        return ["the metadata must be of type object"], []
    schema = FIELDS | FIELDS_OF[repo_type]
    errors = sum((mismatches(name, value, schema.get(name)) for name, value in data.items()), [])
    if repo_type == "space" and "sdk" not in data:
        errors.append('"sdk" is required')
    return errors, [] if data or errors else ["empty or missing yaml metadata in repo card"]
