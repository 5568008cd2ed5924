"""Goal: the README's example is the code that compiles, and does what the README says.
Method: compare the README's code block with the source line by line, run the program twice."""
import os
import subprocess
import tempfile
import unittest

SOURCE = "tests/examples/first_thirty_lines.cc"
PROGRAM = "tests/examples/first_thirty_lines"


class Examples(unittest.TestCase):
    def test_readme_shows_what_compiles(self):
        with open(SOURCE, encoding="utf-8") as f:
            source = f.read().split("\n", 1)[1].strip()
        with open("README.md", encoding="utf-8") as f:
            readme = f.read()
        self.assertIn("```cpp\n" + source + "\n```", readme)

    def test_it_runs_and_runs_again(self):
        with tempfile.TemporaryDirectory() as scratch:
            for _ in range(2):
                done = subprocess.run([PROGRAM, os.path.join(scratch, "db")], check=True,
                                      stdout=subprocess.PIPE, text=True)
                self.assertEqual(done.stdout, "pear is green\nfruit/pear\n")


if __name__ == "__main__":
    unittest.main()
