# One image for the roles web, worker and runner; the command decides (compose.yaml). Needs no network when BASE holds
# Python 3.11+, venv and bubblewrap and the folder wheels/ holds the wheels of requirements.lock for the Python of BASE:
#   pip download --require-hashes --only-binary :all: -r requirements.lock -d wheels
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS tools
RUN { command -v bwrap && command -v setpriv && python3 -c 'import ensurepip'; } >/dev/null 2>&1 || { \
        apt-get update && \
        apt-get install -y --no-install-recommends python3 python3-venv bubblewrap util-linux ca-certificates && \
        rm -rf /var/lib/apt/lists/*; }

FROM tools AS build
# pip reads these by itself. They stay in the layers of this stage, which are not in the image; an index that asks for a
# password is still better replaced by the folder wheels/.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
RUN python3 -m venv /opt/arbitre
# The pattern lets the folder be absent.
COPY requirements.lock wheel[s] /build/wheels/
RUN set --; if ls /build/wheels/*.whl >/dev/null 2>&1; then set -- --no-index --find-links /build/wheels; fi; \
    /opt/arbitre/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: "$@" \
        -r /build/wheels/requirements.lock
COPY . /build/source
RUN /opt/arbitre/bin/pip install --no-cache-dir --disable-pip-version-check --no-index --no-deps --no-build-isolation \
        /build/source && \
    /opt/arbitre/bin/pip uninstall -y hatchling pip setuptools

FROM tools
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin arbitre && \
    install -d -o arbitre -g arbitre -m 0700 /var/lib/arbitre /var/lib/arbitre-runner
COPY --from=build /opt/arbitre /opt/arbitre
ENV PATH=/opt/arbitre/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONUNBUFFERED=1 ARBITRE_DATA=/var/lib/arbitre
USER 10001
WORKDIR /var/lib/arbitre
CMD ["arbitre", "serve", "--role", "web", "--host", "0.0.0.0"]
