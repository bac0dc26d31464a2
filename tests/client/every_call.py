"""Every operation with every member, twice: as a C program written from include/millrace.h, and as calls of boto3. The values
are the same; the members of a struct come in the order of the header."""

import os
import re

from support import ROOT, SCRATCH, compiled

TEXT = 'v%d \u00e4\u20ac"\\/\n and some more to be long enough'  # what JSON escapes, and what it does not
TIME = 1700000000


def header():
    with open(os.path.join(ROOT, "include", "millrace.h"), encoding="utf-8") as file:
        return file.read()


def structs():
    """struct -> [(C type, C name, API name)]"""
    found = {}
    for name, body in re.findall(r"^struct (mr_\w+) \{\n(.*?)\n\};", header(), re.M | re.S):
        found[name] = re.findall(r"^ +((?:struct |enum )?\w+ \*?)(\w+); /\* (\w+)", body, re.M)
    return found


def functions():
    """function -> (request struct or None, whether it has a response)"""
    found = {}
    for name, arguments in re.findall(r"^MR_API int (mr_\w+)\(struct mr_client \*client, ([^)]*)\);", header(), re.M):
        request = re.search(r"const struct (mr_\w+_request) \*request", arguments)
        found[name] = (request.group(1) if request else None, "**response" in arguments)
    return found


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def quoted(text):
    return '"' + "".join(f"\\{b:03o}" if b < 32 or b > 126 or b in b'"\\' else chr(b) for b in text.encode()) + '"'


class Maker:
    def __init__(self, structs_of_header, all_members):
        self.structs = structs_of_header
        self.all = all_members
        self.count = 0

    def text(self, shape):
        self.count += 1
        if shape.enum:
            return shape.enum[self.count % len(shape.enum)]
        return TEXT % self.count

    def structure(self, shape, struct):
        """(C initialiser, Python value)"""
        c, python = [], {}
        for kind, name, api in self.structs[struct]:
            member = shape.members.get(api)
            if member is None:  # newer than this botocore
                continue
            if self.all or api in shape.required_members:
                text, python[api] = self.member(member, kind.strip())
                c.append(f".{name} = {text}")
        missing = set(shape.members) - {api for _, _, api in self.structs[struct]}
        if missing:
            raise AssertionError(f"{struct} lacks {missing}")
        return "{" + ", ".join(c) + "}", python

    def member(self, shape, kind):
        if shape.type_name == "structure":
            struct = re.match(r"struct (mr_\w+)", kind).group(1)
            text, value = self.structure(shape, struct)
            return (f"&(struct {struct}){text}" if kind.endswith("*") else text), value
        if shape.type_name == "list":
            return self.list(shape, re.match(r"struct (mr_\w+?)(?:_list)?$", kind).group(1))
        if shape.type_name == "string":
            value = self.text(shape)
            if kind.startswith("enum"):
                return f"{kind[5:].upper()}_{value.upper()}", value
            return f"mr_text({quoted(value)})", value
        value = {"integer": 7, "long": 2 ** 53 + 1, "boolean": True, "double": 0.25, "timestamp": TIME}[shape.type_name]
        maker = {"boolean": "mr_bool", "double": "mr_double", "timestamp": "mr_double"}.get(shape.type_name, "mr_int")
        return f"{maker}({str(value).lower()})", value

    def list(self, shape, struct):
        if struct == "mr_texts":
            items = [self.member(shape.member, "struct mr_text") for _ in range(2)]
            item = "struct mr_text"
        else:
            items = [self.structure(shape.member, struct) for _ in range(2)]
            item = f"struct {struct}"
        return f"{{({item}[]){{{', '.join(c for c, _ in items)}}}, 2, true}}", [value for _, value in items]


def calls(write, query):
    """[(statement in C, client, method, arguments)] of all operations of both clients."""
    made, known = [], structs()
    names = functions()
    for client, prefix in ((write, ("mr_",)), (query, ("mr_query_", "mr_"))):
        for operation in client.meta.service_model.operation_names:
            model = client.meta.service_model.operation_model(operation)
            function = next(p + snake(operation) for p in prefix if p + snake(operation) in names)
            for every in (True, False):
                request, response = names[function]
                arguments = ["client"]
                values = {}
                if request is not None:
                    text, values = Maker(known, every).structure(model.input_shape, request)
                    arguments.append(f"&(struct {request}){text}")
                arguments += ["NULL"] if response else []
                made.append((f"{function}({', '.join(arguments)}, NULL);", client, client.meta.method_to_api_mapping, operation, values))
                if request is None:
                    break
    return made


def program(statements):
    source = os.path.join(SCRATCH, "every_call.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write("#include <millrace.h>\nint main(void)\n{\n    struct mr_client *client;\n"
                   "    struct mr_options options = MR_OPTIONS_INIT;\n    options.max_attempts = 1;\n"
                   "    if (mr_client_open(&options, &client, NULL) != 0)\n        return 1;\n")
        for statement in statements:
            file.write(f"    {statement}\n")
        file.write("    mr_client_close(client);\n    return 0;\n}\n")
    return compiled(source)
