"""Goal: each rule of the tidy test fires where it should and nowhere else.

Method: for each rule, snippets with a path that must show it and ones that must not. A rule
without snippets fails the last test.
"""

import unittest

from ci import tidy

H = "#pragma once\n"

# rule: ([(path, text) that shows it], [(path, text) that does not])
CASES = {
    "raw-thread": (
        [("engine/db/a.cc", "std::thread t(f);\n"),
         ("engine/wal/a.cc", "auto f = std::async(g);\n")],
        [("engine/env/a.cc", "std::thread t(f);\n"), ("engine/db/a.cc", "// std::thread\n"),
         ("engine/db/a_test.cc", "std::thread t(f);\n"),
         ("engine/db/a.cc", 'x("std::thread");\n')]),
    "raw-lock": (
        [("engine/db/a.cc", "std::mutex m;\n"), ("engine/db/a.cc", "std::shared_mutex m;\n"),
         ("engine/db/a.cc", "std::condition_variable_any c;\n"),
         ("engine/db/a.cc", "std::counting_semaphore<1> s;\n")],
        [("engine/db/a.cc", "std::lock_guard<Mutex> lock(m);\n"), ("sim/a.cc", "std::mutex m;\n"),
         ("engine/env/a.cc", "std::mutex m;\n")]),
    "raw-sleep": (
        [("engine/db/a.cc", "usleep(3);\n"), ("engine/db/a.cc", "std::this_thread::yield();\n")],
        [("engine/db/a.cc", "scheduler->SleepUntil(3);\n"), ("engine/env/a.cc", "usleep(3);\n")]),
    "raw-clock": (
        [("engine/db/a.cc", "auto t = std::chrono::steady_clock::now();\n"),
         ("engine/db/a.cc", "clock_gettime(CLOCK_REALTIME, &t);\n"),
         ("engine/db/a.cc", "auto t = time(nullptr);\n")],
        [("engine/db/a.cc", "clock->time(0);\n"), ("engine/db/a.cc", "runtime(0);\n"),
         ("engine/env/a.cc", "auto t = std::chrono::steady_clock::now();\n")]),
    "thread-local": (
        [("engine/db/a.cc", "thread_local int x;\n"), ("faultfs/a.cc", "static __thread int x;\n")],
        [("engine/env/a.cc", "thread_local int x;\n"),
         ("engine/db/a.cc", "int thread_locality;\n")]),
    "atomic-wait": (
        [("engine/db/a.cc", "flag.wait(0);\n"), ("engine/db/a.cc", "flag->notify_all();\n")],
        [("engine/db/a.cc", "cond.Wait();\n"), ("engine/env/a.cc", "c.notify_all();\n")]),
    "std-random": (
        [("sim/a.cc", "std::mt19937_64 g;\n"), ("tests/a_test.cc", "std::random_device d;\n"),
         ("sim/a.cc", "std::uniform_int_distribution<int> d;\n"),
         ("sim/a.cc", "#include <random>\n"),
         ("engine/db/a.cc", "int x = rand();\n"), ("sim/a.cc", "std::shuffle(a, b, g);\n")],
        [("sim/a.cc", "rng.Random(3); operand(); x.rand(); Grand();\n"),
         ("sim/a.cc", "#include <ranges>\n")]),
    "unordered": (
        [("sim/a.cc", "std::unordered_map<int, int> m;\n"),
         ("faultfs/a.cc", "unordered_set<A> s;\n"),
         ("model/a.cc", "#include <unordered_map>\n")],
        [("engine/db/a.cc", "std::unordered_map<int, int> m;\n"),
         ("sim/a.cc", "bool unordered;\n")]),
    "test-switch": (
        [("engine/db/a.cc", "#ifdef TEST\n#endif\n"),
         ("engine/db/a.cc", "#if defined(UNIT_TESTING)\n"),
         ("sim/a.cc", "#ifndef SHEARPIN_TEST\n")],
        [("engine/db/a.cc", "#ifdef LATEST_KERNEL\n"), ("engine/db/a.cc", "#if __linux__\n")]),
    "friend-test": (
        [("engine/db/a.h", H + "friend class DbTest;\n"),
         ("engine/db/a.h", H + "FRIEND_TEST(A, B);\n")],
        [("engine/db/a.h", H + "friend class WriteQueue;\n"),
         ("engine/db/a.h", H + "friend class Contest;\n")]),
    "test-method": (
        [("engine/db/a.h", H + "void TEST_Flush();\n")],
        [("engine/db/a_test.cc", "TEST_F(DbTest, Works) {}\nTEST_P(DbTest, Too) {}\n"),
         ("engine/db/a_test.cc", "TEST(Db, Works) {}\n")]),
    "is-simulated": (
        [("engine/db/a.cc", "if (is_simulated) return;\n"),
         ("engine/db/a.cc", "env.IsSimulated();\n")],
        [("sim/a.cc", "Simulation simulation;\n")]),
    "exception": (
        [("engine/db/a.cc", "throw 1;\n"), ("engine/db/a.cc", "try { f(); } catch (...) {}\n"),
         ("sim/a.cc", "throw Error();\n")],
        [("engine/tool/main.cc", "try { f(); } catch (...) {}\n"),
         ("engine/db/a.cc", "// we throw nothing\nint throwaway;\n")]),
    "library": (
        [("engine/db/a.cc", "#include <boost/filesystem.hpp>\n"),
         ("engine/db/a.cc", "#include <CLI/CLI.hpp>\n"), ("model/a.cc", "#include <xxhash.h>\n"),
         ("engine/db/a.cc", '#include "gtest/gtest.h"\n')],
        [("engine/env/a.cc", "#include <boost/filesystem.hpp>\n"),
         ("sim/main.cc", "#include <CLI/CLI.hpp>\n"), ("engine/sst/a.cc", "#include <lz4.h>\n"),
         ("model/a_test.cc", '#include "rapidcheck/gtest.h"\n')]),
    "arrow": (
        [("model/a.cc", '#include "engine/status.h"\n'), ("model/a.cc", "#include <unistd.h>\n"),
         ("faultfs/a.cc", '#include "engine/db.h"\n'), ("engine/db/a.cc", '#include "sim/rng.h"\n'),
         ("engine/env/a.cc", '#include "faultfs/mem_file_system.h"\n'),
         ("engine/env/a_test.cc", '#include "sim/rng.h"\n'),
         ("engine/wal/a.cc", '#include "engine/sst/table.h"\n'),
         ("engine/sst/a.cc", '#include "engine/manifest/manifest.h"\n'),
         ("engine/manifest/a.cc", '#include "engine/db/db_impl.h"\n'),
         ("engine/compaction/a.cc", '#include "engine/db.h"\n'),
         ("sim/a.cc", '#include "engine/db/db_impl.h"\n'),
         ("engine/tool/a.cc", '#include "engine/db/db_impl.h"\n')],
        [("model/a.cc", '#include "model/b.h"\n#include <map>\n'),
         ("faultfs/a.cc", '#include "engine/env/clock.h"\n#include "engine/status.h"\n'),
         ("engine/manifest/a.cc", '#include "engine/wal/log_writer.h"\n'),
         ("engine/wal/a_test.cc", '#include "faultfs/mem_file_system.h"\n'),
         ("engine/db/a.cc", '#include "engine/db.h"\n'),
         ("engine/wal/a.cc", "#include <fcntl.h>\n"),
         ("sim/a.cc", '#include "engine/db.h"\n#include "model/kv_model.h"\n'),
         ("engine/tool/a.cc", '#include "engine/db.h"\n')]),
    "include-path": (
        [("engine/db/a.cc", '#include "a.h"\n')],
        [("engine/db/a.cc", '#include "engine/db/a.h"\n#include <vector>\n')]),
    "pragma-once": (
        [("engine/db/a.h", "int x;\n"), ("engine/db/a.h", "// #pragma once\n")],
        [("engine/db/a.h", H), ("engine/db/a.cc", "int x;\n")]),
    "trailing-space": (
        [("engine/db/a.cc", "int x; \n"), ("README.md", "a \n"), ("a.sh", "b\r\n")],
        [("engine/db/a.cc", "int x;\n")]),
    "tab": (
        [("engine/db/a.cc", "\tint x;\n"), ("ci/setup", "#!/bin/bash\n\techo\n")],
        [("engine/db/a.cc", 'x = "\\t";\n')]),
    "emoji": (
        [("README.md", "fast \U0001f680\n"), ("engine/db/a.cc", "// \u2705\n")],
        [("README.md", "caf\u00e9 \u2192 \u2264\n")]),
    "to-do": (
        [("engine/db/a.cc", "// TO" + "DO(me): x\n"), ("ci/a.py", "# FIX" + "ME\n")],
        [("engine/db/a.cc", "// mastodon\n")]),
    "line-length": (
        [("engine/db/a.cc", "x" * 101 + "\n"), ("sim/BUILD", "#" * 101 + "\n")],
        [("engine/db/a.cc", "x" * 100 + "\n"), ("README.md", "x" * 200 + "\n")]),
    "final-newline": (
        [("engine/db/a.cc", "int x;")], [("engine/db/a.cc", "int x;\n"), ("engine/db/a.cc", "")]),
    "file-length": (
        [("engine/db/a.cc", "\n" * 701)], [("engine/db/a.cc", "\n" * 700)]),
    "vague-name": (
        [("engine/base/util.h", H), ("sim/common.cc", "\n"), ("sim/helpers_test.cc", "\n"),
         ("sim/types.h", H)],
        [("engine/base/utilization.h", H), ("sim/common_prefix.cc", "\n")]),
}


