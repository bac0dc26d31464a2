"""KmsKeyId means something: local keys, moto's KMS, keys that are disabled, unreachable and back, and what is left
of a deleted database. Waiting is always for a state, never for a time."""

import os
import shutil
import signal
import stat
import tempfile
import threading
import time
import unittest

import moto
from base import Case, now_ms
from server import Server, clients

A, B = "1111abcd-12ab-34cd-56ef-1234567890ab", "2222abcd-12ab-34cd-56ef-1234567890ab"
SECRET = "canary-9d41-of-the-greenhouse"


def records(host, count=3, value=1.5):
    return [{"Dimensions": [{"Name": "host", "Value": host}], "MeasureName": "load", "MeasureValue": str(value + i),
             "MeasureValueType": "DOUBLE", "Time": str(now_ms() - 1000 * i)} for i in range(count)]


def ident(arn):
    """moto's DisableKey knows ids only."""
    return arn.split("/")[-1]


def holds(directory, text):
    """Names of files under the directory that hold the text."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                if text.encode() in file.read():
                    found.append(name)
    return found


class Keys(Case):
    flags = ("--test-clock", "on", "--key-cache-seconds", "2")

    def put(self, database, table, host="a", **more):
        return self.write.write_records(DatabaseName=database, TableName=table, Records=records(host, **more))

    def count(self, database, table):
        return int(self.rows(f'SELECT count(*) FROM "{database}"."{table}"')[0][0])

    def until(self, reached, *arguments):
        deadline = time.monotonic() + 120
        while not reached(*arguments):
            self.assertLess(time.monotonic(), deadline, "it never came to that")
            time.sleep(0.02)

    def old_bytes(self):
        return self.server.metrics()["millrace_store_old_key_bytes"]

    def restart(self):
        self.server.keep = True
        self.server.stop()
        self.server.start()
        type(self).write, type(self).query = clients(self.server.url)

    def rewritten(self):
        self.server.flush()
        return self.old_bytes() == 0


class Local(Keys):
    def key_files(self):
        keys = os.path.join(self.server.data, "store", "keys")
        return {n: stat.S_IMODE(os.stat(os.path.join(keys, n)).st_mode) for n in os.listdir(keys)}

    def test_named_keys_get_files_of_their_own(self):
        database = self.database(KmsKeyId=A)
        self.assertEqual(self.key_files()[A + ".key"], 0o600)
        self.assertEqual(self.key_files()["master.key"], 0o600)
        self.assertTrue(self.write.describe_database(DatabaseName=database)["Database"]["KmsKeyId"].endswith("key/" + A))
        before = set(self.key_files())
        self.database()
        self.database(KmsKeyId="alias/aws/timestream")
        self.assertEqual(set(self.key_files()), before)
        self.database(KmsKeyId="alias/of-the-tests")
        self.assertEqual(len(self.key_files()), len(before) + 1)

    def test_update_rewrites_and_retires(self):
        database, table = self.table(self.database())
        self.put(database, table, SECRET)
        self.server.flush()
        self.assertEqual(self.old_bytes(), 0)
        updated = self.write.update_database(DatabaseName=database, KmsKeyId=B)["Database"]
        self.assertTrue(updated["KmsKeyId"].endswith(B))
        self.put(database, table, "other")
        self.until(self.rewritten)
        self.assertEqual(self.count(database, table), 6)
        self.assertIn("key_retired", self.server.logged())
        self.restart()
        self.assertEqual(self.count(database, table), 6)
        # the same key in another form is no change
        again = self.write.update_database(DatabaseName=database, KmsKeyId=updated["KmsKeyId"])["Database"]
        self.assertEqual(again["LastUpdatedTime"], self.write.describe_database(
            DatabaseName=database)["Database"]["LastUpdatedTime"])
        self.assertEqual(self.old_bytes(), 0)

    def test_first_writer_wins(self):
        database, table = self.table(self.database())
        self.put(database, table)
        outcomes = []

        def change(key):
            client, _ = clients(self.server.url)
            try:
                client.update_database(DatabaseName=database, KmsKeyId=key)
                outcomes.append(key)
            except client.exceptions.ValidationException as e:
                outcomes.append(str(e))

        for _ in range(10):
            threads = [threading.Thread(target=change, args=(k,)) for k in (A, B, A, B)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        self.assertEqual(len(outcomes), 40)
        for outcome in outcomes:
            self.assertTrue(outcome in (A, B) or "Another update" in outcome, outcome)
        key = self.write.describe_database(DatabaseName=database)["Database"]["KmsKeyId"]
        self.until(self.rewritten)
        self.restart()
        self.assertEqual(self.count(database, table), 3)
        self.assertEqual(self.write.describe_database(DatabaseName=database)["Database"]["KmsKeyId"], key)

    def test_deleted_means_gone(self):
        """The disk has neither its text nor a way to read copies of its files."""
        database, table = self.table(self.database(KmsKeyId=A))
        self.put(database, table, SECRET)
        self.server.flush()
        store = os.path.join(self.server.data, "store")
        self.assertEqual(holds(self.server.data, SECRET), [])
        copy = tempfile.mkdtemp(prefix="millrace-copy-")
        self.addCleanup(shutil.rmtree, copy)
        shutil.copytree(store, os.path.join(copy, "store"))
        self.write.delete_table(DatabaseName=database, TableName=table)
        self.write.delete_database(DatabaseName=database)
        self.assertEqual(holds(self.server.data, SECRET), [])
        self.server.keep = True
        self.server.stop()
        # the files of before under the keyring of now
        for name in os.listdir(os.path.join(store, "files")):
            os.unlink(os.path.join(store, "files", name))
        for name in os.listdir(os.path.join(copy, "store", "files")):
            shutil.copy(os.path.join(copy, "store", "files", name), os.path.join(store, "files", name))
        self.server.start()
        type(self).write, type(self).query = clients(self.server.url)
        self.assertEqual(holds(self.server.data, SECRET), [])
        self.restart()
        # the keyring of before: a start forgets the keys of a database that the catalog does not have
        self.server.keep = True
        self.server.stop()
        shutil.copy(os.path.join(copy, "store", "keys", "keyring"), os.path.join(store, "keys", "keyring"))
        self.server.start()
        type(self).write, type(self).query = clients(self.server.url)
        self.assertIn("keys_forgotten_late", self.server.logged())

    def test_a_key_file_taken_away(self):
        database, table = self.table(self.database(KmsKeyId="3333abcd-12ab-34cd-56ef-1234567890ab"))
        other, elsewhere = self.table(self.database())
        self.put(database, table)
        self.put(other, elsewhere)
        self.server.flush()
        path = os.path.join(self.server.data, "store", "keys", "3333abcd-12ab-34cd-56ef-1234567890ab.key")
        self.server.keep = True
        self.server.stop()
        os.rename(path, path + ".away")
        self.server.start()
        type(self).write, type(self).query = clients(self.server.url)
        self.fails("AccessDeniedException", 403, self.write.write_records, "3333abcd", DatabaseName=database,
                   TableName=table, Records=records("a"))
        self.fails("AccessDeniedException", 403, self.query.query, "3333abcd",
                   QueryString=f'SELECT * FROM "{database}"."{table}"')
        self.fails("AccessDeniedException", 403, self.query.query, QueryString=f'DESCRIBE "{database}"."{table}"')
        self.fails("AccessDeniedException", 403, self.write.create_database, DatabaseName=self.name(),
                   KmsKeyId="3333abcd-12ab-34cd-56ef-1234567890ab")
        self.assertEqual(self.count(other, elsewhere), 3)
        self.put(other, elsewhere, "b")
        self.write.describe_table(DatabaseName=database, TableName=table)
        self.write.describe_database(DatabaseName=database)
        os.rename(path + ".away", path)
        self.until(self.readable, database, table)
        self.assertEqual(self.count(database, table), 3)
        self.put(database, table, "b")

    def readable(self, database, table):
        try:
            self.count(database, table)
            return True
        except self.query.exceptions.ClientError:
            return False


class Service(Keys):
    """moto's KMS behind --kms-endpoint."""

    @classmethod
    def setUpClass(cls):
        cls.moto = moto.Moto()
        cls.addClassCleanup(cls.moto.stop)
        cls.gate = moto.Gate(cls.moto.port)
        cls.addClassCleanup(cls.gate.stop)
        cls.kms = cls.moto.client("kms")
        cls.server = Server("--kms-endpoint", cls.gate.url, *cls.flags, env=moto.ENVIRONMENT)
        cls.write, cls.query = clients(cls.server.url)

    def disable(self, arn):
        self.kms.disable_key(KeyId=ident(arn))
        self.gate.refuse[ident(arn)] = "DisabledException"

    def key(self):
        return self.kms.create_key()["KeyMetadata"]["Arn"]

    readable = Local.readable

    def refused(self, database, table):
        return not self.readable(database, table)

    def test_forms_of_a_key(self):
        arn = self.key()
        alias = "alias/" + self.name("k")
        self.kms.create_alias(AliasName=alias, TargetKeyId=arn)
        for form in (arn, arn.split("/")[-1], alias, arn.replace("key/" + arn.split("/")[-1], alias)):
            database = self.database(KmsKeyId=form)
            self.assertEqual(self.write.describe_database(DatabaseName=database)["Database"]["KmsKeyId"], arn)
        self.assertFalse([n for n in os.listdir(os.path.join(self.server.data, "store", "keys"))
                          if n not in ("master.key", "keyring")])

    def test_keys_that_cannot_be_used(self):
        arn = self.key()
        self.disable(arn)
        name = self.name()
        self.fails("ValidationException", 400, self.write.create_database, "not enabled", DatabaseName=name, KmsKeyId=arn)
        self.fails("ValidationException", 400, self.write.create_database, DatabaseName=name,
                   KmsKeyId="9999abcd-12ab-34cd-56ef-1234567890ab")
        signing = self.kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["Arn"]
        self.fails("ValidationException", 400, self.write.create_database, DatabaseName=name, KmsKeyId=signing)
        database = self.database()
        self.fails("ValidationException", 400, self.write.update_database, DatabaseName=database, KmsKeyId=arn)
        self.fails("ResourceNotFoundException", 404, self.write.describe_database, DatabaseName=name)

    def test_a_key_that_does_not_unwrap_is_found_out_at_once(self):
        arn = self.key()
        self.gate.no_decrypt.add(ident(arn))
        name = self.name()
        self.fails("AccessDeniedException", 403, self.write.create_database, arn, DatabaseName=name, KmsKeyId=arn)
        self.fails("ResourceNotFoundException", 404, self.write.describe_database, DatabaseName=name)
        database, table = self.table(self.database(KmsKeyId=self.key()))
        self.fails("AccessDeniedException", 403, self.write.update_database, arn, DatabaseName=database, KmsKeyId=arn)
        self.put(database, table)
        self.assertEqual(self.count(database, table), 3)

    def test_wrapped_key_is_what_is_stored(self):
        """The keyring holds what Decrypt needs, the database's name as context, and no plaintext."""
        arn = self.key()
        database, table = self.table(self.database(KmsKeyId=arn))
        self.put(database, table, SECRET)
        self.server.flush()
        with open(os.path.join(self.server.data, "store", "keys", "keyring"), "rb") as file:
            ring = file.read()
        at = ring.index(arn.encode())
        lengths = [int.from_bytes(ring[at - 10 + 2 * i:at - 8 + 2 * i], "little") for i in range(3)]
        blob = ring[at + lengths[0] + lengths[1]:at + sum(lengths)]
        self.assertEqual(ring[at + lengths[0]:at + lengths[0] + lengths[1]].decode(), database)
        plain = self.kms.decrypt(CiphertextBlob=blob, EncryptionContext={"millrace:database": database})["Plaintext"]
        self.assertEqual(len(plain), 32)
        self.assertNotIn(plain, ring)
        with self.assertRaises(self.kms.exceptions.InvalidCiphertextException):
            self.kms.decrypt(CiphertextBlob=blob, EncryptionContext={"millrace:database": "another"})

    def test_disabled_and_enabled(self):
        arn = self.key()
        database, table = self.table(self.database(KmsKeyId=arn))
        other, elsewhere = self.table(self.database(KmsKeyId=self.key()))
        self.put(database, table)
        self.put(other, elsewhere)
        self.server.flush()
        self.disable(arn)
        self.until(self.refused, database, table)
        self.fails("AccessDeniedException", 403, self.write.write_records, arn, DatabaseName=database, TableName=table,
                   Records=records("a"))
        self.fails("AccessDeniedException", 403, self.query.query, arn,
                   QueryString=f'SELECT * FROM "{database}"."{table}"')
        self.assertEqual(self.count(other, elsewhere), 3)
        self.put(other, elsewhere, "b")
        self.server.flush()
        self.assertGreater(self.server.metrics()["millrace_store_closed_files"], 0)
        self.write.list_tables(DatabaseName=database)
        self.kms.enable_key(KeyId=ident(arn))
        del self.gate.refuse[ident(arn)]
        self.until(self.readable, database, table)
        self.assertEqual(self.count(database, table), 3)
        self.put(database, table, "b")
        self.assertEqual(self.server.metrics()["millrace_store_closed_files"], 0)

    def test_change_of_keys(self):
        first, second = self.key(), self.key()
        database, table = self.table(self.database(KmsKeyId=first))
        self.put(database, table)
        self.server.flush()
        self.write.update_database(DatabaseName=database, KmsKeyId=second)
        self.until(self.rewritten)
        self.disable(first)  # nothing needs it any more
        self.restart()
        self.assertEqual(self.count(database, table), 3)
        self.write.update_database(DatabaseName=database, KmsKeyId="alias/aws/timestream")
        self.until(self.rewritten)
        self.disable(second)
        self.restart()
        self.assertEqual(self.count(database, table), 3)


