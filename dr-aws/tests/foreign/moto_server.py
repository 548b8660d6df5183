"""moto's server, one request at a time.

moto looks at a conditional write's condition and writes in two moments. Two requests at once would both be done, which is
not what the tests are about.
"""

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
print(f"http://127.0.0.1:{server.port}", flush=True)
server.serve_forever()