class TidyRulesTest(unittest.TestCase):

    def rules(self, path, text):
        return {finding.rule for finding in tidy.check_file(path, text)}

    def test_each_rule_fires_where_it_should(self):
        for rule, (bad, _) in CASES.items():
            for path, text in bad:
                with self.subTest(rule=rule, path=path, text=text):
                    self.assertIn(rule, self.rules(path, text))

    def test_no_rule_fires_where_it_should_not(self):
        for rule, (_, good) in CASES.items():
            for path, text in good:
                with self.subTest(rule=rule, path=path, text=text):
                    self.assertNotIn(rule, self.rules(path, text))

    def test_findings_name_file_line_and_replacement(self):
        finding, = tidy.check_file("engine/db/a.cc", "int x;\nstd::mutex m;\n")
        self.assertEqual(str(finding), "engine/db/a.cc:2: raw-lock: use Mutex and CondVar of "
                                       "engine/env/scheduler.h")

    def test_a_long_file_warns_and_a_longer_one_fails(self):
        finding, = tidy.check_file("engine/db/a.cc", "\n" * 701)
        self.assertFalse(finding.fatal)
        finding, = tidy.check_file("engine/db/a.cc", "\n" * 901)
        self.assertTrue(finding.fatal)

    def test_literals_and_comments_are_no_code(self):
        text = ('/* std::mutex\n std::mutex */ int a = 1\'000; // std::mutex\n'
                'auto s = R"x(std::mutex)x" "std::mutex \\" std::mutex";\nchar c = \'"\';\n'
                'std::mutex m;\n')
        self.assertEqual([f.line for f in tidy.check_file("engine/db/a.cc", text)], [5])

    def test_every_rule_has_its_snippets(self):
        rules = {rule.rule for rule in tidy.BANS}
        self.assertLessEqual(rules, set(CASES))


if __name__ == "__main__":
    unittest.main()
