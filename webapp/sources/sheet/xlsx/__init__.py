"""An .xlsx workbook: what it consists of, its cells, and what may be believed of them."""

from webapp.sources.sheet.xlsx.file import XlsxFile

__all__ = ["XlsxFile"]
