"""Reads a JUnit report by Python's own XML parser and by junitparser, and prints what they make of it."""

import json
import sys
import xml.etree.ElementTree as tree

from junitparser import Error, Failure, JUnitXml, Skipped

path = sys.argv[1]
root = tree.parse(path).getroot()
report = JUnitXml.fromfile(path)
assert root.tag == "testsuites" and type(report) is JUnitXml, root.tag


def counts(of):
    return {"tests": of.tests, "failures": of.failures, "errors": of.errors, "skipped": of.skipped}


def read(case):
    results = [
        {"kind": kind, "message": found.message, "type": found.type, "text": found.text}
        for found in case.result
        for known, kind in ((Failure, "failure"), (Error, "error"), (Skipped, "skipped"))
        if type(found) is known
    ]
    return {
        "class": case.classname,
        "name": case.name,
        "time": case.time,
        "results": results,
        "out": case.system_out,
    }


(suite,) = report
written = counts(suite)
assert counts(report) == written, (counts(report), written)
# Counted anew from the cases.
suite.update_statistics()
assert counts(suite) == written, (counts(suite), written)
assert float(root.get("time")) >= 0 and float(root[0].get("time")) >= 0
properties = {found.name: found.value for found in suite.properties()}
print(json.dumps({"name": suite.name, **written, "properties": properties, "cases": [read(case) for case in suite]}))
