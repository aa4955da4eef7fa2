"""Ship models/ inside of the package, as accomp.data.models; all else is in pyproject.toml.

This file is here because pyproject.toml can't say "if it is there": the demo on the Hub has none.
"""

from pathlib import Path

from setuptools import find_packages, setup

packages = find_packages(include=["accomp*"])
folders = {}
if Path("models").is_dir():
    packages.append("accomp.data.models")
    folders["accomp.data.models"] = "models"

setup(packages=packages, package_dir=folders)
