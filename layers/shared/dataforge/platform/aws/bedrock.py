"""One model of Amazon Bedrock behind the Converse API."""

import asyncio
from functools import cached_property
from typing import Any

from dataforge.kernel.errors import DataForgeError, Unavailable
from dataforge.kernel.texts import Text

# What comes of load or of a moment, and what boto3 calls the like; all else is wrong again the next time.
_PASSING = frozenset(
    {
        "ThrottlingException",
        "ModelNotReadyException",
        "ModelTimeoutException",
        "ServiceUnavailableException",
        "InternalServerException",
        "RequestTimeout",
        "TooManyRequestsException",
    }
)


class ModelRefused(DataForgeError):
    """The model cannot be asked: no access, no such model, or a request that it does not take."""

    code = "model_refused"
    status = 502
    title = "The model cannot be asked"


class ConverseModel:
    """Asks one model; each call runs in a thread, because boto3 blocks.

    What is throttled or breaks off is tried again by botocore's standard mode, `attempts` times in all, `read_seconds`
    each. `endpoint_url` is for tests and for private endpoints; empty means AWS.
    """

    def __init__(
        self, model_id: str, endpoint_url: str = "", *, read_seconds: float = 120.0, attempts: int = 3
    ) -> None:
        self.model_id = model_id
        self._endpoint_url = endpoint_url or None
        self._read_seconds = read_seconds
        self._attempts = attempts

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - its types would be installed for one call
        import boto3
        from botocore.config import Config

        config = Config(
            connect_timeout=5,
            read_timeout=self._read_seconds,
            retries={"mode": "standard", "total_max_attempts": self._attempts},
        )
        return boto3.client("bedrock-runtime", endpoint_url=self._endpoint_url, config=config)

    async def converse(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - the parameters of Converse
        """The answer to a request; raises Unavailable for what may pass, ModelRefused for what will not."""
        from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004 - its name

        try:
            answer: dict[str, Any] = await asyncio.to_thread(self._client.converse, modelId=self.model_id, **request)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in _PASSING or status >= 500:
                raise Unavailable(Text("The model did not answer ({value}).", value=code or status)) from error
            raise ModelRefused(Text("The model refused the request ({value}).", value=code or status)) from error
        except (ConnectionError, HTTPClientError) as error:
            raise Unavailable(Text("The model did not answer ({name}).", name=type(error).__name__)) from error
        except BotoCoreError as error:
            raise ModelRefused(Text("The model cannot be reached ({name}).", name=type(error).__name__)) from error
        return answer
