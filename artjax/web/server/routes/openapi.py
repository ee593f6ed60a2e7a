"""Parts of the OpenAPI document that describe bodies, files and errors."""

from typing import Any

from fastapi import responses

from artjax.web.server.routes import transfer

# A picture file as the body of a request.
PICTURE_BODY = {
  'requestBody': {
    'content': {
      'application/octet-stream': {
        'schema': {'type': 'string', 'format': 'binary'}
      }
    }
  }
}
ERRORS: dict[int | str, dict[str, Any]] = {
  code: {
    'description': text,
    'content': {
      'application/json': {
        'schema': {
          'type': 'object',
          'properties': {
            'error': {'type': 'string'},
            'message': {'type': 'object'},
          },
          'required': ['error'],
        }
      }
    },
  }
  for code, text in {
    400: 'the request cannot be read',
    404: 'not there, or not yours',
    408: 'the upload stopped',
    409: 'not possible at the moment',
    413: 'more bytes than the limit',
    415: 'not a picture',
    422: 'not usable, with the reason',
    429: 'busy; try later',
    507: 'the disk space of the page is used up',
  }.items()
}


def file(*types: str) -> dict[str, Any]:
  """Arguments of a route that answers with a file of one of these types."""
  return {
    'response_class': responses.FileResponse,
    'responses': {
      200: {'description': 'the file', 'content': {kind: {} for kind in types}}
    },
  }


PNG = file('image/png')
REPORT = file('application/json')
PICTURE = file(*transfer.TYPES.values())
