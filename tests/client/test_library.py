"""The library as a package: what it exports, what it needs, how large it is, and whether its header tells the truth."""

import os
import re
import unittest

from support import BUILD, ROOT, SCRATCH, run

SIZE_LIMIT = 400_000
HEADER = os.path.join(ROOT, "include", "millrace.h")
SHARED = os.path.join(BUILD, "libmillrace.so")
ARCHIVE = os.path.join(BUILD, "libmillrace.a")


def declared():
    with open(HEADER, encoding="utf-8") as file:
        return set(re.findall(r"MR_API[^;(]*?\b(mr_\w+)\(", file.read()))


class Library(unittest.TestCase):
    def test_exports_are_the_header(self):
        self.assertGreater(len(declared()), 55)
        symbols = run("nm", "-D", "--defined-only", SHARED).stdout
        exported = {line.split()[2].split("@")[0] for line in symbols.splitlines()} - {"MILLRACE_0"}
        self.assertEqual(exported, declared())
        symbols = run("nm", "-g", "--defined-only", ARCHIVE).stdout
        self.assertEqual(set(re.findall(r" [A-Z] (\S+)", symbols)), declared())

    def test_needs_curl_and_openssl_alone(self):
        needed = re.findall(r"NEEDED.*\[(.*?)\]", run("readelf", "-d", SHARED).stdout)
        system = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
        self.assertEqual({re.sub(r"\.so.*", "", n) for n in set(needed) - system}, {"libcurl", "libcrypto"})
        self.assertIn("libmillrace.so.0", run("readelf", "-d", SHARED).stdout)

    def test_size(self):
        out = os.path.join(SCRATCH, "stripped.so")
        run("strip", "-o", out, SHARED)
        size = os.path.getsize(out)
        print(f"libmillrace.so stripped: {size} bytes")
        self.assertLess(size, SIZE_LIMIT)

    def test_header_is_what_the_model_says(self):
        run(os.path.join(BUILD, "client", "mr_client_header"), "--check", HEADER)

    def test_header_compiles_everywhere(self):
        source = os.path.join(SCRATCH, "header.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <millrace.h>\n#include <millrace.h>\n"
                       "int main(void) { struct mr_fault f = MR_FAULT_INIT; struct mr_options o = MR_OPTIONS_INIT;\n"
                       "struct mr_writer_options w = MR_WRITER_OPTIONS_INIT;\n"
                       "struct mr_tag t[1] = {{mr_text(\"k\"), mr_text(\"v\")}}; struct mr_tag_list l = MR_LIST(t);\n"
                       "(void)o; (void)w; (void)l; mr_fault_clear(&f); return mr_version()[0] == 0; }\n")
        strict = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-I", os.path.join(ROOT, "include")]
        for compiler in (["gcc", "-std=c99"], ["gcc", "-std=c17"], ["clang", "-std=c11"], ["g++", "-xc++", "-std=c++11"],
                         ["g++", "-xc++", "-std=c++20"], ["clang++", "-xc++", "-std=c++17"]):
            run(*compiler, *strict, "-fsyntax-only", source)
        out = os.path.join(SCRATCH, "header-c++")
        run("g++", "-xc++", *strict, "-o", out, source, "-xnone", ARCHIVE, "-lcurl", "-lcrypto", "-lm")
        run(out)


if __name__ == "__main__":
    unittest.main()
