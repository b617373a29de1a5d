# SPDX-License-Identifier: MIT
"""A plugin of pytest: the SDK's clients look for the server at the port DOZE_PORT only, and what
became of each test is written to the file DOZE_REPORT as JSON."""
import json
import os

from lmstudio import json_api

json_api.ClientBase._DEFAULT_API_PORTS = (int(os.environ["DOZE_PORT"]),)
outcomes = {}


def pytest_runtest_logreport(report):
    if report.when == "call" or report.failed:
        before = outcomes.get(report.nodeid)
        outcomes[report.nodeid] = "failed" if before == "failed" else report.outcome


def pytest_unconfigure():
    with open(os.environ["DOZE_REPORT"], "w", encoding="utf-8") as file:
        json.dump(outcomes, file)
