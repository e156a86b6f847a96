"""Google Sheets: what is asked for, how, and what Google's answers and refusals mean."""

from webapp.sources.sheet.google.ranges import API
from webapp.sources.sheet.google.sheet import GoogleSheet

__all__ = ["API", "GoogleSheet"]
