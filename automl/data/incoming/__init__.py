"""New rows to predict, a chunk at a time and in the schema's order, in bounded memory. Encodes nothing and learns nothing."""

from automl.data.incoming.choose import read_rows
from automl.data.incoming.chunk import Chunk, Tell
from automl.data.incoming.frame import frame_rows, frame_series

__all__ = ["Chunk", "Tell", "frame_rows", "frame_series", "read_rows"]
