"""Who may read and who may change what learning keeps."""

from typing import Annotated

from fastapi import Depends

from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.kernel.principal import Role

READERS = (Role.INSTRUCTOR, Role.ANALYST, Role.REGISTRAR)
ReaderCall = Annotated[Call, Depends(require(*READERS))]
WriterCall = Annotated[Call, Depends(require(Role.INSTRUCTOR, Role.REGISTRAR))]
