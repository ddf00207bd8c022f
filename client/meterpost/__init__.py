"""Report what customers used, and whom to subscribe, from application code."""

from meterpost.batch import Batch
from meterpost.errors import MeterpostError, NotPublished, RowRefused
from meterpost.producer import Meterpost

__all__ = ["Batch", "Meterpost", "MeterpostError", "NotPublished", "RowRefused"]
