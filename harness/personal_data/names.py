"""Names of people, found by Presidio with a model of the user's."""

from __future__ import annotations

import logging
from pathlib import Path

from harness.errors import UsageError
from harness.personal_data.span import Span


class NameFinder:
    """Finds names of people in English text, with the spaCy model of that name or in that folder.

    Presidio's other recognisers are left out: the detector has its own for what they find, and one
    of them loads a list from the network.

    Raises:
        UsageError: Presidio is not installed, or the model is not here; nothing is downloaded.
    """

    def __init__(self, model: str) -> None:
        try:
            import spacy
            from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
            from presidio_analyzer.nlp_engine import NlpEngineProvider
            from presidio_analyzer.predefined_recognizers import SpacyRecognizer
        except ImportError:
            raise UsageError(
                "names of people are found by Presidio, which is not installed",
                where="--names",
                hint="pip install 'harness[names]'",
            ) from None
        # Presidio would download a model that is not here.
        if not (spacy.util.is_package(model) or Path(model).is_dir()):
            raise UsageError(
                f"no spaCy model `{model}` is installed, and it is no folder",
                where="--names",
                hint=f"python -m spacy download {model}",
            )
        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        configuration = {
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": model}],
        }
        self._analyzer = AnalyzerEngine(
            registry=RecognizerRegistry([SpacyRecognizer(supported_entities=["PERSON"])]),
            nlp_engine=NlpEngineProvider(nlp_configuration=configuration).create_engine(),
            supported_languages=["en"],
        )

    def find(self, text: str) -> list[Span]:
        """The spans of people's names."""
        found = self._analyzer.analyze(text, language="en", entities=["PERSON"])
        return [Span(one.start, one.end, "person") for one in found]
