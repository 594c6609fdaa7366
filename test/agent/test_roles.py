import unittest

from roles import matches, verifier


class RolesTest(unittest.TestCase):
    def test_makes_the_secret_that_postgresql_makes(self):
        # Made by PostgreSQL 17: ALTER ROLE x PASSWORD 'pencil', with this salt.
        salt = bytes.fromhex("41d4aa38e9f95fd2a2b1cc2e3a2f6d01")
        secret = verifier("pencil", salt)
        self.assertTrue(secret.startswith("SCRAM-SHA-256$4096:QdSqOOn5X9KiscwuOi9tAQ==$"))

    def test_recognises_its_own_password_only(self):
        secret = verifier("pencil", b"0123456789abcdef")
        self.assertTrue(matches(secret, "pencil"))
        self.assertFalse(matches(secret, "Pencil"))
        self.assertFalse(matches("", "pencil"))
        self.assertFalse(matches("md5d3b07384d113edec49eaa6238ad5ff00", "pencil"))


if __name__ == "__main__":
    unittest.main()
