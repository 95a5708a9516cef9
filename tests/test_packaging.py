"""What is built can be installed alone, and brings the apps, the notebooks and the demo along."""

import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHIPPED = {"workbench": "*.py", "notebooks": "*.ipynb", "fixtures/demo": "*"}

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    process = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, cwd=cwd, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution, built from this checkout."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", out, cwd=ROOT)
    return out


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs folder of a new environment: casework from the wheel, the rest from here."""
    environment = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment)
    programs = environment / Path(sysconfig.get_path("scripts")).name
    (wheel,) = built.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet")
    run(*pip, "--no-deps", "--no-index", wheel, cwd=environment)
    # A path line adds the folder but not the links in it, so the checkout stays out of reach.
    folder = run(
        programs / "python",
        "-c",
        "import sysconfig; print(sysconfig.get_path('purelib'))",
        cwd=environment,
    )
    Path(folder.strip(), "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def shipped(pattern: str, folder: Path) -> set[str]:
    files = (f for f in folder.rglob(pattern) if f.is_file() and f.suffix != ".pyc")
    return {f.relative_to(folder).as_posix() for f in files}


@pytest.mark.parametrize("folder", SHIPPED)
def test_the_wheel_holds_what_travels(built: Path, folder: str) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    inside = f"casework/share/{Path(folder).name}/"
    expected = shipped(SHIPPED[folder], ROOT / folder)
    assert expected
    assert expected <= {name.removeprefix(inside) for name in names if name.startswith(inside)}


def test_the_wheel_holds_the_library_and_no_tests(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    library = {f"casework/{name}" for name in shipped("*", ROOT / "lib" / "casework")}
    assert library <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"casework"}
    assert not [name for name in names if "/tests/" in name]


def test_the_source_distribution_can_run_its_own_tests(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"Makefile", "constraints.txt", ".ci/run", "tests/test_packaging.py"} <= names
    assert {f"fixtures/demo/{name}" for name in shipped("*", ROOT / "fixtures/demo")} <= names


@pytest.mark.parametrize("folder", SHIPPED)
def test_an_installed_wheel_finds_its_folders(installed: Path, tmp_path: Path, folder: str) -> None:
    name = Path(folder).name
    code = f"from casework import resources; print(resources.folder({name!r}))"
    found = Path(run(installed / "python", "-c", code, cwd=tmp_path).strip())
    assert found.is_relative_to(installed.parent)
    assert shipped(SHIPPED[folder], ROOT / folder) <= shipped("*", found)


@pytest.mark.parametrize("folder", SHIPPED)
def test_a_checkout_finds_its_folders(folder: str) -> None:
    from casework import resources

    assert resources.folder(Path(folder).name).resolve() == ROOT / folder


def test_an_unknown_folder_is_an_error_with_a_hint() -> None:
    from casework import CaseworkError, resources

    with pytest.raises(CaseworkError, match=r"UNKNOWN_RESOURCE.*did you mean 'notebooks'"):
        resources.folder("notebook")


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    output = run(installed / "casework", "demo", "--no-browser", "--out", "out", cwd=tmp_path)
    report = Path(output.splitlines()[-1].split()[-1])
    assert (tmp_path / report).is_file()


@pytest.mark.parametrize("app", sorted((ROOT / "workbench").glob("*.py")), ids=lambda f: f.stem)
def test_the_apps_load_from_the_wheel(installed: Path, tmp_path: Path, app: Path) -> None:
    code = (
        "import sys; from casework import resources\n"
        "sys.path.insert(0, str(resources.folder('workbench').parent))\n"
        f"import workbench.{app.stem} as app; print(app.__file__)"
    )
    loaded = Path(run(installed / "python", "-c", code, cwd=tmp_path).strip())
    assert loaded.is_relative_to(installed.parent)
