"""Pages of transcripts and tutorials: every noun adds its pages to the one router."""

from dataforge.contexts.tutorials.page_calls import router
from dataforge.contexts.tutorials.transcripts import pages as transcripts
from dataforge.contexts.tutorials.tutorials import pages as tutorials

__all__ = ["router", "transcripts", "tutorials"]