class Unreachable(Keys):
    """A start without the service, which then comes; its state is in this process's hands."""

    @classmethod
    def setUpClass(cls):
        cls.moto = moto.Moto()
        cls.addClassCleanup(cls.moto.stop)
        cls.server = Server("--kms-endpoint", cls.moto.url, *cls.flags, env=moto.ENVIRONMENT)
        cls.write, cls.query = clients(cls.server.url)

    readable = Local.readable

    def test_start_without_the_service(self):
        arn = self.moto.client("kms").create_key()["KeyMetadata"]["Arn"]
        database, table = self.table(self.database(KmsKeyId=arn))
        other, elsewhere = self.table(self.database())
        self.put(database, table)
        self.put(other, elsewhere)
        self.server.flush()
        self.put(database, table, "in-the-log-only")
        self.server.keep = True
        self.server.stop()
        os.kill(self.moto.process.pid, signal.SIGSTOP)  # it is there, and does not answer
        self.addCleanup(os.kill, self.moto.process.pid, signal.SIGCONT)
        self.server.start()
        type(self).write, type(self).query = clients(self.server.url)
        self.assertEqual(self.count(other, elsewhere), 3)
        self.fails("InternalServerException", 500, self.query.query, QueryString=f'SELECT * FROM "{database}"."{table}"')
        self.fails("InternalServerException", 500, self.write.write_records, DatabaseName=database, TableName=table,
                   Records=records("a"))
        self.fails("InternalServerException", 500, self.write.create_database, DatabaseName=self.name(), KmsKeyId=arn)
        self.put(other, elsewhere, "b")
        self.server.flush()
        os.kill(self.moto.process.pid, signal.SIGCONT)
        self.until(self.readable, database, table)
        self.assertEqual(self.count(database, table), 6)
        self.put(database, table, "b")
        self.assertEqual(self.count(database, table), 9)


if __name__ == "__main__":
    unittest.main()
