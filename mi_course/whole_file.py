"""A file is written whole or not at all."""

import os
import tempfile


def write_whole(path, content):
    """Write the bytes ``content`` to ``path``: readers see the old file or the new one, never a part.

    The bytes go to a temporary file in the same folder, which then takes the name ``path``. After an
    error (a full disk, say) the old file is as it was and the temporary one is gone.
    """
    path = os.fspath(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=os.path.dirname(path) or ".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(path):
    """The old file's permissions; those that the system gives to any new file if there is none."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
