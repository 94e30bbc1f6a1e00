# The whole service in one image: web, worker, beat and the job that migrates differ by their command alone.

FROM python:3.13-slim AS builder
# mysqlclient is compiled here, and here alone.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libmariadb-dev pkg-config python3-dev \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /venv
COPY requirements.txt requirements-mysql.txt /
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /requirements-mysql.txt

FROM python:3.13-slim
# What the compiled mysqlclient loads.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin shop \
    && install -d -o shop -g shop -m 755 /data /data/media
COPY --from=builder /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data STATIC_DIR=/app/static
WORKDIR /app
COPY . .
# Compressed and named by their content, once. The key signs nothing and stays in this one command.
RUN SECRET_KEY=collects-static-files-and-signs-nothing python manage.py collectstatic --no-input --verbosity 0
USER shop
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "productbackend.healthcheck", "web"]
CMD ["gunicorn", "--config", "python:productbackend.gunicorn", "productbackend.wsgi"]
