"""Which tasks of the circular a document bears on, and the words that prove it.

`Classifier(taxonomy).classify(document)` is all that the chain needs. Read `terms` for what is found, `evidence` for
what it is worth, `combine` for the verdict, `explaining` for what users are told.
"""

from pipelines.classify.classifier import Classifier

__all__ = ["Classifier"]
