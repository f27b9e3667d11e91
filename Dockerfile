FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY migrations ./migrations
COPY vstash ./vstash
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .
RUN python -m venv /opt/vstash \
    && /opt/vstash/bin/python -m pip install --no-cache-dir /wheels/*.whl

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home vstash \
    && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=build /opt/vstash /opt/vstash
ENV PATH="/opt/vstash/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    VSTASH_DB=/data/vstash.db
USER 10001:10001
VOLUME /data
# The service listens on loopback: run with --network host on Linux, or make an access key and set
# VSTASH_HOST=0.0.0.0.
EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(f\"http://127.0.0.1:{os.environ.get('VSTASH_PORT', '8765')}/healthz\", timeout=4)"]
ENTRYPOINT ["vstash"]
CMD ["serve"]
