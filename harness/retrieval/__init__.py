"""Passages of documents for a question: BM25 over a folder of text, and what rests on them."""

from harness.retrieval.client import RetrievingClient
from harness.retrieval.documents import Documents, read_documents
from harness.retrieval.index import Index, open_index

__all__ = ["Documents", "Index", "RetrievingClient", "open_index", "read_documents"]
