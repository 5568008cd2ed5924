"""Goal: the two benchmarks of the harness do the work that their figures claim, and a harness that
has become the bottleneck fails.

Method: both are run for a short time. The figures that the project promises (a ratio of 1.5 at
most; 20,000 and 10,000 states a second) are of a quiet machine with a core to itself; what is held
here is what not even a busy one may miss.
"""

import json
import subprocess
import unittest


def run(name, *arguments):
    done = subprocess.run([f"sim/{name}", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def figures(name, *arguments):
    status, output = run(name, *arguments, "--json")
    assert status == 0, output
    return json.loads(output.splitlines()[-1])


class BenchTest(unittest.TestCase):

    def test_the_engine_bounds_the_harness(self):
        best = figures("harness_bench", "--operations=3000", "--rounds=5")
        self.assertEqual(best["operations"], 3000)
        self.assertGreater(best["threads_seconds"], 0)
        self.assertAlmostEqual(best["ratio"], best["simulated_seconds"] / best["threads_seconds"])
        self.assertLess(best["ratio"], 3)

    def test_every_distinct_state_is_recovered_and_counted(self):
        histories = figures("crash_state_bench", "--seconds=0.3", "--operations", "20", "100")
        small, large = histories["histories"]
        self.assertEqual((small["operations"], large["operations"]), (20, 100))
        for history in (small, large):
            self.assertGreaterEqual(history["crash_states"], history["distinct_states"])
            # Some are looked at again, where more is owed by then.
            self.assertGreaterEqual(history["checked"], history["distinct_states"])
            self.assertGreater(history["crash_states_per_second"], 1000)
        self.assertGreater(large["distinct_states"], 2 * small["distinct_states"])

    def test_bad_input_is_refused(self):
        for name, argument in (("harness_bench", "--rounds=0"), ("harness_bench", "7"),
                               ("crash_state_bench", "--seconds=x"),
                               ("crash_state_bench", "--operations=0")):
            with self.subTest(name=name, argument=argument):
                self.assertNotEqual(run(name, argument)[0], 0)


if __name__ == "__main__":
    unittest.main()
