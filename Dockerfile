# The whole service in one image: web, worker, beat and the migration job differ only in their command.

FROM python:3.13-slim AS builder
# mysqlclient is compiled only in this stage.
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libmariadb-dev pkg-config python3-dev \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv --without-pip /venv
COPY requirements-mysql.txt requirements-s3.txt requirements-stripe.txt /
RUN pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes \
    --requirement /requirements-mysql.txt --requirement /requirements-s3.txt --requirement /requirements-stripe.txt

FROM python:3.13-slim
# The library that mysqlclient loads, and an unprivileged user.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin shop \
    && install --directory --owner shop --mode 755 /data /data/media
COPY --from=builder /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    ALIVE_FILE=/dev/shm/alive \
    METRICS_DIR=/dev/shm/metrics
WORKDIR /app
COPY . .
# Static files, named by their content hash and compressed. This key signs nothing and is used only for this command.
RUN SECRET_KEY=collects-static-files-and-signs-nothing python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q .
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/live/', timeout=4)"]
CMD ["gunicorn", "--config", "python:productbackend.gunicorn", "--bind", "0.0.0.0:8000", "productbackend.wsgi"]
