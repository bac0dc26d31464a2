#!/usr/bin/env python3
"""Compares the tables of src/model with the service models that botocore carries.

    check_against_botocore.py <path of mr_api_reference>

Whatever botocore knows must be in our tables, in the same order, with the same constraints. We may know more: the
botocore of Debian 12 is older than the API. Where we differ on purpose, DEVIATIONS says where and why.
"""
import json
import subprocess
import sys

import botocore.session

WRITE, QUERY, BOTH = 1, 2, 3
NOWHERE = object()

# (shape, member or None for the element, aspect): reason
NAMES = "the server holds names to 3 to 256 bytes and the pattern on every operation; the models have dropped or moved it"
DEVIATIONS = {
    ("Dimension", "Name", "max"): "60 bytes by the quotas page",
    ("Record", "MeasureName", "max"): "256 bytes by the quotas page",
    ("Record", "Version", "min"): "the text of the model says 1 or more",
    ("CreateBatchLoadTaskRequest", "RecordVersion", "min"): "as Record.Version",
    ("CreateScheduledQueryRequest", "Name", "pattern"): "older models have a narrower one",
    ("ScheduledQuery", "Name", "pattern"): "older models have a narrower one",
    ("ScheduledQueryDescription", "Name", "pattern"): "older models have a narrower one",
    ("TagResourceRequest", "ResourceARN", "max"): "Write says 1011, Query 2048; the union takes the laxer",
    ("UntagResourceRequest", "ResourceARN", "max"): "Write says 1011, Query 2048; the union takes the laxer",
    ("ListTagsForResourceRequest", "ResourceARN", "max"): "Write says 1011, Query 2048; the union takes the laxer",
    ("ListTagsForResourceResponse", "Tags", "required"): "only Query requires it",
}

problems = []
used = set()


def report(where, text):
    problems.append(f"{where}: {text}")


def compare(shape, member, aspect, ours, theirs):
    if ours == theirs:
        return
    if (shape, member, aspect) in DEVIATIONS:
        used.add((shape, member, aspect))
        return
    report(f"{shape}.{member}", f"{aspect} is {ours}, botocore says {theirs}")


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(item in rest for item in part)


def is_resource_name(api, shape):
    return api == WRITE and shape.name in ("ResourceName", "ResourceCreateAPIName")


class Checker:
    def __init__(self, ours, api, service):
        self.api = api
        self.service = service
        self.operations = {o["name"]: o for o in ours["operations"] if o["api"] & api}
        self.shapes = {s["id"]: s for s in ours["shapes"]}
        self.enums = {e["id"]: e for e in ours["enums"]}
        self.seen = set()

    def length(self, where, ours, shape):
        low = shape.metadata.get("min", 0)
        high = shape.metadata.get("max")
        compare(*where, "min", ours.get("min", 0), low)
        compare(*where, "max", ours.get("max"), high)

    def scalar(self, where, ours, shape):
        kind = shape.type_name
        if shape.enum if kind == "string" else False:
            words = self.enums[ours["enum"]]["words"]
            if not is_subsequence(shape.enum, words):
                report(".".join(where), f"words {words}, botocore says {shape.enum}")
        elif kind == "string":
            if is_resource_name(self.api, shape):
                if (ours.get("min"), ours.get("max")) != (3, 256) or "pattern" not in ours:
                    report(".".join(where), NAMES)
                return
            self.length(where, ours, shape)
            compare(*where, "pattern", ours.get("pattern"), shape.metadata.get("pattern"))
        elif kind in ("long", "integer"):
            compare(*where, "min", ours.get("min"), shape.metadata.get("min"))
            compare(*where, "max", ours.get("max"), shape.metadata.get("max"))

    def member(self, where, ours, shape):
        kind = shape.type_name
        if kind == "string":
            kinds = ("enum",) if shape.enum else ("string", "name")
        elif kind == "list":
            kinds = ("list",) if shape.member.type_name == "structure" else ("strings",)
        else:
            kinds = (kind,)
        if ours["kind"] not in kinds:
            report(".".join(where), f"is {ours['kind']}, botocore says {kind}")
            return
        if kind == "structure":
            self.structure(ours["shape"], shape)
        elif kind == "list":
            self.length(where, ours, shape)
            if "shape" in ours:
                self.structure(ours["shape"], shape.member)
            else:
                element = {"min": ours.get("each_min", 0), "max": ours.get("each_max")}
                self.length((where[0], where[1] + "[]"), element, shape.member)
        else:
            self.scalar(where, ours, shape)

    def structure(self, ident, shape):
        ours = self.shapes.get(ident)
        if ours is None or ours["name"] != shape.name or not ours["api"] & self.api:
            report(ident, f"is not {shape.name}")
            return
        if ident in self.seen:
            return
        self.seen.add(ident)
        names = [m["name"] for m in ours["members"]]
        if not is_subsequence(shape.members, names):
            report(shape.name, f"members {names}, botocore says {list(shape.members)}")
            return
        for member in ours["members"]:
            theirs = shape.members.get(member["name"], NOWHERE)
            if theirs is NOWHERE:
                continue
            compare(shape.name, member["name"], "required", bool(member["required"]),
                    member["name"] in shape.required_members)
            self.member((shape.name, member["name"]), member, theirs)

    def operation(self, name):
        theirs = self.service.operation_model(name)
        ours = self.operations.get(name)
        if ours is None:
            report(name, "is missing")
            return
        self.structure(ours["input"], theirs.input_shape)
        if theirs.output_shape is None:
            if ours["output"] != "none":
                report(name, "has no output")
        elif theirs.output_shape.members or ours["output"] != "none":
            self.structure(ours["output"], theirs.output_shape)
        declared = {e.name for e in theirs.error_shapes}
        missing = declared - set(ours["errors"])
        extra = set(ours["errors"]) - declared
        if missing or (extra and ours["api"] != BOTH):
            report(name, f"errors lack {sorted(missing)}, add {sorted(extra)}")


def main():
    ours = json.loads(subprocess.run([sys.argv[1], "--json"], check=True, stdout=subprocess.PIPE).stdout)
    session = botocore.session.get_session()
    checked = 0
    for api, name in ((WRITE, "timestream-write"), (QUERY, "timestream-query")):
        checker = Checker(ours, api, session.get_service_model(name, api_version="2018-11-01"))
        for operation in checker.service.operation_names:
            checker.operation(operation)
            checked += 1
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"botocore {botocore.__version__}: {checked} operations compared, {len(used)} deviations, "
          f"{len(problems)} problems")
    return 1 if problems or checked < 28 else 0


if __name__ == "__main__":
    sys.exit(main())
