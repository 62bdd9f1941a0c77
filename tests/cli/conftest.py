import pytest
from support.command_line import CommandLine


@pytest.fixture
def workbench(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(capsys)
