"""Path parameters of the store's endpoints."""

from typing import Annotated

from fastapi import Path

NO_NUL = r"^[^\x00]*$"

Id = Annotated[str, Path(alias="id", max_length=64, pattern=NO_NUL, examples=["ord_01k9q3v8zd0g2m4n6p8r0t2v4w"])]
