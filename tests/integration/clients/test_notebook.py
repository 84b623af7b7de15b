"""The notebook of the docs runs against the API as it is, and shows what it says it shows."""

import nbformat
import pytest

from dataforge.kernel.principal import Role
from infra.site.notebook import NOTEBOOK, outputs_of, run_notebook
from tests.builders.report_samples import ReportSamples
from tests.builders.served import ServedApi

pytestmark = pytest.mark.slow


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_runs_and_its_texts_are_what_it_shows(served: ServedApi) -> None:
    served.run(ReportSamples(served.whole.api).fill())
    kept = nbformat.read(NOTEBOOK, as_version=4)
    notebook = nbformat.read(NOTEBOOK, as_version=4)

    run_notebook(notebook, {"DATAFORGE_URL": served.url, "DATAFORGE_TOKEN": served.token(Role.ADMIN)})

    assert outputs_of(notebook) == outputs_of(kept)
    pictures = [kind for texts in outputs_of(notebook) for kind, _ in texts if kind == "image/png"]
    assert len(pictures) == 4
