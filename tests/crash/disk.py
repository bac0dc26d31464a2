"""File systems of one's own: an ext4 image that can lose its power, and a small tmpfs that can be filled and enlarged.

They need root (or sudo without a password), loop devices and the right to mount. Where these cannot be had, a container
say, the suites fail and tell so; MR_NO_MOUNT=1 says that this is known, and turns the failure into a SKIP.
"""

import fcntl
import os
import struct
import subprocess
import sys
import tempfile

EXT4_SHUTDOWN = 0x8004587D  # _IOR('X', 125, uint32_t)
NO_LOG_FLUSH = 2  # what the journal has not written yet is lost, like at a power cut


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def give_up(why):
    if os.environ.get("MR_NO_MOUNT") == "1":
        print(f"SKIP {os.path.basename(sys.argv[0])}: MR_NO_MOUNT is set: {why}")
        sys.exit(0)
    print(f"FAILED: {why}\nMR_NO_MOUNT=1 says that this machine cannot do it and skips the suite.")
    sys.exit(1)


def enter():
    """Goes on in a mount namespace, so that nothing stays mounted however the suite ends."""
    if "MR_CRASH_MOUNTS" in os.environ:
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]
    inside = [*sudo, "unshare", "--mount", "--propagation", "private"]
    try:
        run(*inside, "true")
    except (OSError, RuntimeError) as e:
        give_up(f"no mount namespace: {e}")
    os.environ["MR_CRASH_MOUNTS"] = "1"
    os.execvp(inside[0], [*inside, sys.executable, *sys.argv])


class Ext4:
    """An image in a file, mounted at .path."""

    def __init__(self, megabytes):
        self.dir = tempfile.mkdtemp(prefix="millrace-ext4-")
        self.image = os.path.join(self.dir, "image")
        self.path = os.path.join(self.dir, "mounted")
        os.mkdir(self.path)
        with open(self.image, "wb") as f:
            f.truncate(megabytes << 20)
        try:
            run("mkfs.ext4", "-q", self.image)
            self.mount()
        except (OSError, RuntimeError) as e:
            give_up(f"no ext4 image: {e}")

    def mount(self):
        run("mount", "-o", "loop", self.image, self.path)

    def umount(self):
        run("umount", self.path)

    def cut_power(self):
        """Nothing reaches the image any more: every write and sync fails with EIO, and dirty pages are lost."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, EXT4_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(fd)

    def power_on(self):
        """The kernel replays its journal; after that nothing may be left to repair."""
        self.umount()
        self.mount()
        self.umount()
        run("e2fsck", "-f", "-n", self.image)
        self.mount()

    def remove(self):
        self.umount()
        os.unlink(self.image)
        os.rmdir(self.path)
        os.rmdir(self.dir)


class Tmpfs:
    """Memory mounted at .path."""

    def __init__(self, megabytes):
        self.path = tempfile.mkdtemp(prefix="millrace-tmpfs-")
        try:
            run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "millrace-test", self.path)
        except (OSError, RuntimeError) as e:
            give_up(f"no tmpfs: {e}")

    def resize(self, megabytes):
        run("mount", "-o", f"remount,size={megabytes}m", self.path)

    def remove(self):
        run("umount", self.path)
        os.rmdir(self.path)


def free_bytes(path):
    at = os.statvfs(path)
    return at.f_bavail * at.f_frsize
