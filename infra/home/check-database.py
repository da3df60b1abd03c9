"""Looks whether an SQLite file is whole: prints "ok", "late" when it could not be read through in time, else what is wrong.

    python3 -I check-database.py FILE SECONDS
"""

import sqlite3
import sys
import time


def main():
    path, seconds = sys.argv[1], float(sys.argv[2])
    limit = time.monotonic() + seconds
    connection = sqlite3.connect(path, timeout=1)
    connection.set_progress_handler(lambda: time.monotonic() > limit, 10_000)
    try:
        rows = connection.execute("PRAGMA quick_check(3)").fetchall()
        print("ok" if rows == [("ok",)] else "; ".join(str(row[0]) for row in rows))
    except sqlite3.OperationalError:
        # Too late, or one that is still ending holds it: neither says anything about the file.
        print("late")
    except sqlite3.DatabaseError as error:
        print(error)


main()
