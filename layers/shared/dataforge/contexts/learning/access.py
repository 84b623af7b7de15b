"""Who may read and who may change what learning keeps."""

from typing import Annotated

from fastapi import Depends

from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.kernel.principal import Role

READERS = (Role.INSTRUCTOR, Role.ANALYST, Role.REGISTRAR)
ReaderCall = Annotated[Call, Depends(require(*READERS))]
WRITERS = (Role.INSTRUCTOR, Role.REGISTRAR)
WriterCall = Annotated[Call, Depends(require(*WRITERS))]
